namespace I2M.Kernels;

/// <summary>What a product's epilogue applies to every element.</summary>
public enum GemmActivation
{
    /// <summary>Nothing.</summary>
    None,
    /// <summary>The exact GELU, x · Φ(x).</summary>
    GeluErf,
    /// <summary>GELU's tanh form.</summary>
    GeluTanh,
}

/// <summary>
/// What becomes of an element of a product before it is stored, while it is still in the cache. With p = Σ_k op(a)[i,k] · op(b)[k,j], in this order:
/// <list type="number">
/// <item>v = p + Bias[j];</item>
/// <item>either v = v · gelu'(GeluGradientOf[i,j]), or PreActivation[i,j] = v and v = Activation(v);</item>
/// <item>v = v + Residual[i,j];</item>
/// <item>c[i,j] = v, or c[i,j] + v with <see cref="GemmShape.Accumulate"/>;</item>
/// <item>ColumnSums[j] = Σ c[i,j] over the rows of all items of the batch, or += with <see cref="AddsColumnSums"/>.</item>
/// </list>
/// Without an activation c takes part in the sum of the products from the start where it is added to, so its rounding may differ by an order of summands.
/// All parts are optional. Views "in c's layout" are addressed with c's leading dimension and stride.
/// </summary>
public readonly record struct GemmEpilogue
{
    /// <summary>A value per column, [n].</summary>
    public BufferView Bias { get; init; }

    /// <summary>The function; with <see cref="GeluGradientOf"/>, the one whose derivative is meant.</summary>
    public GemmActivation Activation { get; init; }

    /// <summary>Output in c's layout: the values before the activation, which its backward needs. Must not be c.</summary>
    public BufferView PreActivation { get; init; }

    /// <summary>In c's layout; may be c itself.</summary>
    public BufferView Residual { get; init; }

    /// <summary>In c's layout, the values before an activation: the product is then the gradient of its input instead of its output. Must not be c.</summary>
    public BufferView GeluGradientOf { get; init; }

    /// <summary>
    /// Output [n], float32: the sums of c's columns in a fixed order, taken before c is rounded to its type. Where the product is a gradient, that of the bias which was
    /// added to what it is the gradient of. Must not be c.
    /// </summary>
    public BufferView ColumnSums { get; init; }

    /// <summary>True adds to <see cref="ColumnSums"/>, false overwrites it.</summary>
    public bool AddsColumnSums { get; init; }

    /// <summary>Adds a value per column.</summary>
    /// <param name="bias">[n] or None.</param>
    public static GemmEpilogue WithBias(BufferView bias) => new() { Bias = bias };

    /// <summary>A view alone is a bias.</summary>
    public static implicit operator GemmEpilogue(BufferView bias) => WithBias(bias);

    /// <summary>True when c's former values must outlast the sums: they are added after an activation.</summary>
    internal bool NeedsSeparateSums(in GemmShape shape, BufferView c) => Activation != GemmActivation.None && (shape.Accumulate || IsSame(Residual, c));

    /// <summary>The epilogue of a product without elements: its sums are empty.</summary>
    internal void FinishEmpty(IBackend backend, in GemmShape shape)
    {
        if (!ColumnSums.IsNone && !AddsColumnSums && shape.N > 0) { backend.Fill(ColumnSums.Slice(0, shape.N), 0f); }
    }

    /// <summary>Throws unless the parts go together and are long enough.</summary>
    internal void Check(in GemmShape s, BufferView c)
    {
        GemmShape shape = s;
        if (!Enum.IsDefined(Activation)) { throw new ArgumentException($"Activation {(int)Activation} is none that a product knows.", nameof(Activation)); }
        if (Activation == GemmActivation.None)
        {
            if (!PreActivation.IsNone) { throw new ArgumentException("PreActivation without an Activation: c itself is the value before it.", nameof(PreActivation)); }
            if (!GeluGradientOf.IsNone) { throw new ArgumentException("GeluGradientOf needs an Activation that names GELU's form.", nameof(GeluGradientOf)); }
        }
        if (!PreActivation.IsNone && !GeluGradientOf.IsNone) { throw new ArgumentException("PreActivation and GeluGradientOf exclude each other: a product goes through the activation or back through it.", nameof(PreActivation)); }
        if (c.Type != ElementType.Float32 && IsSame(Residual, c)) { throw new ArgumentException("Residual is c, which does not hold Float32.", nameof(Residual)); }
        if (shape.Accumulate && IsSame(Residual, c)) { throw new ArgumentException("Residual is c and Accumulate adds c once more.", nameof(Residual)); }
        if (IsSame(PreActivation, c)) { throw new ArgumentException("PreActivation must not be c.", nameof(PreActivation)); }
        if (IsSame(GeluGradientOf, c)) { throw new ArgumentException("GeluGradientOf must not be c.", nameof(GeluGradientOf)); }
        if (IsSame(ColumnSums, c)) { throw new ArgumentException("ColumnSums must not be c.", nameof(ColumnSums)); }
        if (!ColumnSums.IsNone) { CheckExtent(nameof(ColumnSums), ColumnSums, 1, shape.N, shape.N, 1, 0); }
        if (!Bias.IsNone) { CheckExtent(nameof(Bias), Bias, 1, shape.N, shape.N, 1, 0); }
        LikeC(nameof(PreActivation), PreActivation);
        LikeC(nameof(Residual), Residual);
        LikeC(nameof(GeluGradientOf), GeluGradientOf);

        void LikeC(string name, BufferView view)
        {
            if (!view.IsNone) { CheckExtent(name, view, shape.M, shape.N, shape.LeadingC, shape.Batch, shape.StrideC); }
        }
    }

    /// <summary>Throws unless the views' types go together.</summary>
    internal void CheckTypes(BufferView a, BufferView b, BufferView c)
    {
        Same("b", b, a.Type, "a");
        Same(nameof(Bias), Bias, ElementType.Float32, "every bias");
        Same(nameof(Residual), Residual, ElementType.Float32, "every residual");
        Same(nameof(ColumnSums), ColumnSums, ElementType.Float32, "every sum");
        Same(nameof(PreActivation), PreActivation, c.Type, "c");
        Same(nameof(GeluGradientOf), GeluGradientOf, c.Type, "c");

        static void Same(string name, BufferView view, ElementType type, string like)
        {
            if (!view.IsNone && view.Type != type) { throw new ArgumentException($"{name} holds {view.Type}; {like} holds {type}.", name); }
        }
    }

    internal static bool IsSame(BufferView x, BufferView y) => !x.IsNone && !y.IsNone && ReferenceEquals(x.Buffer, y.Buffer) && x.Offset == y.Offset;

    /// <summary>Throws unless the view holds batch items of so many rows of so many elements, leading elements apart.</summary>
    internal static void CheckExtent(string name, BufferView view, long rows, long width, long leading, long batch, long stride)
    {
        if (rows == 0 || width == 0 || batch == 0) { return; }
        long needed = view.Type.Words((batch - 1) * stride + (rows - 1) * leading + width);
        if (view.Length < needed) { throw new ArgumentException($"{name} has {view.Length} words; its shape needs {needed}.", name); }
    }
}
