using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

/// <content>
/// mul, add and sub of f32 without a rounding modifier may be fused by the assembler (the manual at add: "mul/add sequences … may be optimized to use fused
/// multiply-add instructions"), and ptxas does so unless it is told not to. Here every such pair in straight code is fused; the product is computed besides, for its other uses.
/// </content>
internal sealed partial class Decoder
{
    /// <summary>The products of the present straight code, by the id of the register that holds them, whose factors still stand in their registers.</summary>
    private readonly Dictionary<int, Product> _products = [];

    private readonly record struct Product(Slot A, Slot B, bool Flush);

    private static bool IsContractible(Instruction i, string type) => type == "f32" && !i.Has("rn");

    /// <summary>A product was decoded: sums may take its factors.</summary>
    private void NoteProduct(Instruction i, Slot d, Slot a, Slot b)
    {
        bool keepsFactors = d.Id != a.Id && d.Id != b.Id;
        if (contract && keepsFactors && i.Predicate is null && IsContractible(i, i.Type())) { _products[d.Id] = new Product(a, b, i.Has("ftz")); }
    }

    /// <summary>A register was written: what it held or was made into a product is gone.</summary>
    private void ForgetProducts(int id)
    {
        if (_products.Count == 0) { return; }
        _products.Remove(id);
        foreach ((int product, Product factors) in _products)
        {
            if (factors.A.Id == id || factors.B.Id == id) { _products.Remove(product); }
        }
    }

    /// <summary>add or sub of a product and something else as one operation; null where neither operand is a product.</summary>
    private Operation? Contracted(Instruction i, Slot d, Slot a, Slot b)
    {
        if (i.Name is not ("add" or "sub") || !IsContractible(i, i.Type())) { return null; }
        bool flush = i.Has("ftz"), minus = i.Name == "sub";
        if (_products.TryGetValue(a.Id, out Product left) && left.Flush == flush)
        {
            return minus ? Fused<FusedMinus>(d, left, b, flush) : Fused<FusedSingle>(d, left, b, flush);
        }
        if (!_products.TryGetValue(b.Id, out Product right) || right.Flush != flush) { return null; }
        return minus ? Fused<FusedFrom>(d, right, a, flush) : Fused<FusedSingle>(d, right, a, flush);
    }

    private static Operation Fused<TOp>(Slot d, Product product, Slot c, bool flush) where TOp : struct, ITernary<float> =>
        flush ? new Ternary<float, Flush3<TOp>>(d, product.A, product.B, c) : new Ternary<float, TOp>(d, product.A, product.B, c);
}
