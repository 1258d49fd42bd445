using I2M.Kernels;
using Xunit;

namespace I2M.Testing;

/// <summary>
/// One test of one operation on one backend: data, guarded buffers, execution and comparison, with the operation's own row of
/// the tolerance table.
/// </summary>
public sealed class OperationRun : IDisposable
{
    private const ulong DefaultSeed = 20240229;
    private readonly string _operation;
    private readonly string _name;
    private readonly GuardedBuffers _buffers;

    /// <summary>The backend under test.</summary>
    public IBackend Backend { get; }

    /// <summary>Reproducible data.</summary>
    public RandomData Random { get; }

    /// <param name="operation">The operation's name in <see cref="IBackend"/>: its row in the tolerance table.</param>
    /// <param name="backend">A name in <see cref="Backends"/>.</param>
    /// <param name="shape">Shape and variant, for messages.</param>
    /// <param name="seed">Seed of the data.</param>
    /// <param name="aligned">True starts every buffer at a multiple of 16 bytes; otherwise every second one is off it.</param>
    public OperationRun(string operation, string backend, object shape, ulong seed = DefaultSeed, bool aligned = false)
    {
        _operation = operation;
        Backend = Backends.Get(backend);
        Random = new RandomData(seed);
        _buffers = new GuardedBuffers(Backend, aligned);
        _name = $"{operation} on {backend}, {shape}{(aligned ? ", aligned" : "")}, seed {seed}";
    }

    /// <summary>Normal data.</summary>
    public float[] Normal(long length, double deviation = 1, double mean = 0) => Random.Normal(length, deviation, mean);

    /// <summary>An input buffer.</summary>
    public BufferView In(float[] values) => _buffers.Input(values);

    /// <summary>An input buffer of indices.</summary>
    public BufferView In(int[] values) => _buffers.Input(values);

    /// <summary>An output buffer full of NaN.</summary>
    public BufferView Out(long length) => _buffers.Output(length);

    /// <summary>An output buffer with contents, to accumulate into or to alias an input.</summary>
    public BufferView InOut(float[] initial) => _buffers.Output(initial);

    /// <summary>
    /// Runs the operation twice from the same state: the results must be equal to the bit, the guard zones and inputs untouched and
    /// scratch memory returned (the first run may keep tables for the backend's life).
    /// </summary>
    public void Execute(Action<IBackend> operation)
    {
        operation(Backend);
        long live = Backend.Pool.LiveBytes;
        List<int[]> first = _buffers.ReadOutputs();
        _buffers.CheckUntouched(_name);
        _buffers.ResetOutputs();
        operation(Backend);
        List<int[]> second = _buffers.ReadOutputs();
        for (int i = 0; i < first.Count; i++) { Assert.True(first[i].AsSpan().SequenceEqual(second[i]), $"{_name}: a rerun gave other bits in output {i}"); }
        Assert.True(Backend.Pool.LiveBytes == live, $"{_name}: scratch memory was not returned");
    }

    /// <summary>Compares with the oracle's values by the operation's row of the tolerance table.</summary>
    public void Close(string what, BufferView actual, double[] expected, double? scale = null) =>
        Close(what, actual, expected, Tolerance.Of(_operation), scale);

    /// <summary>As above for values that were picked from a buffer.</summary>
    public void Close(string what, float[] actual, double[] expected, double? scale = null) =>
        Tolerance.Of(_operation).Check($"{_name}: {what}", actual, expected, scale);

    /// <summary>Compares by another row of the table.</summary>
    public void Close(string what, BufferView actual, double[] expected, Tolerance tolerance, double? scale = null) =>
        tolerance.Check($"{_name}: {what}", _buffers.Read(actual), expected, scale);

    /// <summary>Fails unless both hold the same bits.</summary>
    public void Exact(string what, BufferView actual, float[] expected)
    {
        float[] values = _buffers.Read(actual);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(BitConverter.SingleToInt32Bits(values[i]) == BitConverter.SingleToInt32Bits(expected[i]),
                $"{_name}: {what}[{i}] is {values[i]:R}, expected {expected[i]:R} exactly");
        }
    }

    /// <summary>Fails unless the words that <paramref name="outside"/> names still hold the poison of an untouched output.</summary>
    public void StillPoison(BufferView view, Func<int, bool> outside)
    {
        int[] words = _buffers.ReadWords(view);
        for (int i = 0; i < words.Length; i++)
        {
            if (outside(i)) { Assert.True(words[i] == GuardedBuffers.Poison, $"{_name}: word {i} lies between the rows and was overwritten"); }
        }
    }

    /// <summary>A buffer's floats.</summary>
    public float[] Read(BufferView view) => _buffers.Read(view);

    /// <summary>A buffer's bits.</summary>
    public int[] ReadWords(BufferView view) => _buffers.ReadWords(view);

    /// <summary>Returns the buffers.</summary>
    public void Dispose() => _buffers.Dispose();
}
