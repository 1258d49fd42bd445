using System.Runtime.CompilerServices;
using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// The real transforms of <see cref="FftKernels"/> for n = 1024, the size of Vocos and of the mel front end: a warp per row. The h = 512 complex numbers
/// z[m] = x[2m] + i·x[2m+1] pass through three transforms of eight in registers, two a lane, with exchanges in shared memory between them. With
/// m = j + 64r, j = j0 + 8r′ and k = k1 + 8a + 64b
/// <para>Z[k] = Σ_j0 w₈^(j0·b) · w₆₄^(j0·a) · Σ_r′ w₈^(r′·a) · w₅₁₂^(j·k1) · Σ_r w₈^(r·k1) · z[m],  w_q = e^(−2πi/q),</para>
/// read from right to left forward, from left to right inverse (an inverse transform is a forward one with real and imaginary parts exchanged before and after).
/// <para>
/// Layouts in shared memory, in complex numbers: Y[k1][j] at 66·k1 + j and U[j0][a][k1] at 72·j0 + 8·a + k1, padded so that neither side of an exchange meets
/// a bank conflict; Z[k] at k. Y and Z share memory, U has its own: no exchange overwrites what the one before it has not read yet, so one barrier each is enough.
/// </para>
/// </summary>
internal static class CudaFftKernels
{
    /// <summary>Samples of a row.</summary>
    public const int Length = 1024;

    /// <summary>Work items of a group; a warp a row.</summary>
    public const int Items = 128;

    /// <summary>Rows of a group.</summary>
    public const int Rows = Items / CudaWarp.Lanes;

    /// <summary>Complex numbers of the table of passes: w₅₁₂^(j·k1) at 64·k1 + j; w₆₄^(j0·a) is the one at 64·a + 8·j0.</summary>
    public const int PassTwiddles = 8 * Columns;

    /// <summary>Columns j of the first pass.</summary>
    public const int Columns = 64;

    private const int Half = Length / 2, Bins = Half + 1;
    private const int PitchY = 66, PitchU = 72, StartU = 8 * PitchY, WarpSlots = StartU + 8 * PitchU;

    /// <summary>Rows of samples at multiples of 16 bytes to rows of 513 bins at multiples of 8. Edge and interior scale the bins.</summary>
    /// <param name="x">[rows, 1024]</param>
    /// <param name="passes">Table of <see cref="PassTwiddles"/>.</param>
    /// <param name="turns">cos and sin of 2πk/1024 for k &lt; 512, interleaved.</param>
    /// <param name="edge">Factor of bins 0 and 512.</param>
    /// <param name="interior">Factor of the others.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="spectrum">[rows, 513, 2]</param>
    [KernelBounds(Items, MinGroups = 4)]
    public static void Forward(ArrayView<float> x, ArrayView<float> passes, ArrayView<float> turns, float edge, float interior, int rows, ArrayView<float> spectrum)
    {
        ArrayView<Float4> shared = SharedMemory.Allocate<Float4>(Rows * WarpSlots / 2);
        int lane = Group.IdxX % CudaWarp.Lanes, warp = Group.IdxX / CudaWarp.Lanes, row = Grid.IdxX * Rows + warp;
        if (row >= rows) { return; }
        ArrayView<Complex> z = shared.Cast<Complex>(), w = passes.Cast<Complex>();
        int at = warp * WarpSlots, k1 = lane % 8, j0 = lane / 8;

        var columns = ComplexColumns.Transform(ComplexColumns.Load(x.Cast<Float4>(), (long)row * (Half / 2) + lane, Columns / 2));
        ComplexColumns.Store(ComplexColumns.Twist(columns, passes.Cast<Float4>(), lane, Columns / 2), shared, at / 2 + lane, PitchY / 2);
        Warp.Barrier();
        Complex8 first = Complex8.Transform(Complex8.Load(z, at + PitchY * k1 + j0, 8)), second = Complex8.Transform(Complex8.Load(z, at + PitchY * k1 + j0 + 4, 8));
        Complex8.Store(Complex8.Twist(first, w, 8 * j0, Columns), z, at + StartU + PitchU * j0 + k1, 8);
        Complex8.Store(Complex8.Twist(second, w, 8 * j0 + 32, Columns), z, at + StartU + PitchU * (j0 + 4) + k1, 8);
        Warp.Barrier();
        first = Complex8.Transform(Complex8.Load(z, at + StartU + lane, PitchU));
        second = Complex8.Transform(Complex8.Load(z, at + StartU + lane + 32, PitchU));
        Complex8.Store(first, z, at + lane, Columns);
        Complex8.Store(second, z, at + lane + 32, Columns);
        Warp.Barrier();

        ArrayView<Complex> bins = spectrum.Cast<Complex>();
        long bin = (long)row * Bins;
        for (int k = lane; k < Half / 2; k += CudaWarp.Lanes)
        {
            // X[k] = E + v·O and X[h−k] = conj(E − v·O) with E = (Z[k] + conj Z[h−k])/2, O = −i·(Z[k] − conj Z[h−k])/2, v = e^(−2πik/n) and Z[h] = Z[0].
            Complex a = z[at + k], b = z[at + ((Half - k) & (Half - 1))], turn = turns.Cast<Complex>()[k];
            float scale = 0.5f * interior;
            if (k == 0) { scale = 0.5f * edge; }
            var even = new Complex { Re = a.Re + b.Re, Im = a.Im - b.Im };
            Complex odd = Complex.Multiply(new Complex { Re = a.Im + b.Im, Im = b.Re - a.Re }, new Complex { Re = turn.Re, Im = -turn.Im });
            bins[bin + k] = new Complex { Re = scale * (even.Re + odd.Re), Im = scale * (even.Im + odd.Im) };
            bins[bin + Half - k] = new Complex { Re = scale * (even.Re - odd.Re), Im = scale * (odd.Im - even.Im) };
        }
        if (lane != 0) { return; }
        Complex middle = z[at + Half / 2];
        bins[bin + Half / 2] = new Complex { Re = interior * middle.Re, Im = -interior * middle.Im };
    }

    /// <summary>Rows of 513 bins at multiples of 8 bytes to rows of samples at multiples of 16; see <see cref="IBackend.InverseRealFft"/>.</summary>
    [KernelBounds(Items, MinGroups = 4)]
    public static void Inverse(ArrayView<float> spectrum, ArrayView<float> passes, ArrayView<float> turns, float edge, float interior, int rows, ArrayView<float> x)
    {
        ArrayView<Float4> shared = SharedMemory.Allocate<Float4>(Rows * WarpSlots / 2);
        int lane = Group.IdxX % CudaWarp.Lanes, warp = Group.IdxX / CudaWarp.Lanes, row = Grid.IdxX * Rows + warp;
        if (row >= rows) { return; }
        ArrayView<Complex> z = shared.Cast<Complex>(), w = passes.Cast<Complex>();
        int at = warp * WarpSlots, k1 = lane % 8, j0 = lane / 8;

        FoldBins(spectrum.Cast<Complex>(), (long)row * Bins, turns.Cast<Complex>(), edge, interior, lane, z, at);
        Warp.Barrier();
        Complex8 first = Complex8.Transform(Complex8.Load(z, at + lane, Columns)), second = Complex8.Transform(Complex8.Load(z, at + lane + 32, Columns));
        Complex8.Store(first, z, at + StartU + lane, PitchU);
        Complex8.Store(second, z, at + StartU + lane + 32, PitchU);
        Warp.Barrier();
        first = Complex8.Twist(Complex8.Load(z, at + StartU + PitchU * j0 + k1, 8), w, 8 * j0, Columns);
        second = Complex8.Twist(Complex8.Load(z, at + StartU + PitchU * (j0 + 4) + k1, 8), w, 8 * j0 + 32, Columns);
        Complex8.Store(Complex8.Transform(first), z, at + PitchY * k1 + j0, 8);
        Complex8.Store(Complex8.Transform(second), z, at + PitchY * k1 + j0 + 4, 8);
        Warp.Barrier();
        ComplexColumns columns = ComplexColumns.Twist(ComplexColumns.Load(shared, at / 2 + lane, PitchY / 2), passes.Cast<Float4>(), lane, Columns / 2);
        ComplexColumns.StoreExchanged(ComplexColumns.Transform(columns), x.Cast<Float4>(), (long)row * (Half / 2) + lane, Columns / 2);
    }

    /// <summary>
    /// The complex spectrum of z with its parts exchanged: with G the scaled bins and v = e^(2πik/n), Z[k] = S + i·D and Z[h−k] = conj(S − i·D),
    /// S = G[k] + conj G[h−k], D = (G[k] − conj G[h−k])·v.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FoldBins(ArrayView<Complex> bins, long bin, ArrayView<Complex> turns, float edge, float interior, int lane, ArrayView<Complex> z, int at)
    {
        for (int k = lane; k < Half / 2; k += CudaWarp.Lanes)
        {
            Complex a = bins[bin + k], b = bins[bin + Half - k];
            // Half a bin, whose mirror image is the other half; the edges' imaginary parts do not matter.
            float scale = 0.5f * interior, aIm = scale * a.Im, bIm = scale * b.Im;
            if (k == 0)
            {
                scale = edge;
                aIm = 0f;
                bIm = 0f;
            }
            var sum = new Complex { Re = scale * (a.Re + b.Re), Im = aIm - bIm };
            Complex difference = Complex.Multiply(new Complex { Re = scale * (a.Re - b.Re), Im = aIm + bIm }, turns[k]);
            z[at + k] = new Complex { Re = sum.Im + difference.Re, Im = sum.Re - difference.Im };
            if (k != 0) { z[at + Half - k] = new Complex { Re = difference.Re - sum.Im, Im = sum.Re + difference.Im }; }
        }
        if (lane != 0) { return; }
        Complex middle = bins[bin + Half / 2];
        z[at + Half / 2] = new Complex { Re = -interior * middle.Im, Im = interior * middle.Re };
    }
}
