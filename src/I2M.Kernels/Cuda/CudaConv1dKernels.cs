using System.Runtime.CompilerServices;
using ILGPU;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>The depthwise convolution of ConvNeXt blocks, 7 taps, with 16-byte accesses.</summary>
internal static class CudaConv1dKernels
{
    /// <summary>Taps.</summary>
    public const int Taps = 7;

    /// <summary>Neighbouring time steps of an item: they share the weights and all but one input each.</summary>
    public const int Steps = 4;

    /// <summary>The weights [4, 7] of four channels, as they lie in memory.</summary>
    private struct Weights
    {
        public Float4 A, B, C, D, E, F, G;
    }

    /// <summary>
    /// y[b,t,c] = bias[c] + Σ_j weight[c, j] · x[b, t + direction·(j − 3), c]: direction 1 is the forward pass, −1 the gradient of the input. An item takes
    /// four channels at four time steps; channels are a multiple of four.
    /// </summary>
    [KernelBounds(IlgpuBackend.GroupSize, MinGroups = 4)]
    public static void Depthwise(ArrayView<float> x, ArrayView<float> weight, ArrayView<float> bias, int hasBias, int direction, Conv1dShape s, ArrayView<float> y)
    {
        int perRow = s.InChannels / 4;
        int perSample = (s.Length + Steps - 1) / Steps;
        long item = GlobalIndex();
        long part = Quotient(item, perRow);
        int channel = (int)(item - part * perRow);
        long sample = Quotient(part, perSample);
        if (sample >= s.Batch) { return; }
        int time = (int)(part - sample * perSample) * Steps;
        Weights w = Load(weight.Cast<Float4>(), (long)channel * Taps);
        var offset = default(Float4);
        if (hasBias != 0) { offset = bias.Cast<Float4>()[channel]; }
        ArrayView<Float4> rows = x.Cast<Float4>(), results = y.Cast<Float4>();
        long start = sample * s.Length * perRow + channel;
        // Step k sums over inputs k to k + 6, number i of which is i − 3 time steps on; against the direction the taps change their order.
        Float4 x0 = At(rows, start, time - 3, s.Length, perRow), x1 = At(rows, start, time - 2, s.Length, perRow), x2 = At(rows, start, time - 1, s.Length, perRow);
        Float4 x3 = At(rows, start, time, s.Length, perRow), x4 = At(rows, start, time + 1, s.Length, perRow), x5 = At(rows, start, time + 2, s.Length, perRow);
        Float4 x6 = At(rows, start, time + 3, s.Length, perRow), x7 = At(rows, start, time + 4, s.Length, perRow), x8 = At(rows, start, time + 5, s.Length, perRow);
        Float4 x9 = At(rows, start, time + 6, s.Length, perRow);
        if (direction < 0) { w = Reversed(w); }
        long at = start + (long)time * perRow;
        results[at] = Sum(w, x0, x1, x2, x3, x4, x5, x6, offset);
        if (time + 1 < s.Length) { results[at + perRow] = Sum(w, x1, x2, x3, x4, x5, x6, x7, offset); }
        if (time + 2 < s.Length) { results[at + 2L * perRow] = Sum(w, x2, x3, x4, x5, x6, x7, x8, offset); }
        if (time + 3 < s.Length) { results[at + 3L * perRow] = Sum(w, x3, x4, x5, x6, x7, x8, x9, offset); }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Weights Load(ArrayView<Float4> weight, long at) => new()
    {
        A = weight[at], B = weight[at + 1], C = weight[at + 2], D = weight[at + 3], E = weight[at + 4], F = weight[at + 5], G = weight[at + 6],
    };

    /// <summary>The taps of each channel in the opposite order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Weights Reversed(Weights w) => new()
    {
        A = new Float4 { X = w.B.Z, Y = w.B.Y, Z = w.B.X, W = w.A.W },
        B = new Float4 { X = w.A.Z, Y = w.A.Y, Z = w.A.X, W = w.D.Y },
        C = new Float4 { X = w.D.X, Y = w.C.W, Z = w.C.Z, W = w.C.Y },
        D = new Float4 { X = w.C.X, Y = w.B.W, Z = w.F.X, W = w.E.W },
        E = new Float4 { X = w.E.Z, Y = w.E.Y, Z = w.E.X, W = w.D.W },
        F = new Float4 { X = w.D.Z, Y = w.G.W, Z = w.G.Z, W = w.G.Y },
        G = new Float4 { X = w.G.X, Y = w.F.W, Z = w.F.Z, W = w.F.Y },
    };

    /// <summary>The input at a time step; zero outside the sample.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 At(ArrayView<Float4> x, long start, int time, int length, int perRow)
    {
        var v = default(Float4);
        if (time >= 0 && time < length) { v = x[start + (long)time * perRow]; }
        return v;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Sum(Weights w, Float4 a, Float4 b, Float4 c, Float4 d, Float4 e, Float4 f, Float4 g, Float4 offset) => new()
    {
        X = w.A.X * a.X + w.A.Y * b.X + w.A.Z * c.X + w.A.W * d.X + w.B.X * e.X + w.B.Y * f.X + w.B.Z * g.X + offset.X,
        Y = w.B.W * a.Y + w.C.X * b.Y + w.C.Y * c.Y + w.C.Z * d.Y + w.C.W * e.Y + w.D.X * f.Y + w.D.Y * g.Y + offset.Y,
        Z = w.D.Z * a.Z + w.D.W * b.Z + w.E.X * c.Z + w.E.Y * d.Z + w.E.Z * e.Z + w.E.W * f.Z + w.F.X * g.Z + offset.Z,
        W = w.F.Y * a.W + w.F.Z * b.W + w.F.W * c.W + w.G.X * d.W + w.G.Y * e.W + w.G.Z * f.W + w.G.W * g.W + offset.W,
    };
}
