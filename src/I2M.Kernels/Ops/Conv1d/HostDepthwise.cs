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
        for (int sample = 0; sample < s.Batch; sample++)
        {
            long origin = (long)sample * s.Length * s.OutChannels;
            for (int step = 0; step < s.Length; step += SumBlock)
            {
                int blockEnd = Math.Min(s.Length, step + SumBlock);
                for (int tap = 0, taps; tap < s.Kernel; tap += taps)
                {
                    taps = s.Kernel - tap >= 4 ? 4 : s.Kernel - tap == 3 ? 3 : 1;
                    AddTaps(x + origin, dy + origin, s, step, blockEnd, tap, taps, channel, count, dweight);
                }
            }
        }
    }

    /// <summary>Some taps over a block of steps: together where all of them lie inside the sequence, one by one in the few steps at its ends.</summary>
    private static void AddTaps(float* x, float* dy, Conv1dShape s, int step, int blockEnd, int tap, int taps, int channel, int count, float* dweight)
    {
        int shift = tap - s.Kernel / 2, start = Math.Clamp(-shift, step, blockEnd), end = Math.Clamp(s.Length - shift - taps + 1, start, blockEnd);
        AddSteps(x, dy, s, start, end, tap, taps, channel, count, dweight);
        for (int j = tap; j < tap + taps; j++)
        {
            shift = j - s.Kernel / 2;
            int first = Math.Clamp(-shift, step, blockEnd), last = Math.Clamp(s.Length - shift, first, blockEnd);
            AddSteps(x, dy, s, first, Math.Min(start, last), j, 1, channel, count, dweight);
            AddSteps(x, dy, s, Math.Max(end, first), last, j, 1, channel, count, dweight);
        }
    }

    /// <summary>dweight[c, tap + j] += Σ over steps [start, end) x[t + tap + j − kernel/2, c] · dy[t, c] for j &lt; taps.</summary>
    private static void AddSteps(float* x, float* dy, Conv1dShape s, int start, int end, int tap, int taps, int channel, int count, float* dweight)
    {
        if (start >= end) { return; }
        float* sums = stackalloc float[4 * TWidth.Count];
        x += (long)(start + tap - s.Kernel / 2) * s.OutChannels;
        dy += (long)start * s.OutChannels;
        dweight += tap;
        int steps = end - start, c = channel, stop = channel + count;
        for (; c + TWidth.Count <= stop; c += TWidth.Count)
        {
            if (taps == 4) { FourTaps(x + c, dy + c, steps, s.OutChannels, sums); }
            else if (taps == 3) { ThreeTaps(x + c, dy + c, steps, s.OutChannels, sums); }
            else { OneTap(x + c, dy + c, steps, s.OutChannels, sums); }
            for (int i = 0; i < TWidth.Count; i++)
            {
                for (int j = 0; j < taps; j++) { dweight[(long)(c + i) * s.Kernel + j] += sums[j * TWidth.Count + i]; }
            }
        }
        for (; c < stop; c++)
        {
            for (int j = 0; j < taps; j++)
            {
                float sum = 0;
                for (long t = c; t < (long)steps * s.OutChannels; t += s.OutChannels) { sum = MathF.FusedMultiplyAdd(x[t + (long)j * s.OutChannels], dy[t], sum); }
                dweight[(long)c * s.Kernel + j] += sum;
            }
        }
    }

    /// <summary>sums[j] = Σ_t x[t + j]·dy[t] per lane for four taps, which share the loads of dy.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourTaps(float* x, float* dy, int steps, long stride, float* sums)
    {
        TVector s0 = TWidth.Broadcast(0), s1 = s0, s2 = s0, s3 = s0;
        for (int t = 0; t < steps; t++, x += stride, dy += stride)
        {
            TVector gradient = TWidth.Load(dy);
            s0 = TWidth.MultiplyAdd(TWidth.Load(x), gradient, s0);
            s1 = TWidth.MultiplyAdd(TWidth.Load(x + stride), gradient, s1);
            s2 = TWidth.MultiplyAdd(TWidth.Load(x + 2 * stride), gradient, s2);
            s3 = TWidth.MultiplyAdd(TWidth.Load(x + 3 * stride), gradient, s3);
        }
        TWidth.Store(sums, s0);
        TWidth.Store(sums + TWidth.Count, s1);
        TWidth.Store(sums + 2 * TWidth.Count, s2);
        TWidth.Store(sums + 3 * TWidth.Count, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ThreeTaps(float* x, float* dy, int steps, long stride, float* sums)
    {
        TVector s0 = TWidth.Broadcast(0), s1 = s0, s2 = s0;
        for (int t = 0; t < steps; t++, x += stride, dy += stride)
        {
            TVector gradient = TWidth.Load(dy);
            s0 = TWidth.MultiplyAdd(TWidth.Load(x), gradient, s0);
            s1 = TWidth.MultiplyAdd(TWidth.Load(x + stride), gradient, s1);
            s2 = TWidth.MultiplyAdd(TWidth.Load(x + 2 * stride), gradient, s2);
        }
        TWidth.Store(sums, s0);
        TWidth.Store(sums + TWidth.Count, s1);
        TWidth.Store(sums + 2 * TWidth.Count, s2);
    }

    private static void OneTap(float* x, float* dy, int steps, long stride, float* sums)
    {
        TVector sum = TWidth.Broadcast(0);
        for (int t = 0; t < steps; t++, x += stride, dy += stride) { sum = TWidth.MultiplyAdd(TWidth.Load(x), TWidth.Load(dy), sum); }
        TWidth.Store(sums, sum);
    }
}
