using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Benchmarks.Reference;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>Weights that let every part of a network count: initial values would switch whole branches off (adaLN-Zero) and hide errors in them.</summary>
internal static class RandomWeights
{
    private const ulong Stream = 9UL << 32;

    /// <summary>Matrices and kernels get variance 1/fan-in, positions deviation ½, vectors their initial value plus a tenth of a normal number.</summary>
    public static void Fill(ParameterArena arena)
    {
        IBackend backend = arena.Backend;
        for (int i = 0; i < arena.Entries.Count; i++)
        {
            ParameterArena.Entry entry = arena.Entries[i];
            int[] shape = entry.Parameter.Shape;
            BufferView values = arena.Values.Slice(entry.Offset, entry.Parameter.Length);
            using var scope = new BufferScope(backend.Pool);
            BufferView random = scope.Rent(values.Length);
            backend.RandomNormal(1, Stream + (ulong)i, 0, random);
            if (shape.Length == 1) { backend.Axpby(1, values, 0.1f, random, values); }
            else { backend.Scale(shape[0] == 1 ? 0.5f : 1 / MathF.Sqrt(entry.Parameter.Length / shape[0]), random, values); }
        }
    }

    /// <summary>All weights in double, by name.</summary>
    public static Dictionary<string, double[]> Widen(ParameterArena arena) =>
        arena.Entries.ToDictionary(e => e.Name, e => DoubleMath.Widen(arena.Read(e, arena.Values)), StringComparer.Ordinal);

    /// <summary>Normal numbers on the host.</summary>
    public static float[] Normal(IBackend backend, ulong stream, int length)
    {
        using var scope = new BufferScope(backend.Pool);
        BufferView view = scope.Rent(length);
        backend.RandomNormal(1, Stream + stream, 0, view);
        var data = new float[length];
        backend.CopyToHost(view, data);
        return data;
    }
}
