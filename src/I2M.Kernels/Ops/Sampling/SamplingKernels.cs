using ILGPU;
using ILGPU.Algorithms;

namespace I2M.Kernels.Ilgpu;

/// <summary>What a sampler does besides arithmetic element by element. One group works on a row.</summary>
internal static class SamplingKernels
{
    /// <summary>The largest group.</summary>
    public const int MostItems = 1024;

    /// <summary>d = r · (rescale·σ(c)/σ(r) + 1 − rescale) with r = u + scale·(c − u). The row is read three times, the last time by the item that writes it.</summary>
    [KernelBounds(MostItems)]
    public static void GuideRows(ArrayView<float> c, ArrayView<float> u, long columns, float scale, float rescale, ArrayView<float> d)
    {
        var scratch = SharedMemory.Allocate<float>(MostItems);
        long start = Grid.IdxX * columns;
        float sumC = 0f;
        float sumR = 0f;
        for (long i = Group.IdxX; i < columns; i += Group.DimX)
        {
            float x = c[start + i];
            sumC += x;
            sumR += Guided(x, u[start + i], scale);
        }
        float meanC = GroupReduce.Sum(sumC, scratch) / columns;
        float meanR = GroupReduce.Sum(sumR, scratch) / columns;
        float squaresC = 0f;
        float squaresR = 0f;
        for (long i = Group.IdxX; i < columns; i += Group.DimX)
        {
            float x = c[start + i];
            float fromC = x - meanC;
            float fromR = Guided(x, u[start + i], scale) - meanR;
            squaresC += fromC * fromC;
            squaresR += fromR * fromR;
        }
        float wanted = GroupReduce.Sum(squaresC, scratch);
        float given = GroupReduce.Sum(squaresR, scratch);
        float factor = 1f;
        if (rescale > 0f && given > 0f) { factor = rescale * XMath.Sqrt(wanted / given) + (1f - rescale); }
        for (long i = Group.IdxX; i < columns; i += Group.DimX) { d[start + i] = factor * Guided(c[start + i], u[start + i], scale); }
    }

    private static float Guided(float c, float u, float scale) => scale * c + (1f - scale) * u;
}
