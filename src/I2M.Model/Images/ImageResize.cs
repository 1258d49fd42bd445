using System.Runtime.Intrinsics;
using I2M.Kernels;

namespace I2M.Model.Images;

/// <summary>
/// Bilinear resize whose bytes equal Pillow's <c>Image.resize(size, BILINEAR)</c>, so that a model sees here what it saw in training.
/// </summary>
/// <remarks>
/// A triangle filter, widened by the scale when shrinking (so that every source pixel counts), applied to rows and then
/// to columns. Weights are fixed-point integers with 22 fraction bits; each pass rounds to 8 bits.
/// Definition: https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c
/// </remarks>
public static class ImageResize
{
    private const int FractionBits = 22, Half = 1 << (FractionBits - 1);

    /// <summary>Resizes to <paramref name="width"/>×<paramref name="height"/>; the same picture comes back when the size fits.</summary>
    /// <exception cref="I2MException">A size is below 1, or the result too large.</exception>
    public static RgbImage Bilinear(RgbImage image, int width, int height)
    {
        if (width < 1 || height < 1 || (long)width * height > ImageLoader.MaxPixels || (long)width * image.Height > ImageLoader.MaxPixels * 4)
            throw new I2MException($"resize: {image.Width}×{image.Height} to {width}×{height}, expected 1×1 to {ImageLoader.MaxPixels:N0} pixels");
        if (image.Width != width) image = Horizontal(image, Weights.Create(image.Width, width));
        return image.Height == height ? image : Vertical(image, Weights.Create(image.Height, height));
    }

    private static RgbImage Horizontal(RgbImage image, Weights weights)
    {
        var result = new byte[weights.Outputs * image.Height * 3];
        var to = 0;
        for (var y = 0; y < image.Height; y++)
        {
            var row = image.Pixels.AsSpan(y * image.Width * 3, image.Width * 3);
            for (var x = 0; x < weights.Outputs; x++, to += 3)
            {
                var taps = weights.Taps(x);
                var source = row.Slice(weights.First[x] * 3, taps.Length * 3);
                int r = Half, g = Half, b = Half;
                for (int k = 0, s = 0; k < taps.Length; k++, s += 3)
                {
                    r += source[s] * taps[k];
                    g += source[s + 1] * taps[k];
                    b += source[s + 2] * taps[k];
                }
                // Weights are not negative and sum to 1 up to rounding, so only the upper end can be passed.
                result[to] = (byte)Math.Min(r >> FractionBits, 255);
                result[to + 1] = (byte)Math.Min(g >> FractionBits, 255);
                result[to + 2] = (byte)Math.Min(b >> FractionBits, 255);
            }
        }
        return new RgbImage(weights.Outputs, image.Height, result);
    }

    /// <summary>Each output row is a weighted sum of whole source rows, accumulated in one row of integers.</summary>
    private static RgbImage Vertical(RgbImage image, Weights weights)
    {
        var stride = image.Width * 3;
        var result = new byte[weights.Outputs * stride];
        var sums = new int[stride];
        for (var y = 0; y < weights.Outputs; y++)
        {
            Array.Fill(sums, Half);
            var taps = weights.Taps(y);
            for (var k = 0; k < taps.Length; k++) AddScaled(image.Pixels.AsSpan((weights.First[y] + k) * stride, stride), taps[k], sums);
            var row = result.AsSpan(y * stride, stride);
            for (var i = 0; i < row.Length; i++) row[i] = (byte)Math.Min(sums[i] >> FractionBits, 255);
        }
        return new RgbImage(image.Width, weights.Outputs, result);
    }

    /// <summary>sums[i] += row[i] · weight.</summary>
    private static void AddScaled(ReadOnlySpan<byte> row, int weight, Span<int> sums)
    {
        var i = 0;
        for (; i <= row.Length - 16; i += 16)
        {
            var (low, high) = Vector128.Widen(Vector128.Create(row.Slice(i, 16)));
            Add(Vector256.Create(low, high), weight, sums.Slice(i, 16));
        }
        for (; i < row.Length; i++) sums[i] += row[i] * weight;
    }

    private static void Add(Vector256<ushort> pixels, int weight, Span<int> sums)
    {
        var (low, high) = Vector256.Widen(pixels);
        (Vector256.Create<int>(sums) + low.AsInt32() * weight).CopyTo(sums);
        (Vector256.Create<int>(sums[8..]) + high.AsInt32() * weight).CopyTo(sums[8..]);
    }

    /// <summary>For every output position: the first source position and the weights from there on.</summary>
    private sealed record Weights(int[] First, int[] Count, int[] Values, int Stride)
    {
        public int Outputs => First.Length;

        public ReadOnlySpan<int> Taps(int output) => Values.AsSpan(output * Stride, Count[output]);

        public static Weights Create(int inputs, int outputs)
        {
            var scale = (double)inputs / outputs;
            var support = Math.Max(scale, 1.0);
            var stride = (int)Math.Ceiling(support) * 2 + 1;
            var weights = new Weights(new int[outputs], new int[outputs], new int[outputs * stride], stride);
            var exact = new double[stride];
            for (var i = 0; i < outputs; i++) weights.Fill(i, (i + 0.5) * scale, support, inputs, exact);
            return weights;
        }

        private void Fill(int output, double center, double support, int inputs, double[] exact)
        {
            var first = Math.Max((int)(center - support + 0.5), 0);
            var count = Math.Min((int)(center + support + 0.5), inputs) - first;
            var (sum, inverse) = (0.0, 1.0 / support);
            for (var k = 0; k < count; k++)
            {
                exact[k] = Math.Max(1 - Math.Abs((k + first - center + 0.5) * inverse), 0);
                sum += exact[k];
            }
            for (var k = 0; k < count; k++) Values[output * Stride + k] = (int)(0.5 + exact[k] / sum * (1 << FractionBits));
            (First[output], Count[output]) = (first, count);
        }
    }
}
