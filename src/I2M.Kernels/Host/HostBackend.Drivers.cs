using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

/// <summary>The elementwise drivers over all cores, and what the operations share.</summary>
public sealed unsafe partial class HostBackend
{
    /// <summary>Elements per chunk of an operation that waits for memory: about ten microseconds.</summary>
    private const long MemoryGrain = 16384;

    /// <summary>Elements per chunk of an operation with an exponential or the like.</summary>
    private const long MathGrain = 8192;

    /// <summary>Rows that are summed in float before their partial sums are combined with compensation.</summary>
    private const int PartialRows = 64;

    private void Map<F>(F f, BufferView x, BufferView destination, long grain) where F : struct, IUnary
    {
        RequireLength(destination.Length, x);
        float* px = Pointer(x), pd = Pointer(destination);
        _rows.Run(destination.Length, grain, (start, end) => ElementwiseDrivers.Apply(f, px + start, pd + start, end - start));
    }

    private void Map<F>(F f, BufferView x, BufferView y, BufferView destination, long grain) where F : struct, IBinary
    {
        RequireLength(destination.Length, x);
        RequireLength(destination.Length, y);
        float* px = Pointer(x), py = Pointer(y), pd = Pointer(destination);
        _rows.Run(destination.Length, grain, (start, end) => ElementwiseDrivers.Apply(f, px + start, py + start, pd + start, end - start));
    }

    /// <summary>Rows per chunk so that a chunk has about <paramref name="elements"/> elements.</summary>
    private static long RowGrain(long elements, long columns) => Math.Max(1, elements / Math.Max(1, columns));

    /// <summary>Cuts each sample's rows into groups of <see cref="PartialRows"/> and calls body(sample, first row, last row, group) for all, in parallel.</summary>
    private void RunRowGroups(long batch, long rows, long columns, RowGroup body)
    {
        long groups = RowGroups(rows);
        _rows.Run(batch * groups, RowGrain(MemoryGrain, Math.Min(rows, PartialRows) * columns), (start, end) =>
        {
            for (long g = start; g < end; g++)
            {
                long first = g % groups * PartialRows;
                body(g / groups, first, Math.Min(rows, first + PartialRows), g);
            }
        });
    }

    private delegate void RowGroup(long sample, long first, long last, long group);

    private static long RowGroups(long rows) => (rows + PartialRows - 1) / PartialRows;

    /// <summary>destination[b · stride + c] = or += scale · Σ_g partial[b, g, c]: the second half of a sum over rows.</summary>
    private void CombineGroups(float* partial, long batch, long groups, long columns, float scale, bool accumulate, float* destination, long stride)
    {
        const long ColumnTile = 64;
        long tiles = (columns + ColumnTile - 1) / ColumnTile;
        _rows.Run(batch * tiles, RowGrain(MemoryGrain, groups * ColumnTile), (start, end) =>
        {
            for (long t = start; t < end; t++)
            {
                long b = t / tiles, first = t % tiles * ColumnTile;
                Reductions.SumRows(partial + b * groups * columns, groups, columns, first, Math.Min(columns, first + ColumnTile),
                    scale, accumulate, destination + b * stride);
            }
        });
    }

    private static void Zero(float* destination, long length) => Unsafe.InitBlockUnaligned(destination, 0, checked((uint)(length * sizeof(float))));

    private static void Move(float* source, float* destination, long length) =>
        Buffer.MemoryCopy(source, destination, length * sizeof(float), length * sizeof(float));

    private static void RequireLength(long expected, BufferView view, [CallerArgumentExpression(nameof(view))] string name = "")
    {
        if (view.Length != expected) { throw new ArgumentException($"{name} has {view.Length} words, expected {expected}.", name); }
    }

    private static void RequireAtLeast(long expected, BufferView view, [CallerArgumentExpression(nameof(view))] string name = "")
    {
        if (view.Length < expected) { throw new ArgumentException($"{name} has {view.Length} words, expected at least {expected}.", name); }
    }

    /// <summary>The rows of a view with <paramref name="columns"/> columns, which must divide its length.</summary>
    private static long RowsOf(BufferView view, long columns, [CallerArgumentExpression(nameof(view))] string name = "")
    {
        if (columns <= 0 || view.Length % columns != 0) { throw new ArgumentException($"{name} has {view.Length} words, which {columns} columns do not divide.", name); }
        return view.Length / columns;
    }

    private void RequireIndices(int* indices, long count, long limit, string name)
    {
        if (_dry is not null) { return; } // Its memory holds nothing that was meant.
        for (long i = 0; i < count; i++)
        {
            if ((uint)indices[i] >= limit) { throw new ArgumentException($"{name}[{i}] is {indices[i]}, expected 0 to {limit - 1}.", name); }
        }
    }

    private static void RequireModulation(ModulationShape shape, BufferView view, [CallerArgumentExpression(nameof(view))] string name = "")
    {
        if (shape.Batch > 1 && shape.Stride < shape.Channels) { throw new ArgumentException($"Stride {shape.Stride} is less than {shape.Channels} channels.", nameof(shape)); }
        RequireAtLeast((shape.Batch - 1L) * shape.Stride + shape.Channels, view, name);
    }
}
