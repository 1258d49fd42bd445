using I2M.Kernels;

namespace I2M.Model.Vocos;

/// <summary>
/// Decodes a mel of any length as it arrives, in memory that does not grow. Every chunk is decoded together with the frames on both sides that its samples depend on
/// (<see cref="VocosVocoder.ContextFrames"/>), which are then cut off: the waveform is that of one piece, within rounding, wherever the chunks end.
/// </summary>
/// <example><code>var stream = new VocosStream(vocoder, samples => Play(samples), chunkFrames: 94);
/// while (source.Read(out float[] mel, out int frames)) { stream.Push(mel, frames); }
/// stream.Finish();</code></example>
public sealed class VocosStream
{
    /// <summary>11 s at 24 kHz and 256 samples a frame: the context is 6 % of the work.</summary>
    public const int DefaultChunkFrames = 1024;

    private readonly VocosVocoder _vocoder;
    private readonly Action<ReadOnlySpan<float>> _write;
    private readonly int _chunk, _context, _capacity;
    /// <summary>[bands, capacity]: frames already decoded that serve as context, then those to be decoded.</summary>
    private readonly float[] _held;
    private int _before, _count;

    /// <param name="vocoder">Decodes.</param>
    /// <param name="write">Takes the samples in their order; the span is valid during the call.</param>
    /// <param name="chunkFrames">Frames decoded at a time; samples come so many frames and the context late.</param>
    /// <exception cref="I2MException">The chunk is empty.</exception>
    public VocosStream(VocosVocoder vocoder, Action<ReadOnlySpan<float>> write, int chunkFrames = DefaultChunkFrames)
    {
        if (chunkFrames < 1) { throw new I2MException($"chunk: {chunkFrames} frames: expected at least 1"); }
        (_vocoder, _write, _chunk, _context) = (vocoder, write, chunkFrames, vocoder.ContextFrames);
        _capacity = _chunk + 2 * _context;
        _held = new float[vocoder.Settings.Bands * _capacity];
    }

    /// <summary>Takes the next frames. How they are divided among calls does not change what comes out.</summary>
    /// <param name="mel">[bands, frames], natural logarithm, not normalised.</param>
    /// <param name="frames">How many.</param>
    public void Push(ReadOnlySpan<float> mel, int frames)
    {
        int bands = _vocoder.Settings.Bands;
        if (mel.Length != (long)bands * frames) { throw new I2MException($"mel: {mel.Length} values: expected {bands} bands × {frames} frames"); }
        for (int taken = 0; taken < frames;)
        {
            if (_count == _capacity) { Decode(_chunk, isLast: false); } // Only when more follows: the last frames are the end's.
            int now = Math.Min(frames - taken, _capacity - _count);
            for (int b = 0; b < bands; b++) { mel.Slice(b * frames + taken, now).CopyTo(_held.AsSpan(b * _capacity + _count)); }
            (_count, taken) = (_count + now, taken + now);
        }
    }

    /// <summary>Decodes what is left. The stream can then take another mel.</summary>
    /// <exception cref="I2MException">Fewer frames came than make a sample.</exception>
    public void Finish()
    {
        if (_vocoder.Settings.SampleCount(_count) < 1) { throw new I2MException($"mel: {_count} frames: expected at least 2"); }
        Decode(_count - _before, isLast: true);
        (_before, _count) = (0, 0);
    }

    /// <summary>Decodes all that is held, writes the samples of the next frames, and lets go what is no context of those after them.</summary>
    private void Decode(int frames, bool isLast)
    {
        int bands = _vocoder.Settings.Bands, hop = _vocoder.Settings.HopLength;
        var mel = new float[bands * _count];
        for (int b = 0; b < bands; b++) { _held.AsSpan(b * _capacity, _count).CopyTo(mel.AsSpan(b * _count)); }
        ReadOnlySpan<float> wave = _vocoder.DecodeAtOnce(mel, _count);
        _write(isLast ? wave[(_before * hop)..] : wave.Slice(_before * hop, frames * hop));
        int keep = Math.Min(_context, _before + frames), drop = _before + frames - keep;
        for (int b = 0; b < bands; b++) { _held.AsSpan(b * _capacity + drop, _count - drop).CopyTo(_held.AsSpan(b * _capacity)); }
        (_before, _count) = (keep, _count - drop);
    }
}
