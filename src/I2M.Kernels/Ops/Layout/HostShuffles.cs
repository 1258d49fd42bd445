using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace I2M.Kernels.Host;

/// <summary>
/// Rearrangements of words inside registers: pairs to parts and back, reversal, transposition. Plain loops do the ends, and everything on
/// processors without the instructions.
/// </summary>
internal static unsafe class HostShuffles
{
    /// <summary>(first[i], second[i]) = (pairs[2i], pairs[2i+1]).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Deinterleave(float* pairs, long count, float* first, float* second)
    {
        long i = 0;
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
        {
            Vector512<int> even = 2 * Vector512<int>.Indices, odd = even + Vector512<int>.One;
            for (; i + 16 <= count; i += 16)
            {
                Vector512<float> low = Vector512.Load(pairs + 2 * i), high = Vector512.Load(pairs + 2 * i + 16);
                Avx512F.PermuteVar16x32x2(low, even, high).Store(first + i);
                Avx512F.PermuteVar16x32x2(low, odd, high).Store(second + i);
            }
        }
        else if (Avx2.IsSupported)
        {
            for (; i + 8 <= count; i += 8)
            {
                Vector256<float> low = Vector256.Load(pairs + 2 * i), high = Vector256.Load(pairs + 2 * i + 8);
                Avx2.Permute4x64(Avx.Shuffle(low, high, 0x88).AsDouble(), 0xD8).AsSingle().Store(first + i);
                Avx2.Permute4x64(Avx.Shuffle(low, high, 0xDD).AsDouble(), 0xD8).AsSingle().Store(second + i);
            }
        }
        else if (Sse.IsSupported || AdvSimd.Arm64.IsSupported)
        {
            for (; i + 4 <= count; i += 4)
            {
                Vector128<float> low = Vector128.Load(pairs + 2 * i), high = Vector128.Load(pairs + 2 * i + 4);
                (Sse.IsSupported ? Sse.Shuffle(low, high, 0x88) : AdvSimd.Arm64.UnzipEven(low, high)).Store(first + i);
                (Sse.IsSupported ? Sse.Shuffle(low, high, 0xDD) : AdvSimd.Arm64.UnzipOdd(low, high)).Store(second + i);
            }
        }
        for (; i < count; i++) { (first[i], second[i]) = (pairs[2 * i], pairs[2 * i + 1]); }
    }

    /// <summary>(pairs[2i], pairs[2i+1]) = (first[i], second[i]).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Interleave(float* first, float* second, long count, float* pairs)
    {
        long i = 0;
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
        {
            // Index 16 and above selects from the second register.
            Vector512<int> places = Vector512<int>.Indices, low = (places >> 1) + ((places & Vector512<int>.One) << 4), high = low + Vector512.Create(8);
            for (; i + 16 <= count; i += 16)
            {
                Vector512<float> a = Vector512.Load(first + i), b = Vector512.Load(second + i);
                Avx512F.PermuteVar16x32x2(a, low, b).Store(pairs + 2 * i);
                Avx512F.PermuteVar16x32x2(a, high, b).Store(pairs + 2 * i + 16);
            }
        }
        else if (Avx.IsSupported)
        {
            for (; i + 8 <= count; i += 8)
            {
                Vector256<float> a = Vector256.Load(first + i), b = Vector256.Load(second + i), low = Avx.UnpackLow(a, b), high = Avx.UnpackHigh(a, b);
                Avx.Permute2x128(low, high, 0x20).Store(pairs + 2 * i);
                Avx.Permute2x128(low, high, 0x31).Store(pairs + 2 * i + 8);
            }
        }
        else if (Sse.IsSupported || AdvSimd.Arm64.IsSupported)
        {
            for (; i + 4 <= count; i += 4)
            {
                Vector128<float> a = Vector128.Load(first + i), b = Vector128.Load(second + i);
                (Sse.IsSupported ? Sse.UnpackLow(a, b) : AdvSimd.Arm64.ZipLow(a, b)).Store(pairs + 2 * i);
                (Sse.IsSupported ? Sse.UnpackHigh(a, b) : AdvSimd.Arm64.ZipHigh(a, b)).Store(pairs + 2 * i + 4);
            }
        }
        for (; i < count; i++) { (pairs[2 * i], pairs[2 * i + 1]) = (first[i], second[i]); }
    }

    /// <summary>destination[i] = source[count − 1 − i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Reverse(float* source, long count, float* destination)
    {
        long i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<int> down = Vector512.Create(15) - Vector512<int>.Indices;
            for (; i + 16 <= count; i += 16) { Vector512.Shuffle(Vector512.Load(source + count - 16 - i), down).Store(destination + i); }
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            for (; i + 4 <= count; i += 4) { Vector128.Shuffle(Vector128.Load(source + count - 4 - i), Vector128.Create(3, 2, 1, 0)).Store(destination + i); }
        }
        for (; i < count; i++) { destination[i] = source[count - 1 - i]; }
    }

    /// <summary>destination[c · destinationStride + r] = source[r · sourceStride + c].</summary>
    public static void Transpose(float* source, long sourceStride, long rows, long columns, float* destination, long destinationStride)
    {
        long wideRows = 0, wideColumns = 0;
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
        {
            (wideRows, wideColumns) = (rows & ~15L, columns & ~15L);
            for (long r = 0; r < wideRows; r += 16)
            {
                for (long c = 0; c < wideColumns; c += 16) { Transpose16(source + r * sourceStride + c, sourceStride, destination + c * destinationStride + r, destinationStride); }
            }
        }
        if (wideColumns < columns)
        {
            // Four columns at least, although the first of them may be done.
            long column = Math.Min(wideColumns, Math.Max(0, columns - 4));
            TransposeNarrow(source + column, sourceStride, wideRows, columns - column, destination + column * destinationStride, destinationStride);
        }
        TransposeNarrow(source + wideRows * sourceStride, sourceStride, rows - wideRows, columns, destination + wideRows, destinationStride);
    }

    /// <summary>Sixteen rows and columns, every cache line touched once: 4×4 words within the lanes, then 4×4 lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose16(float* s, long stride, float* d, long to)
    {
        FourRows(s, stride, out var a0, out var a1, out var a2, out var a3);
        FourRows(s + 4 * stride, stride, out var b0, out var b1, out var b2, out var b3);
        FourRows(s + 8 * stride, stride, out var c0, out var c1, out var c2, out var c3);
        FourRows(s + 12 * stride, stride, out var d0, out var d1, out var d2, out var d3);
        FourColumns(a0, b0, c0, d0, d, 4 * to);
        FourColumns(a1, b1, c1, d1, d + to, 4 * to);
        FourColumns(a2, b2, c2, d2, d + 2 * to, 4 * to);
        FourColumns(a3, b3, c3, d3, d + 3 * to, 4 * to);
    }

    /// <summary>Lane l of result j holds column 4l + j of the four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourRows(float* s, long stride, out Vector512<double> q0, out Vector512<double> q1, out Vector512<double> q2, out Vector512<double> q3)
    {
        Vector512<float> r0 = Vector512.Load(s), r1 = Vector512.Load(s + stride), r2 = Vector512.Load(s + 2 * stride), r3 = Vector512.Load(s + 3 * stride);
        Vector512<double> low01 = Avx512F.UnpackLow(r0, r1).AsDouble(), high01 = Avx512F.UnpackHigh(r0, r1).AsDouble();
        Vector512<double> low23 = Avx512F.UnpackLow(r2, r3).AsDouble(), high23 = Avx512F.UnpackHigh(r2, r3).AsDouble();
        (q0, q1) = (Avx512F.UnpackLow(low01, low23), Avx512F.UnpackHigh(low01, low23));
        (q2, q3) = (Avx512F.UnpackLow(high01, high23), Avx512F.UnpackHigh(high01, high23));
    }

    /// <summary>Row l of the destination is lane l of a, b, c and d.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourColumns(Vector512<double> a, Vector512<double> b, Vector512<double> c, Vector512<double> d, float* destination, long stride)
    {
        Vector512<double> ab01 = Avx512F.Shuffle4x128(a, b, 0x44), ab23 = Avx512F.Shuffle4x128(a, b, 0xEE);
        Vector512<double> cd01 = Avx512F.Shuffle4x128(c, d, 0x44), cd23 = Avx512F.Shuffle4x128(c, d, 0xEE);
        Avx512F.Shuffle4x128(ab01, cd01, 0x88).AsSingle().Store(destination);
        Avx512F.Shuffle4x128(ab01, cd01, 0xDD).AsSingle().Store(destination + stride);
        Avx512F.Shuffle4x128(ab23, cd23, 0x88).AsSingle().Store(destination + 2 * stride);
        Avx512F.Shuffle4x128(ab23, cd23, 0xDD).AsSingle().Store(destination + 3 * stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeNarrow(float* source, long sourceStride, long rows, long columns, float* destination, long destinationStride)
    {
        long r = 0, last = columns - 4;
        if (Avx.IsSupported && last >= 0)
        {
            for (; r + 8 <= rows; r += 8)
            {
                // The last four columns may overlap the four before.
                for (long i = 0; i < columns; i += 4)
                {
                    long c = Math.Min(i, last);
                    EightByFour(source + r * sourceStride + c, sourceStride, destination + c * destinationStride + r, destinationStride);
                }
            }
        }
        if ((Sse2.IsSupported || AdvSimd.Arm64.IsSupported) && last >= 0)
        {
            for (; r + 4 <= rows; r += 4)
            {
                for (long i = 0; i < columns; i += 4)
                {
                    long c = Math.Min(i, last);
                    FourByFour(source + r * sourceStride + c, sourceStride, destination + c * destinationStride + r, destinationStride);
                }
            }
        }
        for (long c = 0; c < columns; c++)
        {
            for (long i = r; i < rows; i++) { destination[c * destinationStride + i] = source[i * sourceStride + c]; }
        }
    }

    /// <summary>The two halves of a register hold rows r and r + 4, so that a 4×4 transposition of each half gives eight rows in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void EightByFour(float* s, long stride, float* d, long to)
    {
        Vector256<float> r0 = Vector256.Create(Vector128.Load(s), Vector128.Load(s + 4 * stride)), r1 = Vector256.Create(Vector128.Load(s + stride), Vector128.Load(s + 5 * stride));
        Vector256<float> r2 = Vector256.Create(Vector128.Load(s + 2 * stride), Vector128.Load(s + 6 * stride)), r3 = Vector256.Create(Vector128.Load(s + 3 * stride), Vector128.Load(s + 7 * stride));
        Vector256<double> low01 = Avx.UnpackLow(r0, r1).AsDouble(), high01 = Avx.UnpackHigh(r0, r1).AsDouble();
        Vector256<double> low23 = Avx.UnpackLow(r2, r3).AsDouble(), high23 = Avx.UnpackHigh(r2, r3).AsDouble();
        Avx.UnpackLow(low01, low23).AsSingle().Store(d);
        Avx.UnpackHigh(low01, low23).AsSingle().Store(d + to);
        Avx.UnpackLow(high01, high23).AsSingle().Store(d + 2 * to);
        Avx.UnpackHigh(high01, high23).AsSingle().Store(d + 3 * to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourByFour(float* s, long stride, float* d, long to)
    {
        Vector128<float> r0 = Vector128.Load(s), r1 = Vector128.Load(s + stride), r2 = Vector128.Load(s + 2 * stride), r3 = Vector128.Load(s + 3 * stride);
        Vector128<double> low01 = ZipLow(r0, r1).AsDouble(), high01 = ZipHigh(r0, r1).AsDouble(), low23 = ZipLow(r2, r3).AsDouble(), high23 = ZipHigh(r2, r3).AsDouble();
        Vector128.Create(low01.GetLower(), low23.GetLower()).AsSingle().Store(d);
        Vector128.Create(low01.GetUpper(), low23.GetUpper()).AsSingle().Store(d + to);
        Vector128.Create(high01.GetLower(), high23.GetLower()).AsSingle().Store(d + 2 * to);
        Vector128.Create(high01.GetUpper(), high23.GetUpper()).AsSingle().Store(d + 3 * to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipLow(Vector128<float> a, Vector128<float> b) => Sse.IsSupported ? Sse.UnpackLow(a, b) : AdvSimd.Arm64.ZipLow(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipHigh(Vector128<float> a, Vector128<float> b) => Sse.IsSupported ? Sse.UnpackHigh(a, b) : AdvSimd.Arm64.ZipHigh(a, b);
}
