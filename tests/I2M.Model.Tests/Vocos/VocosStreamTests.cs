using I2M.Autograd;
using I2M.Kernels;
using I2M.Kernels.Host;
using I2M.Model.Audio;
using I2M.Model.Vocos;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Vocos;

/// <summary>Mels decoded in chunks, in batches and at once give the same sound.</summary>
public sealed class VocosStreamTests
{
    private const int Bands = 100, Hop = 256;

    [Theory]
    [InlineData("vocos_center", 1)]
    [InlineData("vocos_center", 16)]
    [InlineData("vocos_center", 100)]
    [InlineData("vocos_same", 7)]
    [InlineData("vocos_same", 64)]
    public void ChunksGiveTheSoundOfOnePiece(string name, int chunk)
    {
        using VocosVocoder vocoder = VocosLoader.Load(Host, ReferenceData.Path(name));
        const int frames = 150;
        float[] mel = Mel(frames), whole = vocoder.Decode(mel, frames);
        Assert.Equal(vocoder.Settings.SampleCount(frames), whole.Length);
        float[] streamed = Stream(vocoder, mel, frames, chunk, [frames]);
        Assert.Equal(whole.Length, streamed.Length);
        for (int i = 0; i < whole.Length; i++) { Assert.Equal(whole[i], streamed[i], 1e-5f); }
        Assert.True(whole.Max(MathF.Abs) > 0.01f, "the sound is audible, or nothing was compared");
        Assert.Equal(streamed, Stream(vocoder, mel, frames, chunk, [1, 30, 2, 77, 40]));
    }

    [Theory]
    [InlineData("vocos_center")]
    [InlineData("vocos_same")]
    public void TheContextReachesAsFarAsTheNetworkSees(string name)
    {
        using VocosVocoder vocoder = VocosLoader.Load(Host, ReferenceData.Path(name));
        const int frames = 120, at = 60;
        float[] mel = Mel(frames), before = vocoder.Decode(mel, frames);
        for (int b = 0; b < Bands; b++) { mel[b * frames + at] += 3; }
        float[] after = vocoder.Decode(mel, frames);
        int[] changed = [.. Enumerable.Range(0, before.Length).Where(i => before[i] != after[i])];
        // Samples of frame f depend on frames f − context to f + context alone, and do depend on nearly all of them.
        Assert.InRange(changed[0], (at - vocoder.ContextFrames) * Hop, (at - vocoder.ContextFrames + 3) * Hop);
        Assert.InRange(changed[^1], (at + vocoder.ContextFrames - 3) * Hop, (at + vocoder.ContextFrames + 1) * Hop - 1);
    }

    [Fact]
    public void ALongMelTakesNoMoreMemoryThanAChunk()
    {
        using var host = new HostBackend(2);
        using VocosVocoder vocoder = VocosLoader.Load(host, ReferenceData.Path("vocos_center"));
        const int few = 2 * VocosStream.DefaultChunkFrames, many = 6 * VocosStream.DefaultChunkFrames;
        float[] mel = Mel(many);
        vocoder.Decode(Cut(mel, many, few), few);
        long peak = host.Pool.PeakLiveBytes;
        float[] wave = vocoder.Decode(mel, many), whole = AtOnce(host, vocoder, mel, many);
        Assert.True(host.Pool.PeakLiveBytes > 3 * peak, "one piece takes more, or the limit below shows nothing");
        for (int i = 0; i < wave.Length; i++) { Assert.Equal(whole[i], wave[i], 1e-5f); }
        host.Pool.ResetPeaks();
        vocoder.Decode(mel, many);
        Assert.Equal(peak, host.Pool.PeakLiveBytes);
    }

    [Fact]
    public void ABatchIsDecodedAsEachAlone()
    {
        using VocosVocoder vocoder = VocosLoader.Load(Host, ReferenceData.Path("vocos_center"));
        using var scope = new TensorScope();
        float[][] mels = [Mel(40, 1), Mel(40, 2), Mel(40, 3)];
        Tensor waves = vocoder.Decode(Tensor.From(Host, [.. mels.SelectMany(m => m)], 3, Bands, 40));
        Assert.Equal([3, 39 * Hop], waves.Shape);
        float[] together = waves.ToArray();
        for (int i = 0; i < 3; i++)
        {
            float[] alone = vocoder.Decode(mels[i], 40);
            for (int s = 0; s < alone.Length; s++) { Assert.Equal(alone[s], together[i * alone.Length + s], 1e-5f); }
        }
    }

    [Fact]
    public void WhatIsNoMelIsRefused()
    {
        using VocosVocoder vocoder = VocosLoader.Load(Host, ReferenceData.Path("vocos_center"));
        Assert.Contains("chunk: 0 frames", Assert.Throws<I2MException>(() => new VocosStream(vocoder, _ => { }, 0)).Message);
        var stream = new VocosStream(vocoder, _ => { });
        Assert.Contains("expected 100 bands × 3 frames", Assert.Throws<I2MException>(() => stream.Push(new float[299], 3)).Message);
        Assert.Contains("0 frames", Assert.Throws<I2MException>(stream.Finish).Message);
        stream.Push(new float[100], 1);
        Assert.Contains("1 frames", Assert.Throws<I2MException>(stream.Finish).Message);
    }

    [Fact]
    public void ALongClipIsAnalysedAsInOnePiece()
    {
        using var analysis = new MelSpectrogram(Host, new MelSettings());
        float[] wave = new RandomData(3).Normal(9000 * Hop + 100, deviation: 0.1);
        using var scope = new TensorScope();
        float[] whole = analysis.Forward(Tensor.From(Host, wave, 1, wave.Length)).ToArray(), pieces = analysis.Compute(wave);
        Assert.Equal(whole.Length, pieces.Length);
        for (int i = 0; i < whole.Length; i++) { Assert.Equal(whole[i], pieces[i], 1e-4f); }
    }

    [Fact]
    public void GriffinLimSpeaksLongMelsInPieces()
    {
        using var vocoder = new GriffinLim(Host, new MelSettings(), iterations: 1);
        const int frames = 2300;
        float[] wave = vocoder.Decode([.. Enumerable.Repeat(-4f, Bands * frames)], frames);
        Assert.Equal((frames - 1) * Hop, wave.Length);
        // Every stretch of a quarter of a second is as loud as the whole, those where pieces meet too.
        double all = Power(wave);
        for (int start = 0; start + 6000 <= wave.Length; start += 3000) { Assert.InRange(Power(wave.AsSpan(start, 6000)) / all, 0.2, 5); }
    }

    private static float[] AtOnce(IBackend backend, VocosVocoder vocoder, float[] mel, int frames)
    {
        using var scope = new TensorScope();
        return vocoder.Decode(Tensor.From(backend, mel, 1, Bands, frames)).ToArray();
    }

    private static IBackend Host => Backends.Get("host");

    private static double Power(ReadOnlySpan<float> wave)
    {
        double sum = 0;
        foreach (float sample in wave) { sum += sample * sample; }
        return sum / wave.Length;
    }

    private static float[] Mel(int frames, ulong seed = 5) => new RandomData(seed).Normal(Bands * frames, deviation: 2, mean: -4);

    private static float[] Cut(float[] mel, int from, int to) => [.. Enumerable.Range(0, Bands).SelectMany(b => mel.Skip(b * from).Take(to))];

    private static float[] Stream(VocosVocoder vocoder, float[] mel, int frames, int chunk, int[] pushes)
    {
        List<float> wave = [];
        var stream = new VocosStream(vocoder, samples => wave.AddRange(samples), chunk);
        int done = 0;
        foreach (int count in pushes)
        {
            stream.Push([.. Enumerable.Range(0, Bands).SelectMany(b => mel.Skip(b * frames + done).Take(count))], count);
            done += count;
        }
        Assert.Equal(frames, done);
        stream.Finish();
        return [.. wave];
    }
}
