using ILGPU;
using ILGPU.Algorithms;

namespace I2M.Kernels.Ilgpu;

/// <summary>How a normalised row becomes the output: y = x̂ · (ScaleOffset + scale) + shift.</summary>
internal struct NormAffine
{
    /// <summary>0 for LayerNorm's weight, 1 for adaLN's scale and for a weight that is left out.</summary>
    public float ScaleOffset;
    public int HasScale, HasShift;
}

/// <summary>
/// Layer normalisation with a per-channel (LayerNorm) or per-sample and channel (adaLN) affine map. One group works on a row;
/// LayerNorm is adaLN with one sample.
/// </summary>
internal static class NormKernels
{
    /// <summary>Items of a group.</summary>
    public const int Items = 128;

    // Tokens that an item of BackwardAffine adds up.
    private const int ChunkTokens = 64;

    /// <summary>Chunks of tokens that <see cref="BackwardAffine"/> leaves partial sums of.</summary>
    public static int Chunks(int tokens) => (tokens + ChunkTokens - 1) / ChunkTokens;

    /// <summary>y = x̂ · (offset + scale) + shift, bfloat16 with <paramref name="narrow"/>; keeps mean and rstd.</summary>
    public static void Forward(ArrayView<float> x, ArrayView<float> scale, ArrayView<float> shift, ArrayView<float> y, ArrayView<float> mean, ArrayView<float> rstd,
        ModulationShape shape, NormAffine affine, float eps, int narrow)
    {
        var scratch = SharedMemory.Allocate<float>(Items);
        int channels = shape.Channels;
        long row = Grid.IdxX;
        long start = row * channels;
        long modulation = row / shape.Tokens * shape.Stride;
        float sum = 0f;
        for (int c = Group.IdxX; c < channels; c += Items) { sum += x[start + c]; }
        float average = GroupReduce.Sum(sum, scratch) / channels;
        float squares = 0f;
        for (int c = Group.IdxX; c < channels; c += Items)
        {
            float d = x[start + c] - average;
            squares += d * d;
        }
        float inverse = 1f / XMath.Sqrt(GroupReduce.Sum(squares, scratch) / channels + eps);
        for (int c = Group.IdxX; c < channels; c += Items)
        {
            float value = (x[start + c] - average) * inverse;
            value *= Scale(scale, modulation + c, affine);
            if (affine.HasShift != 0) { value += shift[modulation + c]; }
            Elements.Store(y, start + c, value, narrow);
        }
        if (Group.IdxX == 0)
        {
            mean[row] = average;
            rstd[row] = inverse;
        }
    }

    /// <summary>dx = (or += with accumulate) rstd · (g − mean(g) − x̂ · mean(g·x̂)) with g = dy · (offset + scale); dy is bfloat16 with <paramref name="narrow"/>.</summary>
    public static void BackwardInput(ArrayView<float> x, ArrayView<float> scale, ArrayView<float> mean, ArrayView<float> rstd, ArrayView<float> dy, ArrayView<float> dx,
        ModulationShape shape, NormAffine affine, int accumulate, int narrow)
    {
        var scratch = SharedMemory.Allocate<float>(Items);
        int channels = shape.Channels;
        long row = Grid.IdxX;
        long start = row * channels;
        long modulation = row / shape.Tokens * shape.Stride;
        float average = mean[row];
        float inverse = rstd[row];
        float sum = 0f;
        float dot = 0f;
        for (int c = Group.IdxX; c < channels; c += Items)
        {
            float g = Elements.Load(dy, start + c, narrow) * Scale(scale, modulation + c, affine);
            sum += g;
            dot += g * ((x[start + c] - average) * inverse);
        }
        float meanG = GroupReduce.Sum(sum, scratch) / channels;
        float meanGx = GroupReduce.Sum(dot, scratch) / channels;
        for (int c = Group.IdxX; c < channels; c += Items)
        {
            float g = Elements.Load(dy, start + c, narrow) * Scale(scale, modulation + c, affine);
            float normalised = (x[start + c] - average) * inverse;
            float d = inverse * (g - meanG - normalised * meanGx);
            if (accumulate != 0) { d += dx[start + c]; }
            dx[start + c] = d;
        }
    }

    /// <summary>
    /// First stage of dscale and dshift: partial sums of dy·x̂ and dy over a chunk of a sample's tokens, [batch, chunks, channels] each.
    /// One item per channel and chunk.
    /// </summary>
    public static void BackwardAffine(ArrayView<float> x, ArrayView<float> mean, ArrayView<float> rstd, ArrayView<float> dy,
        ArrayView<float> partialScale, ArrayView<float> partialShift, ModulationShape shape, int chunks, int columnGroups, int narrow)
    {
        int column = Grid.IdxX % columnGroups * Group.DimX + Group.IdxX;
        int part = Grid.IdxX / columnGroups;
        if (column >= shape.Channels) { return; }
        int chunk = part % chunks;
        int end = IntrinsicMath.Min((chunk + 1) * ChunkTokens, shape.Tokens);
        long firstRow = (long)(part / chunks) * shape.Tokens;
        float dscale = 0f;
        float dshift = 0f;
        for (int token = chunk * ChunkTokens; token < end; token++)
        {
            long row = firstRow + token;
            long element = row * shape.Channels + column;
            float g = Elements.Load(dy, element, narrow);
            dscale += g * ((x[element] - mean[row]) * rstd[row]);
            dshift += g;
        }
        long target = (long)part * shape.Channels + column;
        partialScale[target] = dscale;
        partialShift[target] = dshift;
    }

    private static float Scale(ArrayView<float> scale, long index, NormAffine affine) =>
        affine.HasScale != 0 ? affine.ScaleOffset + scale[index] : affine.ScaleOffset;
}
