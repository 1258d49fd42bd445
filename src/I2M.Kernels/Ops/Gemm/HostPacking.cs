using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace I2M.Kernels.Host;

/// <summary>
/// Copies a part of a matrix into a panel: destination[k · width + i] for the depth k and the panel's lane i, so that a micro kernel
/// reads consecutive memory whatever the layout was. Lanes beyond <c>valid</c> become zero.
/// </summary>
internal static unsafe class HostPacking
{
    /// <summary>Depth that is transposed at a time: the written part of a panel stays in L1 until all its lanes are there.</summary>
    private const int RowBlock = 128;

    /// <summary>Depth that is copied at a time: whole cache lines of the source are read once for neighbouring panels.</summary>
    private const int ColumnBlock = 16;

    /// <summary>Packs neighbouring panels of source[i · stride + k], <paramref name="panelStride"/> words apart; <paramref name="valid"/> counts all their lanes.</summary>
    public static void PackRowPanels(float* source, long stride, int valid, int depth, int width, float* destination, long panelStride)
    {
        for (int lane = 0; lane < valid; lane += width, destination += panelStride)
        {
            float* rows = source + lane * stride;
            for (int k = 0; k < depth; k += RowBlock)
            {
                PackRows(rows + k, stride, Math.Min(width, valid - lane), Math.Min(RowBlock, depth - k), width, destination + (long)k * width);
            }
        }
    }

    /// <summary>Packs neighbouring panels of source[k · stride + i], <paramref name="panelStride"/> words apart; <paramref name="valid"/> counts all their lanes.</summary>
    public static void PackColumnPanels(float* source, long stride, int valid, int depth, int width, float* destination, long panelStride)
    {
        for (int k = 0; k < depth; k += ColumnBlock)
        {
            float* panel = destination + (long)k * width;
            for (int lane = 0; lane < valid; lane += width, panel += panelStride)
            {
                PackColumns(source + k * stride + lane, stride, Math.Min(width, valid - lane), Math.Min(ColumnBlock, depth - k), width, panel);
            }
        }
    }

    /// <summary>Packs source[i · stride + k] (the depth is contiguous): a transposition.</summary>
    public static void PackRows(float* source, long stride, int valid, int depth, int width, float* destination)
    {
        int done = 0;
        if (Avx.IsSupported)
        {
            for (; done + 8 <= valid; done += 8) { Transpose8(source + done * stride, stride, depth, width, destination + done); }
        }
        for (; done + 4 <= valid; done += 4) { Transpose4(source + done * stride, stride, depth, width, destination + done); }
        for (; done < valid; done++) { CopyLane(source + done * stride, depth, width, destination + done); }
        for (; done < width; done++) { ClearLane(depth, width, destination + done); }
    }

    /// <summary>Packs source[k · stride + i] (the lanes are contiguous).</summary>
    public static void PackColumns(float* source, long stride, int valid, int depth, int width, float* destination)
    {
        for (int k = 0; k < depth; k++, source += stride, destination += width)
        {
            int i = 0;
            if (Vector256.IsHardwareAccelerated)
            {
                for (; i + 8 <= valid; i += 8) { Vector256.Load(source + i).Store(destination + i); }
            }
            for (; i + 4 <= valid; i += 4) { Vector128.Load(source + i).Store(destination + i); }
            for (; i < valid; i++) { destination[i] = source[i]; }
            for (; i < width; i++) { destination[i] = 0; }
        }
    }

    /// <summary>Eight rows at a time: the two halves of a register hold rows r and r + 4, so that a 4×4 transposition of each half gives eight lanes in order.</summary>
    private static void Transpose8(float* source, long stride, int depth, int width, float* destination)
    {
        int k = 0;
        for (; k + 4 <= depth; k += 4)
        {
            float* s = source + k;
            float* d = destination + (long)k * width;
            Vector256<float> r0 = Vector256.Create(Vector128.Load(s), Vector128.Load(s + 4 * stride));
            Vector256<float> r1 = Vector256.Create(Vector128.Load(s + stride), Vector128.Load(s + 5 * stride));
            Vector256<float> r2 = Vector256.Create(Vector128.Load(s + 2 * stride), Vector128.Load(s + 6 * stride));
            Vector256<float> r3 = Vector256.Create(Vector128.Load(s + 3 * stride), Vector128.Load(s + 7 * stride));
            Vector256<double> low01 = Avx.UnpackLow(r0, r1).AsDouble(), high01 = Avx.UnpackHigh(r0, r1).AsDouble();
            Vector256<double> low23 = Avx.UnpackLow(r2, r3).AsDouble(), high23 = Avx.UnpackHigh(r2, r3).AsDouble();
            Avx.UnpackLow(low01, low23).AsSingle().Store(d);
            Avx.UnpackHigh(low01, low23).AsSingle().Store(d + width);
            Avx.UnpackLow(high01, high23).AsSingle().Store(d + 2 * width);
            Avx.UnpackHigh(high01, high23).AsSingle().Store(d + 3 * width);
        }
        for (int i = 0; i < 8; i++) { CopyLane(source + k + i * stride, depth - k, width, destination + (long)k * width + i); }
    }

    private static void Transpose4(float* source, long stride, int depth, int width, float* destination)
    {
        int k = 0;
        for (; Sse2.IsSupported && k + 4 <= depth; k += 4)
        {
            float* s = source + k;
            float* d = destination + (long)k * width;
            Vector128<float> r0 = Vector128.Load(s), r1 = Vector128.Load(s + stride), r2 = Vector128.Load(s + 2 * stride), r3 = Vector128.Load(s + 3 * stride);
            Vector128<double> low01 = Sse.UnpackLow(r0, r1).AsDouble(), high01 = Sse.UnpackHigh(r0, r1).AsDouble();
            Vector128<double> low23 = Sse.UnpackLow(r2, r3).AsDouble(), high23 = Sse.UnpackHigh(r2, r3).AsDouble();
            Sse2.UnpackLow(low01, low23).AsSingle().Store(d);
            Sse2.UnpackHigh(low01, low23).AsSingle().Store(d + width);
            Sse2.UnpackLow(high01, high23).AsSingle().Store(d + 2 * width);
            Sse2.UnpackHigh(high01, high23).AsSingle().Store(d + 3 * width);
        }
        for (int i = 0; i < 4; i++) { CopyLane(source + k + i * stride, depth - k, width, destination + (long)k * width + i); }
    }

    private static void CopyLane(float* source, int depth, int width, float* destination)
    {
        for (int k = 0; k < depth; k++) { destination[(long)k * width] = source[k]; }
    }

    private static void ClearLane(int depth, int width, float* destination)
    {
        for (int k = 0; k < depth; k++) { destination[(long)k * width] = 0; }
    }
}
