using ILGPU;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>Noise that is used where it is made.</summary>
internal static class CudaNoiseKernels
{
    /// <summary><see cref="RandomKernels.QSample"/> with 16-byte accesses: a block of Philox is a vector of four, which lies in one row.</summary>
    [KernelBounds(IlgpuBackend.GroupSize, MinGroups = 8)]
    public static void QSample(ulong seed, ulong stream, long start, int hasBatch, ArrayView<int> batch, ArrayView<float> x0, ArrayView<float> mix, long rows, long columns,
        ArrayView<float> noisy, ArrayView<float> target)
    {
        long i = GlobalIndex();
        if (4 * i >= x0.Length) { return; }
        long offset = start;
        if (hasBatch != 0) { offset += RandomKernels.BatchNumber(batch) * x0.Length; }
        Float4 x = x0.Cast<Float4>()[i];
        Float4 e = RandomKernels.NormalOf(RandomKernels.Block(seed, stream, (ulong)(offset / 4 + i)));
        long r = Quotient(4 * i, columns);
        noisy.Cast<Float4>()[i] = Mixture(mix[r], x, mix[rows + r], e);
        target.Cast<Float4>()[i] = Mixture(mix[2 * rows + r], x, mix[3 * rows + r], e);
    }

    private static Float4 Mixture(float a, Float4 x, float b, Float4 e) => new()
    {
        X = a * x.X + b * e.X,
        Y = a * x.Y + b * e.Y,
        Z = a * x.Z + b * e.Z,
        W = a * x.W + b * e.W,
    };
}
