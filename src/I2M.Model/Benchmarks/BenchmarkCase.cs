using I2M.Kernels;

namespace I2M.Model.Benchmarks;

/// <summary>What limits a case at best, and so which peak its share is taken of.</summary>
public enum BenchmarkBound
{
    /// <summary>Multiply-adds: the share is of the FMA peak.</summary>
    Compute,
    /// <summary>Memory traffic: the share is of the bandwidth of copying as many bytes.</summary>
    Memory,
    /// <summary>The way to the device: there is no share, the time is the result.</summary>
    Launch,
}

/// <summary>The work of one run, counted from the mathematics and not from the implementation.</summary>
/// <param name="Bound">What limits it at best.</param>
/// <param name="Flops">Useful floating-point operations, a multiply-add as two.</param>
/// <param name="Bytes">Bytes that have to be read or written at least once.</param>
public readonly record struct BenchmarkWork(BenchmarkBound Bound, double Flops, double Bytes)
{
    /// <summary>Of which arithmetic the peak counts.</summary>
    public Arithmetic Arithmetic { get; init; } = Arithmetic.Float32;

    /// <summary>How much one run makes, in <see cref="Product"/>s; 0 where only the operations count.</summary>
    public double Amount { get; init; }

    /// <summary>What it makes, in the plural, such as "samples" or "seconds of audio".</summary>
    public string? Product { get; init; }
}

/// <summary>
/// One named piece of work on random data. It is verified against double precision before it is timed; both happen on the same buffers. Memory that
/// was rented through the helpers goes back to the pool at the end.
/// </summary>
public abstract class BenchmarkCase : IDisposable
{
    private readonly List<BufferView> _rented = [];
    private int _turn;

    /// <summary>Where it runs.</summary>
    protected IBackend Backend { get; }

    /// <summary>The work of one <see cref="Run"/>.</summary>
    public BenchmarkWork Work { get; protected init; }

    /// <summary>Which of several tiles the device takes for this work, a colon, and why; null where there is one way.</summary>
    public virtual string? Choice => null;

    /// <param name="backend">Where it runs.</param>
    protected BenchmarkCase(IBackend backend) => Backend = backend;

    /// <summary>Compares what this case computes with a double-precision reference.</summary>
    /// <param name="cancel">Stops between two parts of the check.</param>
    /// <returns>The largest error as a share of what is allowed: at most 1.</returns>
    /// <exception cref="I2MException">An error above the limit: names the worst element.</exception>
    public abstract double Verify(CancellationToken cancel);

    /// <summary>Queues the timed work; a case with several sets of inputs takes the next one.</summary>
    public abstract void Queue();

    /// <summary>The timed work, complete when it returns.</summary>
    public void Run()
    {
        Queue();
        Backend.Synchronize();
    }

    /// <summary>Gives the memory back.</summary>
    public virtual void Dispose()
    {
        foreach (BufferView view in _rented) { Backend.Pool.Return(view); }
        _rented.Clear();
        GC.SuppressFinalize(this);
    }

    /// <summary>The sets of operands in turn.</summary>
    protected T Next<T>(T[] sets) => sets[_turn++ % sets.Length];

    /// <summary>Memory with undefined contents until the end of the case.</summary>
    protected BufferView Rent(long length)
    {
        BufferView view = Backend.Pool.Rent(length);
        _rented.Add(view);
        return view;
    }

    /// <summary>Memory with normal numbers of standard deviation <paramref name="scale"/>; every <paramref name="stream"/> gives others.</summary>
    protected BufferView RentNormal(long length, ulong stream, float scale = 1)
    {
        BufferView view = Rent(length);
        Backend.RandomNormal(1, stream, 0, view);
        if (scale != 1) { Backend.Scale(scale, view, view); }
        return view;
    }

    /// <summary>As above, so many elements of a type.</summary>
    protected BufferView RentNormal(long elements, ulong stream, ElementType type, float scale = 1)
    {
        if (type == ElementType.Float32) { return RentNormal(elements, stream, scale); }
        BufferView view = Rent(type.Words(elements)).As(type);
        using var scope = new BufferScope(Backend.Pool);
        BufferView wide = scope.Rent(elements);
        Backend.RandomNormal(1, stream, 0, wide);
        if (scale != 1) { Backend.Scale(scale, wide, wide); }
        Backend.Convert(wide, elements, view);
        return view;
    }

    /// <summary>A copy on the host of so many elements, widened to float32.</summary>
    protected float[] Read(BufferView view, long elements)
    {
        if (view.Type == ElementType.Float32) { return Read(view.Slice(0, elements)); }
        using var scope = new BufferScope(Backend.Pool);
        BufferView wide = scope.Rent(elements);
        Backend.Convert(view, elements, wide);
        return Read(wide);
    }

    /// <summary>Makes every element not-a-number, so that one which a case leaves out is found.</summary>
    protected void Spoil(BufferView view) =>
        Backend.Fill(view.As(ElementType.Float32), view.Type == ElementType.Float32 ? float.NaN : BitConverter.UInt32BitsToSingle(0x7FC0_7FC0));

    /// <summary>A copy on the host.</summary>
    protected float[] Read(BufferView view)
    {
        var data = new float[view.Length];
        Backend.CopyToHost(view, data);
        return data;
    }

    /// <summary>About <paramref name="count"/> of the numbers 0 to n − 1 with both ends, coprime steps apart, so that every residue of a tile is met.</summary>
    protected static int[] Sample(int n, int count)
    {
        if (n <= count) { return [.. Enumerable.Range(0, n)]; }
        return [.. Enumerable.Range(0, count - 1).Select(i => (int)((long)i * (n - 1) / (count - 1))).Append(n - 1).Distinct()];
    }
}
