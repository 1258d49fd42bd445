using ILGPU;
using ILGPU.Runtime;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// Real FFT of n samples by a complex one of h = n/2: z[m] = x[2m] + i·x[2m+1], transformed by radix-2 decimation in time within one
/// group's shared memory. The twiddle table holds cos and sin of 2πk/n for k &lt; h, interleaved.
/// </summary>
internal static class FftKernels
{
    /// <summary>The longest row: its h complex numbers are 16 KiB of shared memory.</summary>
    public const int MaxLength = 4096;

    /// <summary>A group per row. Edge and interior scale the bins.</summary>
    public static void Forward(ArrayView<float> x, ArrayView<float> twiddles, int n, int log2Half, float edge, float interior, ArrayView<float> spectrum)
    {
        ArrayView<float> z = SharedMemory.Allocate<float>(MaxLength);
        int h = n / 2;
        long row = (long)Grid.IdxX * n;
        for (int m = Group.IdxX; m < h; m += IlgpuBackend.GroupSize)
        {
            int at = 2 * Reverse(m, log2Half);
            z[at] = x[row + 2 * m];
            z[at + 1] = x[row + 2 * m + 1];
        }
        Group.Barrier();
        Butterflies(z, twiddles, h, log2Half, -1f);

        // With Z[h] = Z[0]: X[k] = E + e^(−2πik/n)·O, E = (Z[k] + conj Z[h−k])/2, O = −i·(Z[k] − conj Z[h−k])/2.
        long bins = (long)Grid.IdxX * (n + 2);
        for (int k = Group.IdxX; k <= h; k += IlgpuBackend.GroupSize)
        {
            int a = 2 * (k & (h - 1)), b = 2 * ((h - k) & (h - 1));
            float evenRe = 0.5f * (z[a] + z[b]), evenIm = 0.5f * (z[a + 1] - z[b + 1]);
            float oddRe = 0.5f * (z[a + 1] + z[b + 1]), oddIm = 0.5f * (z[b] - z[a]);
            float c = -1f, s = 0f;
            if (k < h)
            {
                c = twiddles[2 * k];
                s = -twiddles[2 * k + 1];
            }
            float scale = interior;
            if (k == 0 || k == h) { scale = edge; }
            spectrum[bins + 2 * k] = scale * (evenRe + c * oddRe - s * oddIm);
            spectrum[bins + 2 * k + 1] = scale * (evenIm + c * oddIm + s * oddRe);
        }
    }

    /// <summary>A group per row: with G the scaled Hermitian spectrum of n bins, Z[k] = G[k] + G[k+h] + i·(G[k] − G[k+h])·e^(2πik/n).</summary>
    public static void Inverse(ArrayView<float> spectrum, ArrayView<float> twiddles, int n, int log2Half, float edge, float interior, ArrayView<float> x)
    {
        ArrayView<float> z = SharedMemory.Allocate<float>(MaxLength);
        int h = n / 2;
        long bins = (long)Grid.IdxX * (n + 2);
        for (int k = Group.IdxX; k < h; k += IlgpuBackend.GroupSize)
        {
            // G[k] is half the scaled bin, as its mirror image is the other half; G[k+h] = conj G[h−k].
            float scale = 0.5f * interior;
            float aRe = scale * spectrum[bins + 2 * k], aIm = scale * spectrum[bins + 2 * k + 1];
            float bRe = scale * spectrum[bins + 2 * (h - k)], bIm = -scale * spectrum[bins + 2 * (h - k) + 1];
            if (k == 0)
            {
                aRe = edge * spectrum[bins];
                bRe = edge * spectrum[bins + 2 * h];
                aIm = 0f;
                bIm = 0f;
            }
            float c = twiddles[2 * k], s = twiddles[2 * k + 1];
            float re = aRe - bRe, im = aIm - bIm;
            int at = 2 * Reverse(k, log2Half);
            z[at] = aRe + bRe - (re * s + im * c);
            z[at + 1] = aIm + bIm + (re * c - im * s);
        }
        Group.Barrier();
        Butterflies(z, twiddles, h, log2Half, 1f);
        long row = (long)Grid.IdxX * n;
        for (int i = Group.IdxX; i < n; i += IlgpuBackend.GroupSize) { x[row + i] = z[i]; }
    }

    /// <summary>All stages over h bit-reversed complex numbers; sign −1 is the forward transform.</summary>
    private static void Butterflies(ArrayView<float> z, ArrayView<float> twiddles, int h, int log2Half, float sign)
    {
        for (int stage = 0; stage < log2Half; stage++)
        {
            int span = 1 << stage;
            for (int i = Group.IdxX; i < h / 2; i += IlgpuBackend.GroupSize)
            {
                int j = i & (span - 1);
                int a = 2 * (((i >> stage) << (stage + 1)) + j), b = a + 2 * span;
                // e^(±2πij/(2·span)); the table's unit is 1/n of a turn, n = 2h.
                int t = 2 * (j << (log2Half - stage));
                float c = twiddles[t], s = sign * twiddles[t + 1];
                float re = c * z[b] - s * z[b + 1], im = c * z[b + 1] + s * z[b];
                z[b] = z[a] - re;
                z[b + 1] = z[a + 1] - im;
                z[a] += re;
                z[a + 1] += im;
            }
            Group.Barrier();
        }
    }

    /// <summary>The lowest bits of v in the opposite order.</summary>
    private static int Reverse(int v, int bits)
    {
        uint r = (uint)v;
        r = ((r & 0x55555555u) << 1) | ((r >> 1) & 0x55555555u);
        r = ((r & 0x33333333u) << 2) | ((r >> 2) & 0x33333333u);
        r = ((r & 0x0F0F0F0Fu) << 4) | ((r >> 4) & 0x0F0F0F0Fu);
        r = ((r & 0x00FF00FFu) << 8) | ((r >> 8) & 0x00FF00FFu);
        return (int)(r & 0xFFFFu) >> (16 - bits);
    }
}
