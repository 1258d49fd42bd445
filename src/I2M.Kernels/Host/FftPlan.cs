using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace I2M.Kernels.Host;

/// <summary>
/// Real FFT of n = 2^p samples through one complex FFT of m = n/2 points: even samples are the real, odd ones the imaginary parts.
/// The complex FFT is Stockham's, radix 4 with a last step of radix 2 where m is no power of 4: each step reads one pair of arrays and
/// writes the other, runs of s = 4^step neighbours share a twiddle factor and fill the lanes, and the result comes out in order.
/// </summary>
internal sealed unsafe class FftPlan
{
    public const int LongestRow = 4096;
    private readonly int _n, _m;
    private readonly float[] _cosines, _sines;

    /// <summary>e^(−2πij/n) = cos − i·sin as (_cos[j], _sin[j]), rounded from double; pinned arrays.</summary>
    private readonly float* _cos, _sin;

    public FftPlan(int n)
    {
        if (n < 2 || n > LongestRow || (n & (n - 1)) != 0) { throw new ArgumentException($"FFT of {n} samples: expected a power of two from 2 to {LongestRow}.", nameof(n)); }
        (_n, _m) = (n, n / 2);
        _cosines = GC.AllocateUninitializedArray<float>(n, pinned: true);
        _sines = GC.AllocateUninitializedArray<float>(n, pinned: true);
        for (int j = 0; j < n; j++)
        {
            (double sin, double cos) = Math.SinCos(-2 * Math.PI * j / n);
            (_cosines[j], _sines[j]) = ((float)cos, (float)sin);
        }
        _cos = (float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_cosines));
        _sin = (float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_sines));
    }

    /// <summary>Words of scratch memory that a transform needs.</summary>
    public int ScratchLength => 4 * _m;

    /// <summary>
    /// spectrum[k] = s_k Σ_j x[j] e^(−2πijk/n). With Z the FFT of the packed samples: X[k] = E + e^(−2πik/n)·O,
    /// E = (Z[k] + conj Z[m−k])/2 the even samples' transform and O = (Z[k] − conj Z[m−k])/2i the odd ones'.
    /// </summary>
    public void Forward(float* x, float edge, float interior, float* spectrum, float* scratch)
    {
        float* re = scratch, im = re + _m, spareRe = im + _m, spareIm = spareRe + _m;
        for (int j = 0; j < _m; j++) { (re[j], im[j]) = (x[2 * j], x[2 * j + 1]); }
        Transform(ref re, ref im, ref spareRe, ref spareIm);
        (spectrum[0], spectrum[1]) = (edge * (re[0] + im[0]), 0);
        (spectrum[2 * _m], spectrum[2 * _m + 1]) = (edge * (re[0] - im[0]), 0);
        float half = 0.5f * interior;
        for (int k = 1; k < _m; k++)
        {
            float evenRe = re[k] + re[_m - k], evenIm = im[k] - im[_m - k], oddRe = im[k] + im[_m - k], oddIm = re[_m - k] - re[k];
            spectrum[2 * k] = half * (evenRe + (_cos[k] * oddRe - _sin[k] * oddIm));
            spectrum[2 * k + 1] = half * (evenIm + (_cos[k] * oddIm + _sin[k] * oddRe));
        }
    }

    /// <summary>
    /// x[j] = Σ_k s_k Re(X[k] e^(2πijk/n)). With Y the spectrum of all n bins (Y[k] = s_k·X[k]/2, Y[n−k] its conjugate):
    /// Z[k] = (Y[k] + Y[k+m]) + i·e^(2πik/n)·(Y[k] − Y[k+m]), and its inverse FFT is the packed samples.
    /// </summary>
    public void Inverse(float* spectrum, float edge, float interior, float* x, float* scratch)
    {
        float* re = scratch, im = re + _m, spareRe = im + _m, spareIm = spareRe + _m;
        float first = edge * spectrum[0], middle = edge * spectrum[2 * _m], half = 0.5f * interior;
        (re[0], im[0]) = (first + middle, first - middle);
        for (int k = 1; k < _m; k++)
        {
            float* low = spectrum + 2 * k, high = spectrum + 2 * (_m - k);
            float sumRe = half * (low[0] + high[0]), sumIm = half * (low[1] - high[1]);
            float differenceRe = half * (low[0] - high[0]), differenceIm = half * (low[1] + high[1]);
            re[k] = sumRe - (_cos[k] * differenceIm - _sin[k] * differenceRe);
            im[k] = sumIm + (_cos[k] * differenceRe + _sin[k] * differenceIm);
        }
        // Exchanging real and imaginary parts before and after turns a forward transform into the inverse one.
        Transform(ref im, ref re, ref spareIm, ref spareRe);
        for (int j = 0; j < _m; j++) { (x[2 * j], x[2 * j + 1]) = (re[j], im[j]); }
    }

    /// <summary>Complex FFT of m points; the arrays and their spares are exchanged after each step, so that the result is in (re, im).</summary>
    private void Transform(ref float* re, ref float* im, ref float* spareRe, ref float* spareIm)
    {
        int s = 1;
        for (; 4 * s <= _m; s *= 4)
        {
            RadixFour(re, im, spareRe, spareIm, s);
            Exchange(ref re, ref spareRe);
            Exchange(ref im, ref spareIm);
        }
        if (s == _m) { return; }
        RadixTwo(re, spareRe, s);
        RadixTwo(im, spareIm, s);
        Exchange(ref re, ref spareRe);
        Exchange(ref im, ref spareIm);
    }

    private void RadixFour(float* xr, float* xi, float* yr, float* yi, int s)
    {
        if (s >= 16 && Vector512.IsHardwareAccelerated) { RadixFour<Lanes512>(xr, xi, yr, yi, s); }
        else if (s >= 8 && Vector256.IsHardwareAccelerated) { RadixFour<Lanes256>(xr, xi, yr, yi, s); }
        else if (s >= 4 && Vector128.IsHardwareAccelerated) { RadixFour<Lanes128>(xr, xi, yr, yi, s); }
        else { RadixFour<Lanes32>(xr, xi, yr, yi, s); }
    }

    /// <summary>Butterflies of a, b, c, d a quarter of the array apart; neighbours q share the twiddle factor w = e^(−2πi·first/m).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RadixFour<V>(float* xr, float* xi, float* yr, float* yi, int s) where V : struct, ILanes<V>
    {
        int quarter = _m / 4;
        for (int first = 0; first < quarter; first += s)
        {
            int w = 2 * first;
            V w1r = V.All(_cos[w]), w1i = V.All(_sin[w]), w2r = V.All(_cos[2 * w]), w2i = V.All(_sin[2 * w]), w3r = V.All(_cos[3 * w]), w3i = V.All(_sin[3 * w]);
            for (int q = 0; q < s; q += V.Count)
            {
                int i = first + q, o = 4 * first + q;
                V ar = V.Load(xr + i), br = V.Load(xr + i + quarter), cr = V.Load(xr + i + 2 * quarter), dr = V.Load(xr + i + 3 * quarter);
                V ai = V.Load(xi + i), bi = V.Load(xi + i + quarter), ci = V.Load(xi + i + 2 * quarter), di = V.Load(xi + i + 3 * quarter);
                V acr = ar + cr, aci = ai + ci, bdr = br + dr, bdi = bi + di;
                V dacr = ar - cr, daci = ai - ci, dbdr = br - dr, dbdi = bi - di;
                (acr + bdr).Store(yr + o);
                (aci + bdi).Store(yi + o);
                StoreProduct(w1r, w1i, dacr + dbdi, daci - dbdr, yr + o + s, yi + o + s);
                StoreProduct(w2r, w2i, acr - bdr, aci - bdi, yr + o + 2 * s, yi + o + 2 * s);
                StoreProduct(w3r, w3i, dacr - dbdi, daci + dbdr, yr + o + 3 * s, yi + o + 3 * s);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreProduct<V>(V wr, V wi, V zr, V zi, float* yr, float* yi) where V : struct, ILanes<V>
    {
        V.MulAdd(wr, zr, -(wi * zi)).Store(yr);
        V.MulAdd(wr, zi, wi * zr).Store(yi);
    }

    private static void RadixTwo(float* x, float* y, int s)
    {
        ElementwiseDrivers.Apply(new Add(), x, x + s, y, s);
        ElementwiseDrivers.Apply(new ScaledDifference(1), x, x + s, y + s, s);
    }

    private static void Exchange(ref float* a, ref float* b)
    {
        float* kept = a;
        a = b;
        b = kept;
    }
}
