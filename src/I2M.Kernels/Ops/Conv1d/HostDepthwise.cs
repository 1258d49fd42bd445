using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

/// <summary>The loops of the depthwise convolution at any vector width.</summary>
internal static unsafe class HostDepthwise<TWidth, TVector>
    where TWidth : struct, IVectorWidth<TVector>
    where TVector : struct
{
    /// <summary>Steps summed before their sum is added to the total.</summary>
    private const int SumBlock = 128;

    /// <summary>y[i, c] = bias[c] + Σ_j taps[j, c] · x[i + j − kernel/2, c] for the steps [start, end) of all sequences in a row.</summary>
    public static void Steps(float* x, float* taps, float* bias, Conv1dShape s, long start, long end, float* y)
    {
        int channels = s.OutChannels, margin = s.Kernel / 2;
        for (long i = start; i < end;)
        {
            int step = (int)(i % s.Length);
            bool four = i + 4 <= end && step >= margin && step + 3 + margin < s.Length;
            if (four)
            {
                FourSteps(x + (i - margin) * channels, taps, bias, s.Kernel, channels, y + i * channels);
                i += 4;
                continue;
            }
            int first = Math.Max(0, margin - step), last = Math.Min(s.Kernel, s.Length - step + margin);
            OneStep(x + (i - margin) * channels, taps, bias, first, last, channels, y + i * channels);
            i++;
        }
    }

    /// <summary>Four steps share the loads of the taps; x points at the first step's first tap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourSteps(float* x, float* taps, float* bias, int kernel, int channels, float* y)
    {
        int c = 0;
        for (; c + TWidth.Count <= channels; c += TWidth.Count)
        {
            TVector y0 = bias is null ? TWidth.Broadcast(0) : TWidth.Load(bias + c), y1 = y0, y2 = y0, y3 = y0;
            float* row = x + c;
            for (int j = 0; j < kernel; j++, row += channels)
            {
                TVector tap = TWidth.Load(taps + (long)j * channels + c);
                y0 = TWidth.MultiplyAdd(tap, TWidth.Load(row), y0);
                y1 = TWidth.MultiplyAdd(tap, TWidth.Load(row + channels), y1);
                y2 = TWidth.MultiplyAdd(tap, TWidth.Load(row + 2 * channels), y2);
                y3 = TWidth.MultiplyAdd(tap, TWidth.Load(row + 3 * channels), y3);
            }
            TWidth.Store(y + c, y0);
            TWidth.Store(y + channels + c, y1);
            TWidth.Store(y + 2 * channels + c, y2);
            TWidth.Store(y + 3 * channels + c, y3);
        }
        for (int step = 0; step < 4; step++) { Tail(x + step * channels, taps, bias, 0, kernel, c, channels, y + step * channels); }
    }

    /// <summary>A step of which only the taps [first, last) lie inside the sequence.</summary>
    private static void OneStep(float* x, float* taps, float* bias, int first, int last, int channels, float* y)
    {
        int c = 0;
        for (; c + TWidth.Count <= channels; c += TWidth.Count)
        {
            TVector sum = bias is null ? TWidth.Broadcast(0) : TWidth.Load(bias + c);
            for (int j = first; j < last; j++) { sum = TWidth.MultiplyAdd(TWidth.Load(taps + (long)j * channels + c), TWidth.Load(x + (long)j * channels + c), sum); }
            TWidth.Store(y + c, sum);
        }
        Tail(x, taps, bias, first, last, c, channels, y);
    }

    private static void Tail(float* x, float* taps, float* bias, int first, int last, int channel, int channels, float* y)
    {
        for (int c = channel; c < channels; c++)
        {
            float sum = bias is null ? 0 : bias[c];
            for (int j = first; j < last; j++) { sum = MathF.FusedMultiplyAdd(taps[(long)j * channels + c], x[(long)j * channels + c], sum); }
            y[c] = sum;
        }
    }

    /// <summary>dweight[c, j] += Σ over sequences and steps x[t + j − kernel/2, c] · dy[t, c] for some channels, block of steps after block.</summary>
    public static void AddWeightGradient(float* x, float* dy, Conv1dShape s, int channel, int count, float* dweight)
    {
        float* sums = stackalloc float[TWidth.Count];
        for (int sample = 0; sample < s.Batch; sample++)
        {
            for (int step = 0; step < s.Length; step += SumBlock)
            {
                int blockEnd = Math.Min(s.Length, step + SumBlock);
                for (int j = 0; j < s.Kernel; j++)
                {
                    int shift = j - s.Kernel / 2, start = Math.Max(step, -shift), end = Math.Min(blockEnd, s.Length - shift);
                    if (start >= end) { continue; }
                    long first = (long)sample * s.Length + start;
                    AddTap(x + (first + shift) * s.OutChannels, dy + first * s.OutChannels, end - start, s.OutChannels, channel, count, dweight + j, s.Kernel, sums);
                }
            }
        }
    }

    private static void AddTap(float* x, float* dy, int steps, int stride, int channel, int count, float* dweight, int kernel, float* sums)
    {
        int c = channel, end = channel + count;
        for (; c + TWidth.Count <= end; c += TWidth.Count)
        {
            TWidth.Store(sums, Product(x + c, dy + c, steps, stride));
            for (int i = 0; i < TWidth.Count; i++) { dweight[(long)(c + i) * kernel] += sums[i]; }
        }
        for (; c < end; c++)
        {
            float sum = 0;
            for (int t = 0; t < steps; t++) { sum = MathF.FusedMultiplyAdd(x[(long)t * stride + c], dy[(long)t * stride + c], sum); }
            dweight[(long)c * kernel] += sum;
        }
    }

    /// <summary>Σ_t x[t]·dy[t] per lane with four independent sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static TVector Product(float* x, float* dy, int steps, int stride)
    {
        TVector s0 = TWidth.Broadcast(0), s1 = s0, s2 = s0, s3 = s0;
        long step = stride;
        int t = 0;
        for (; t + 4 <= steps; t += 4, x += 4 * step, dy += 4 * step)
        {
            s0 = TWidth.MultiplyAdd(TWidth.Load(x), TWidth.Load(dy), s0);
            s1 = TWidth.MultiplyAdd(TWidth.Load(x + step), TWidth.Load(dy + step), s1);
            s2 = TWidth.MultiplyAdd(TWidth.Load(x + 2 * step), TWidth.Load(dy + 2 * step), s2);
            s3 = TWidth.MultiplyAdd(TWidth.Load(x + 3 * step), TWidth.Load(dy + 3 * step), s3);
        }
        for (; t < steps; t++, x += step, dy += step) { s0 = TWidth.MultiplyAdd(TWidth.Load(x), TWidth.Load(dy), s0); }
        return TWidth.Add(TWidth.Add(s0, s1), TWidth.Add(s2, s3));
    }
}
