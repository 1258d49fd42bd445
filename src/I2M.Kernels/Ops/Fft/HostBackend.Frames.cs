using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace I2M.Kernels.Host;

/// <summary>
/// Framing and overlap-add. Sums over frames run over chunks of samples: a chunk goes through the frames that touch it in their order,
/// so every sample receives its terms in the same order on any number of threads.
/// </summary>
public sealed unsafe partial class HostBackend
{
    private const long SampleChunk = 8192;
    private const float SmallestEnvelope = 1e-11f;

    /// <inheritdoc cref="IBackend.Frame"/>
    public void Frame(BufferView wave, BufferView window, FrameShape shape, BufferView frames)
    {
        RequireFrames(wave, window, shape, frames);
        float* pw = Pointer(wave), pv = Pointer(window), pf = Pointer(frames);
        _rows.Run((long)shape.Batch * shape.Frames, RowGrain(MemoryGrain, shape.Size), (start, end) =>
        {
            for (long r = start; r < end; r++)
            {
                float* samples = pw + r / shape.Frames * shape.Samples, frame = pf + r * shape.Size;
                long origin = r % shape.Frames * shape.Hop - shape.Pad;
                long first = Math.Clamp(-origin, 0, shape.Size), last = Math.Clamp(shape.Samples - origin, first, shape.Size);
                for (long j = 0; j < first; j++) { frame[j] = Weight(pv, j) * samples[Reflect(origin + j, shape.Samples)]; }
                if (pv is null) { Move(samples + (origin + first), frame + first, last - first); }
                else { ElementwiseDrivers.Apply(new Product(), pv + first, samples + (origin + first), frame + first, last - first); }
                for (long j = last; j < shape.Size; j++) { frame[j] = Weight(pv, j) * samples[Reflect(origin + j, shape.Samples)]; }
            }
        });
    }

    /// <inheritdoc cref="IBackend.FrameBackward"/>
    public void FrameBackward(BufferView dframes, BufferView window, FrameShape shape, BufferView dwave)
    {
        RequireFrames(dwave, window, shape, dframes);
        float* pw = Pointer(dwave), pv = Pointer(window), pf = Pointer(dframes);
        RunSampleChunks(shape.Batch, shape.Samples, (b, start, end) =>
        {
            float* samples = pw + b * shape.Samples;
            Zero(samples + start, end - start);
            for (long f = 0; f < shape.Frames; f++)
            {
                float* frame = pf + (b * shape.Frames + f) * shape.Size;
                long origin = f * shape.Hop - shape.Pad;
                AddFrame(frame, pv, shape.Size, origin, start, end, samples);
                // Before the first sample a frame mirrors samples 1 to pad, after the last one, as long as once is enough, as many before the end.
                long before = Math.Clamp(-origin, 0, shape.Size), after = Math.Clamp(shape.Samples - origin, before, shape.Size), mirrored = 2L * (shape.Samples - 1) - (origin + shape.Size - 1);
                if (start <= shape.Pad) { AddMirrored(frame, pv, 0, before, origin, shape.Samples, start, end, samples); }
                if (mirrored < end) { AddMirrored(frame, pv, after, shape.Size, origin, shape.Samples, start, end, samples); }
            }
        });
    }

    /// <inheritdoc cref="IBackend.OverlapAdd"/>
    public void OverlapAdd(BufferView frames, BufferView window, OverlapAddShape shape, BufferView wave)
    {
        RequireOverlap(frames, window, shape, wave);
        using var scope = new BufferScope(Pool);
        float* pw = Pointer(wave), pv = Pointer(window.IsNone ? Ones(scope.Rent(shape.Size)) : window), pf = Pointer(frames);
        RunSampleChunks(shape.Batch, shape.Samples, (b, start, end) =>
        {
            for (long s = start, until; s < end; s = until)
            {
                // Samples [s, until) lie under the same frames [first, last).
                long place = s + shape.Trim, first = place < shape.Size ? 0 : (place - shape.Size) / shape.Hop + 1, last = Math.Min(shape.Frames, place / shape.Hop + 1);
                until = last < shape.Frames ? Math.Min(end, last * shape.Hop - shape.Trim) : end;
                if (first < last) { until = Math.Min(until, first * shape.Hop + shape.Size - shape.Trim); }
                long j = place - first * shape.Hop;
                AddOverlaps(pf + (b * shape.Frames + first) * shape.Size + j, pv + j, last - first, shape.Size - shape.Hop, shape.Hop, until - s, pw + b * shape.Samples + s);
            }
        });
    }

    /// <inheritdoc cref="IBackend.OverlapAddBackward"/>
    public void OverlapAddBackward(BufferView dwave, BufferView window, OverlapAddShape shape, BufferView dframes)
    {
        RequireOverlap(dframes, window, shape, dwave);
        using var scope = new BufferScope(Pool);
        float* envelope = Envelope(window, shape, scope.Rent(shape.Samples));
        float* pw = Pointer(dwave), pv = Pointer(window), pf = Pointer(dframes), quotients = Pointer(scope.Rent(dwave.Length));
        RunSampleChunks(shape.Batch, shape.Samples, (b, start, end) =>
            ElementwiseDrivers.Apply(new EnvelopeQuotient(), pw + b * shape.Samples + start, envelope + start, quotients + b * shape.Samples + start, end - start));
        _rows.Run((long)shape.Batch * shape.Frames, RowGrain(MemoryGrain, shape.Size), (start, end) =>
        {
            for (long r = start; r < end; r++)
            {
                float* samples = quotients + r / shape.Frames * shape.Samples, frame = pf + r * shape.Size;
                long origin = r % shape.Frames * shape.Hop - shape.Trim;
                long first = Math.Clamp(-origin, 0, shape.Size), last = Math.Clamp(shape.Samples - origin, first, shape.Size);
                Zero(frame, first);
                if (pv is null) { Move(samples + (origin + first), frame + first, last - first); }
                else { ElementwiseDrivers.Apply(new Product(), pv + first, samples + (origin + first), frame + first, last - first); }
                Zero(frame + last, shape.Size - last);
            }
        });
    }

    /// <summary>wave[i] = Σ window·frame / Σ window² over <paramref name="frames"/> frames, both sums in registers; the next frame lies a step on, its window a hop back.</summary>
    private static void AddOverlaps(float* frame, float* window, long frames, long step, long hop, long count, float* wave)
    {
        long i = 0;
        if (Vector512.IsHardwareAccelerated) { i = AddOverlaps<Lanes512>(frame, window, frames, step, hop, i, count, wave); }
        else if (Vector256.IsHardwareAccelerated) { i = AddOverlaps<Lanes256>(frame, window, frames, step, hop, i, count, wave); }
        else if (Vector128.IsHardwareAccelerated) { i = AddOverlaps<Lanes128>(frame, window, frames, step, hop, i, count, wave); }
        AddOverlaps<Lanes32>(frame, window, frames, step, hop, i, count, wave);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long AddOverlaps<V>(float* frame, float* window, long frames, long step, long hop, long i, long count, float* wave) where V : struct, ILanes<V>
    {
        for (; i <= count - V.Count; i += V.Count)
        {
            V sum = V.All(0f), envelope = sum;
            float* f = frame + i, w = window + i;
            for (long k = 0; k < frames; k++, f += step, w -= hop)
            {
                V weight = V.Load(w);
                sum = V.MulAdd(weight, V.Load(f), sum);
                envelope = V.MulAdd(weight, weight, envelope);
            }
            V.WhereLess(envelope, V.All(SmallestEnvelope), V.All(0f), sum / envelope).Store(wave + i);
        }
        return i;
    }

    private static BufferView Ones(BufferView scratch)
    {
        Span(scratch).Fill(1);
        return scratch;
    }

    /// <summary>The squared windows' sum under each sample.</summary>
    private float* Envelope(BufferView window, OverlapAddShape shape, BufferView scratch)
    {
        float* envelope = Pointer(scratch), pv = Pointer(window);
        RunSampleChunks(1, shape.Samples, (_, start, end) =>
        {
            Zero(envelope + start, end - start);
            var (first, last) = FramesTouching(shape, start, end);
            for (long f = first; f < last; f++)
            {
                long origin = f * shape.Hop - shape.Trim, from = Math.Max(start, origin), count = Math.Min(end, origin + shape.Size) - from;
                if (count <= 0) { continue; }
                if (pv is null) { ElementwiseDrivers.Apply(new Plus(1), envelope + from, envelope + from, count); }
                else { ElementwiseDrivers.Apply(new MultiplyAdd(), pv + (from - origin), pv + (from - origin), envelope + from, envelope + from, count); }
            }
        });
        return envelope;
    }

    /// <summary>Frames that may reach into samples [start, end).</summary>
    private static (long First, long Last) FramesTouching(OverlapAddShape shape, long start, long end) =>
        (Math.Clamp((start + shape.Trim - shape.Size) / shape.Hop, 0, shape.Frames), Math.Clamp((end - 1 + shape.Trim) / shape.Hop + 1, 0, shape.Frames));

    /// <summary>samples[origin + j] += window[j] · frame[j] where that lies in [start, end).</summary>
    private static void AddFrame(float* frame, float* window, long size, long origin, long start, long end, float* samples)
    {
        long from = Math.Max(start, origin), count = Math.Min(end, origin + size) - from, j = from - origin;
        if (count <= 0) { return; }
        if (window is null) { AddTo(frame + j, samples + from, count); }
        else { ElementwiseDrivers.Apply(new MultiplyAdd(), window + j, frame + j, samples + from, samples + from, count); }
    }

    /// <summary>The same for the part [first, last) of a frame that lies before the first or after the last sample and is mirrored.</summary>
    private static void AddMirrored(float* frame, float* window, long first, long last, long origin, long length, long start, long end, float* samples)
    {
        for (long j = first; j < last; j++)
        {
            long s = Reflect(origin + j, length);
            if (s >= start && s < end) { samples[s] += Weight(window, j) * frame[j]; }
        }
    }

    private static float Weight(float* window, long j) => window is null ? 1 : window[j];

    /// <summary>The sample that position t reads: mirrored at both ends without repeating them, as often as needed.</summary>
    private static long Reflect(long t, long samples)
    {
        if (samples == 1) { return 0; }
        long period = 2 * (samples - 1), place = (t % period + period) % period;
        return Math.Min(place, period - place);
    }

    private void RunSampleChunks(long batch, long samples, Action<long, long, long> body)
    {
        long chunks = (samples + SampleChunk - 1) / SampleChunk;
        _rows.Run(batch * chunks, RowGrain(SampleChunk, Math.Min(samples, SampleChunk)), (start, end) =>
        {
            for (long c = start; c < end; c++)
            {
                long first = c % chunks * SampleChunk;
                body(c / chunks, first, Math.Min(samples, first + SampleChunk));
            }
        });
    }

    private static void RequireFrames(BufferView wave, BufferView window, FrameShape shape, BufferView frames)
    {
        if (shape.Samples <= shape.Pad) { throw new ArgumentException($"{shape.Samples} samples cannot be mirrored by {shape.Pad}.", nameof(shape)); }
        RequireLength((long)shape.Batch * shape.Samples, wave);
        RequireLength((long)shape.Batch * shape.Frames * shape.Size, frames);
        if (!window.IsNone) { RequireLength(shape.Size, window); }
    }

    private static void RequireOverlap(BufferView frames, BufferView window, OverlapAddShape shape, BufferView wave)
    {
        if (shape.Hop <= 0) { throw new ArgumentException($"The hop is {shape.Hop}, expected at least 1.", nameof(shape)); }
        RequireLength((long)shape.Batch * shape.Samples, wave);
        RequireLength((long)shape.Batch * shape.Frames * shape.Size, frames);
        if (!window.IsNone) { RequireLength(shape.Size, window); }
    }

    /// <summary>x / envelope, 0 where the envelope is next to nothing.</summary>
    private readonly struct EnvelopeQuotient : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x, V envelope) where V : struct, ILanes<V> => V.WhereLess(envelope, V.All(SmallestEnvelope), V.All(0f), x / envelope);
    }

    /// <summary>x + a.</summary>
    private readonly struct Plus(float a) : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x) where V : struct, ILanes<V> => x + V.All(a);
    }
}
