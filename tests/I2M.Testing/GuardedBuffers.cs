using System.Runtime.InteropServices;
using I2M.Kernels;
using Xunit;

namespace I2M.Testing;

/// <summary>
/// Device buffers that catch stray reads and writes: outputs start as NaN, and zones of a known NaN pattern lie before and after
/// every buffer. A read outside poisons the result, a write outside or into an input is found by <see cref="CheckUntouched"/>.
/// Every second buffer starts off the vector alignment, unless <paramref name="aligned"/> asks for none: then devices take their kernels with vector accesses.
/// </summary>
public sealed class GuardedBuffers(IBackend backend, bool aligned = false) : IDisposable
{
    /// <summary>A quiet NaN that no arithmetic produces.</summary>
    public const int Poison = 0x7FC0BEEF;

    private const int AlignedGuard = 64, UnalignedGuard = 67;
    private readonly List<Guarded> _buffers = [];

    private sealed record Guarded(BufferView Whole, BufferView Inner, int[] Initial, bool IsOutput);

    /// <summary>An input.</summary>
    public BufferView Input(ReadOnlySpan<float> values) => Add(MemoryMarshal.Cast<float, int>(values), isOutput: false);

    /// <summary>An input of indices.</summary>
    public BufferView Input(ReadOnlySpan<int> values) => Add(values, isOutput: false);

    /// <summary>An output that the operation must fill.</summary>
    public BufferView Output(long length)
    {
        var words = new int[length];
        words.AsSpan().Fill(Poison);
        return Add(words, isOutput: true);
    }

    /// <summary>An output with contents: to accumulate into, or that is an input too.</summary>
    public BufferView Output(ReadOnlySpan<float> initial) => Add(MemoryMarshal.Cast<float, int>(initial), isOutput: true);

    /// <summary>The words of all outputs, one array per output.</summary>
    public List<int[]> ReadOutputs() => [.. _buffers.Where(b => b.IsOutput).Select(b => ReadWords(b.Inner))];

    /// <summary>Puts every output back to its initial contents.</summary>
    public void ResetOutputs()
    {
        foreach (Guarded buffer in _buffers.Where(b => b.IsOutput)) { backend.CopyFromHost(buffer.Initial, buffer.Inner); }
    }

    /// <summary>Fails when a guard zone or an input has changed.</summary>
    public void CheckUntouched(string what)
    {
        for (int number = 0; number < _buffers.Count; number++)
        {
            Guarded buffer = _buffers[number];
            int before = (int)(buffer.Inner.Offset - buffer.Whole.Offset), length = (int)buffer.Inner.Length;
            int[] words = ReadWords(buffer.Whole);
            for (int i = 0; i < words.Length; i++)
            {
                bool inside = i >= before && i < before + length;
                int expected = inside ? buffer.Initial[i - before] : Poison;
                if ((!inside || !buffer.IsOutput) && words[i] != expected)
                {
                    Assert.Fail($"{what}: {(inside ? "input" : "guard zone")} of buffer {number} was overwritten at {i - before} (length {length}): 0x{words[i]:X8}");
                }
            }
        }
    }

    /// <summary>A buffer's floats.</summary>
    public float[] Read(BufferView view)
    {
        var values = new float[view.Length];
        backend.CopyToHost(view, values);
        return values;
    }

    /// <summary>A buffer's bits.</summary>
    public int[] ReadWords(BufferView view)
    {
        var words = new int[view.Length];
        backend.CopyToHost(view, words);
        return words;
    }

    /// <summary>Returns all buffers to the pool.</summary>
    public void Dispose()
    {
        foreach (Guarded buffer in _buffers) { backend.Pool.Return(buffer.Whole); }
        _buffers.Clear();
    }

    private BufferView Add(ReadOnlySpan<int> values, bool isOutput)
    {
        int guard = aligned || _buffers.Count % 2 == 0 ? AlignedGuard : UnalignedGuard;
        var words = new int[values.Length + 2 * guard];
        words.AsSpan().Fill(Poison);
        values.CopyTo(words.AsSpan(guard));
        BufferView whole = backend.Pool.Rent(words.Length);
        backend.CopyFromHost(words, whole);
        BufferView inner = whole.Slice(guard, values.Length);
        _buffers.Add(new Guarded(whole, inner, values.ToArray(), isOutput));
        return inner;
    }
}
