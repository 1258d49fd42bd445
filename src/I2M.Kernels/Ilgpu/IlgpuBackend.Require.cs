using System.Runtime.CompilerServices;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <summary>Throws unless <paramref name="view"/> has exactly so many words.</summary>
    private static void RequireLength(BufferView view, long length, [CallerArgumentExpression(nameof(view))] string name = "")
    {
        if (view.Length != length) { throw new ArgumentException($"{name}: {length} words expected, {view.Length} given.", name); }
    }

    /// <summary>Throws unless <paramref name="condition"/> holds.</summary>
    private static void Require(bool condition, string name, string expectation)
    {
        if (!condition) { throw new ArgumentException($"{name}: {expectation}.", name); }
    }

    /// <summary>Throws when a size is above what an operation's kernels can do.</summary>
    private void RequireAtMost(string operation, string quantity, long wanted, long limit)
    {
        if (wanted > limit) { throw new KernelLimitException(Name, operation, quantity, wanted, limit, "its kernels"); }
    }

    /// <summary>Columns of a [rows, columns] view.</summary>
    private static long ColumnsOf(BufferView view, long rows, [CallerArgumentExpression(nameof(view))] string name = "")
    {
        Require(rows > 0 ? view.Length % rows == 0 : view.Length == 0, name, $"{view.Length} words are not a whole number of columns in {rows} rows");
        return rows > 0 ? view.Length / rows : 0;
    }
}
