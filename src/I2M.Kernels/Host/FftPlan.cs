using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace I2M.Kernels.Host;

/// <summary>
/// Real FFT of n = 2^p samples through one complex FFT of m = n/2 points: even samples are the real, odd ones the imaginary parts.
/// The complex FFT is Stockham's, radix 4 with a last step of radix 2: each step reads one pair of arrays and writes the other, runs of s
/// neighbours share a twiddle factor and fill the lanes, and the result comes out in order. So that no run is shorter than a register, the
/// points j = 16·a + l are transformed over a first (runs of 16), then turned by e^(−2πi·l·k/m), transposed, and transformed over l (runs of m/16).
/// </summary>
internal sealed unsafe class FftPlan
{
    public const int LongestRow = 4096;
    private const int Group = 16;
    /// <summary>Words between two scratch arrays beyond their length: arrays a multiple of 4 KiB apart would make stores wait for loads.</summary>
    private const int Gap = 16;
    private readonly int _n, _m;
    private readonly bool _grouped;
    private readonly float[] _tables;

    /// <summary>e^(−2πij/n) = cos − i·sin as (_cos[j], _sin[j]), rounded from double; pinned.</summary>
    private readonly float* _cos, _sin;

    /// <summary>e^(−2πi·l·k/m) at k·16 + l.</summary>
    private readonly float* _turnCos, _turnSin;

    public FftPlan(int n)
    {
        if (n < 2 || n > LongestRow || (n & (n - 1)) != 0) { throw new ArgumentException($"FFT of {n} samples: expected a power of two from 2 to {LongestRow}.", nameof(n)); }
        (_n, _m) = (n, n / 2);
        _grouped = _m >= 4 * Group;
        _tables = GC.AllocateUninitializedArray<float>(3 * n + Group, pinned: true);
        _cos = Align((float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_tables)));
        _sin = _cos + n;
        _turnCos = _sin + n;
        _turnSin = _turnCos + _m;
        for (int j = 0; j < n; j++)
        {
            (double sin, double cos) = Math.SinCos(-2 * Math.PI * j / n);
            (_cos[j], _sin[j]) = ((float)cos, (float)sin);
        }
        for (int i = 0; i < _m; i++)
        {
            int j = 2 * (i % Group) * (i / Group);
            (_turnCos[i], _turnSin[i]) = _grouped ? (_cos[j], _sin[j]) : (1, 0);
        }
    }

    /// <summary>Words of scratch memory that a transform needs.</summary>
    public int ScratchLength => 4 * (_m + Gap) + Group;

    /// <summary>
    /// spectrum[k] = s_k Σ_j x[j] e^(−2πijk/n). With Z the FFT of the packed samples: X[k] = E + e^(−2πik/n)·O,
    /// E = (Z[k] + conj Z[m−k])/2 the even samples' transform and O = (Z[k] − conj Z[m−k])/2i the odd ones'.
    /// </summary>
    public void Forward(float* x, float edge, float interior, float* spectrum, float* scratch)
    {
        float* re = Align(scratch), im = re + _m + Gap, spareRe = im + _m + Gap, spareIm = spareRe + _m + Gap;
        HostShuffles.Deinterleave(x, _m, re, im);
        Transform(ref re, ref im, ref spareRe, ref spareIm);
        float first = edge * (re[0] + im[0]), last = edge * (re[0] - im[0]);
        Mirror(re, re[0], spareRe);
        Mirror(im, im[0], spareIm);
        if (_m >= 16 && Vector512.IsHardwareAccelerated) { Untangle<Lanes512>(re, im, spareRe, spareIm, 0.5f * interior); }
        else if (_m >= 8 && Vector256.IsHardwareAccelerated) { Untangle<Lanes256>(re, im, spareRe, spareIm, 0.5f * interior); }
        else if (_m >= 4 && Vector128.IsHardwareAccelerated) { Untangle<Lanes128>(re, im, spareRe, spareIm, 0.5f * interior); }
        else { Untangle<Lanes32>(re, im, spareRe, spareIm, 0.5f * interior); }
        HostShuffles.Interleave(re, im, _m, spectrum);
        (spectrum[0], spectrum[1]) = (first, 0);
        (spectrum[2 * _m], spectrum[2 * _m + 1]) = (last, 0);
    }

    /// <summary>
    /// x[j] = Σ_k s_k Re(X[k] e^(2πijk/n)). With Y the spectrum of all n bins (Y[k] = s_k·X[k]/2, Y[n−k] its conjugate):
    /// Z[k] = (Y[k] + Y[k+m]) + i·e^(2πik/n)·(Y[k] − Y[k+m]), and its inverse FFT is the packed samples.
    /// </summary>
    public void Inverse(float* spectrum, float edge, float interior, float* x, float* scratch)
    {
        float* re = Align(scratch), im = re + _m + Gap, spareRe = im + _m + Gap, spareIm = spareRe + _m + Gap;
        float first = edge * spectrum[0], last = edge * spectrum[2 * _m];
        HostShuffles.Deinterleave(spectrum, _m, re, im);
        Mirror(re, 0, spareRe);
        Mirror(im, 0, spareIm);
        if (_m >= 16 && Vector512.IsHardwareAccelerated) { Tangle<Lanes512>(re, im, spareRe, spareIm, 0.5f * interior); }
        else if (_m >= 8 && Vector256.IsHardwareAccelerated) { Tangle<Lanes256>(re, im, spareRe, spareIm, 0.5f * interior); }
        else if (_m >= 4 && Vector128.IsHardwareAccelerated) { Tangle<Lanes128>(re, im, spareRe, spareIm, 0.5f * interior); }
        else { Tangle<Lanes32>(re, im, spareRe, spareIm, 0.5f * interior); }
        (re[0], im[0]) = (first + last, first - last);
        // Exchanging real and imaginary parts before and after turns a forward transform into the inverse one.
        Transform(ref im, ref re, ref spareIm, ref spareRe);
        HostShuffles.Interleave(re, im, _m, x);
    }

    /// <summary>Rounds up to a cache line.</summary>
    private static float* Align(float* words) => (float*)(((nuint)words + 63) & ~(nuint)63);

    /// <summary>mirrored[k] = values[m − k], and <paramref name="first"/> at k = 0.</summary>
    private void Mirror(float* values, float first, float* mirrored)
    {
        HostShuffles.Reverse(values + 1, _m - 1, mirrored + 1);
        mirrored[0] = first;
    }

    /// <summary>From Z and its mirror image to the bins 0 to m − 1, in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Untangle<V>(float* re, float* im, float* mirrorRe, float* mirrorIm, float half) where V : struct, ILanes<V>
    {
        V scale = V.All(half);
        for (int k = 0; k < _m; k += V.Count)
        {
            V zr = V.Load(re + k), zi = V.Load(im + k), yr = V.Load(mirrorRe + k), yi = V.Load(mirrorIm + k), cos = V.Load(_cos + k), sin = V.Load(_sin + k);
            V oddRe = zi + yi, oddIm = yr - zr;
            (scale * (zr + yr + V.MulAdd(cos, oddRe, -(sin * oddIm)))).Store(re + k);
            (scale * (zi - yi + V.MulAdd(cos, oddIm, sin * oddRe))).Store(im + k);
        }
    }

    /// <summary>From the bins 0 to m − 1 and the bins m to 1 to Z, in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Tangle<V>(float* re, float* im, float* mirrorRe, float* mirrorIm, float half) where V : struct, ILanes<V>
    {
        V scale = V.All(half);
        for (int k = 0; k < _m; k += V.Count)
        {
            V zr = V.Load(re + k), zi = V.Load(im + k), yr = V.Load(mirrorRe + k), yi = V.Load(mirrorIm + k), cos = V.Load(_cos + k), sin = V.Load(_sin + k);
            V differenceRe = zr - yr, differenceIm = zi + yi;
            (scale * (zr + yr - V.MulAdd(cos, differenceIm, -(sin * differenceRe)))).Store(re + k);
            (scale * (zi - yi + V.MulAdd(cos, differenceRe, sin * differenceIm))).Store(im + k);
        }
    }

    /// <summary>Complex FFT of m points; the arrays and their spares are exchanged after each step, so that the result is in (re, im).</summary>
    private void Transform(ref float* re, ref float* im, ref float* spareRe, ref float* spareIm)
    {
        if (!_grouped)
        {
            Steps(1, ref re, ref im, ref spareRe, ref spareIm);
            return;
        }
        Steps(Group, ref re, ref im, ref spareRe, ref spareIm);
        if (Vector512.IsHardwareAccelerated) { Turn<Lanes512>(re, im); }
        else if (Vector256.IsHardwareAccelerated) { Turn<Lanes256>(re, im); }
        else if (Vector128.IsHardwareAccelerated) { Turn<Lanes128>(re, im); }
        else { Turn<Lanes32>(re, im); }
        HostShuffles.Transpose(re, Group, _m / Group, Group, spareRe, _m / Group);
        HostShuffles.Transpose(im, Group, _m / Group, Group, spareIm, _m / Group);
        Exchange(ref re, ref spareRe);
        Exchange(ref im, ref spareIm);
        Steps(_m / Group, ref re, ref im, ref spareRe, ref spareIm);
    }

    /// <summary>A transform of m/s points for s neighbours at once.</summary>
    private void Steps(int s, ref float* re, ref float* im, ref float* spareRe, ref float* spareIm)
    {
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Turn<V>(float* re, float* im) where V : struct, ILanes<V>
    {
        for (int i = 0; i < _m; i += V.Count) { StoreProduct(V.Load(_turnCos + i), V.Load(_turnSin + i), V.Load(re + i), V.Load(im + i), re + i, im + i); }
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
