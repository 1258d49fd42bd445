using I2M.Autograd;
using I2M.Kernels;
using I2M.Kernels.Host;
using I2M.Model.Audio;
using I2M.Model.Data.Speech;
using I2M.Model.Training;
using I2M.Model.Vocos;
using I2M.Model.Vocos.Training;
using Xunit;

namespace I2M.Model.Tests.Vocos;

/// <summary>Sound files, crops, runs that stop and resume, and the judge.</summary>
public sealed class VocoderRunTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("i2m-vocoder-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void CropsDependOnTheSampleAlone()
    {
        string sounds = Sounds();
        SpeechFolder whole = new(sounds, 24_000, 0.3, 5), parts = new(sounds, 24_000, 0.3, 5);
        float[] batch = new float[6 * 4096], first = new float[2 * 4096], rest = new float[4 * 4096];
        whole.Fill(0, 4096, batch);
        parts.Fill(2, 4096, rest);
        parts.Fill(0, 4096, first);
        float[] joined = [.. first, .. rest];
        Assert.Equal(batch, joined);
        Assert.Single(whole.Eval);
        Assert.Equal(3, whole.Train.Count);
        Assert.Empty(whole.Eval.Intersect(whole.Train));
        Assert.InRange(batch.Max(MathF.Abs), 0.01f, 0.892f); // −1 dB of full scale
        Speak(Path.Combine(sounds, "below"), 1);
        Assert.NotEqual(whole.Identity, new SpeechFolder(sounds, 24_000, 0.3, 5).Identity);
    }

    [Fact]
    public void AugmentedCropsDependOnTheSampleAloneAndStaySound()
    {
        string sounds = Sounds();
        SpeechFolder plain = new(sounds, 24_000, 0.3, 5), some = new(sounds, 24_000, 0.3, 5, augment: 0.5), again = new(sounds, 24_000, 0.3, 5, augment: 0.5);
        const int Crops = 40, Length = 4096; // half of them changed
        float[] batch = new float[Crops * Length], same = new float[20 * Length], unchanged = new float[Crops * Length];
        plain.Fill(0, Length, unchanged);
        some.Fill(0, Length, batch);
        again.Fill(20, Length, same);
        Assert.Equal(batch[(20 * Length)..], same);
        Assert.NotEqual(batch, unchanged);
        Assert.All(batch, v => Assert.InRange(v, -0.892f, 0.892f)); // −1 dB of full scale; NaN is in no range
    }

    [Fact]
    public void AFolderWithoutSoundsIsRefused()
    {
        Assert.Contains("no such folder", Assert.Throws<I2MException>(() => new SpeechFolder(Path.Combine(_folder, "none"), 24_000, 0.1, 1)).Message);
        Assert.Contains("0 sound files", Assert.Throws<I2MException>(() => new SpeechFolder(_folder, 24_000, 0.1, 1)).Message);
    }

    [Fact]
    public void AResumedRunIsTheSameToTheBit()
    {
        string sounds = Sounds();
        VocoderConfig config = VocoderTrainerTests.Tiny with { Steps = 6, SaveEvery = 3, ValidateEvery = 3, Seed = 5, EvalFraction = 0.3, DiscriminatorStart = 2, DiscriminatorWidth = 0.03125 };
        RunFolder whole = new(Path.Combine(_folder, "whole")), cut = new(Path.Combine(_folder, "cut"));
        VocoderRunResult straight = Run(config, sounds, whole, new RunOptions());
        Assert.False(Run(config, sounds, cut, new RunOptions(StopAtStep: 4)).Finished);
        Assert.Contains("--resume", Assert.Throws<I2MException>(() => Run(config, sounds, cut, new RunOptions())).Message);
        VocoderRunResult resumed = Run(config, sounds, cut, new RunOptions(Resume: true));
        Assert.True(straight.Finished && resumed.Finished);
        Assert.Equal(File.ReadAllBytes(straight.Checkpoint), File.ReadAllBytes(resumed.Checkpoint));
        Assert.Equal(File.ReadAllBytes(straight.Vocoder), File.ReadAllBytes(resumed.Vocoder));
        Assert.Equal(3, Directory.GetFiles(Path.Combine(cut.Path, "samples", "step-000006")).Length);
        string handed = Path.Combine(_folder, "handed.safetensors");
        VocoderCard card = VocoderExport.Weights(whole, handed);
        Assert.Equal(File.ReadAllBytes(straight.Vocoder), File.ReadAllBytes(handed));
        Assert.Equal((6, 5ul, new FileInfo(handed).Length), (card.Step, card.Config.Seed, card.Bytes));
        VocoderExport.WriteCard(handed, card);
        Assert.Contains(card.Sha256, File.ReadAllText(Path.Combine(_folder, "handed.json")));
        Assert.Equal(8, File.ReadLines(cut.LogPath).Count()); // six steps and two validations
        Assert.Contains("settings", Assert.Throws<I2MException>(() => Run(config with { LearningRate = 1e-3 }, sounds, cut, new RunOptions(Resume: true))).Message);
        Speak(sounds, 9);
        Assert.Contains("other sound files", Assert.Throws<I2MException>(() => Run(config, sounds, cut, new RunOptions(Resume: true))).Message);
    }

    [Fact]
    public void TheWrittenVocoderDecodesAndIsJudged()
    {
        string sounds = Sounds();
        VocoderConfig config = VocoderTrainerTests.Tiny with { Steps = 2 };
        VocoderRunResult result = Run(config, sounds, new RunFolder(Path.Combine(_folder, "run")), new RunOptions());
        using var backend = new HostBackend();
        using VocosVocoder vocoder = VocosLoader.Load(backend, result.Vocoder);
        Assert.Null(vocoder.Settings.DifferenceTo(config.Model.Mel));
        using var judge = new VocoderJudge(backend, vocoder.Settings, SpeechFolder.Find(sounds).Select(f => f.FullName), 0.5);
        var heard = new List<DecodedClip>();
        VocoderScore score = judge.Score(vocoder, (_, clip) => heard.Add(clip), TestContext.Current.CancellationToken);
        Assert.Equal(4, score.Clips);
        Assert.All(heard, clip => Assert.Equal(clip.Wave.Length, clip.Decoded.Length));
        Assert.True(score.MeanAbsoluteError > 0 && score.LogSpectralDistance > 0);
        VocoderScore perfect = judge.Score(new Echo(vocoder.Settings, heard), cancel: TestContext.Current.CancellationToken);
        Assert.Equal(0, perfect.MeanAbsoluteError + perfect.LogSpectralDistance);
    }

    [Fact]
    public void SilentHeldOutSoundsHaveNoCorrelationAndDoNotEndTheRun()
    {
        string sounds = Path.Combine(_folder, "silence");
        Directory.CreateDirectory(sounds);
        for (int i = 0; i < 4; i++) { WavFile.Write(Path.Combine(sounds, $"{i}.wav"), new AudioClip(new float[12_000], 24_000)); }
        var folder = new RunFolder(Path.Combine(_folder, "run"));
        VocoderRunResult result = Run(VocoderTrainerTests.Tiny with { Steps = 2, ValidateEvery = 1, EvalFraction = 0.5 }, sounds, folder, new RunOptions());
        Assert.True(result.Finished);
        Assert.Contains("\"correlation\":null", File.ReadAllText(folder.LogPath));
    }

    [Fact]
    public void ADamagedSoundIsRefusedByName()
    {
        string sounds = Sounds();
        File.WriteAllText(Path.Combine(sounds, "bad.wav"), "no sound");
        var e = Assert.ThrowsAny<I2MException>(() => Run(VocoderTrainerTests.Tiny with { Steps = 9, EvalFraction = 0 }, sounds, new RunFolder(Path.Combine(_folder, "run")), new RunOptions()));
        Assert.Contains("bad.wav", e.Message);
    }

    [Fact]
    public void EspeakSpeechIsTheSameForTheSameSeed()
    {
        EspeakSynthesizer? espeak = EspeakSynthesizer.TryFind();
        Assert.SkipUnless(espeak is not null, "espeak-ng is not installed");
        string[] folders = ["a", "b", "c"];
        ulong[] seeds = [1, 1, 2];
        for (int i = 0; i < 3; i++)
        {
            SpeechCorpusResult result = SpeechCorpus.Build(Path.Combine(_folder, folders[i]), espeak.Program, 0.2, seeds[i], heldOut: false, null, TestContext.Current.CancellationToken);
            Assert.True(result.Seconds >= 12 && result.Voices > 1);
        }
        Assert.Equal(Contents("a"), Contents("b"));
        Assert.NotEqual(Contents("a")[0], Contents("c")[0]);
        Assert.Empty(SpeechCorpus.HeldOutVoices.Intersect(SpeechCorpus.TrainingVoices));
    }

    private List<byte[]> Contents(string name) => [.. Directory.GetFiles(Path.Combine(_folder, name)).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];

    private VocoderRunResult Run(VocoderConfig config, string sounds, RunFolder folder, RunOptions options)
    {
        using var backend = new HostBackend();
        var data = new SpeechFolder(sounds, config.Model.Mel.SampleRate, config.EvalFraction, config.Seed);
        return new VocoderRun(backend, config, data, folder, _ => { }).Run(options, null, TestContext.Current.CancellationToken);
    }

    private string Sounds()
    {
        string sounds = Path.Combine(_folder, "sounds");
        for (int i = 0; i < 4; i++) { Speak(sounds, i); }
        return sounds;
    }

    private static void Speak(string folder, int pitch)
    {
        var voice = new BuiltInVoice();
        Directory.CreateDirectory(folder);
        WavFile.Write(Path.Combine(folder, $"{pitch}.wav"), voice.Speak("a hen", new SpeechStyle(voice.Voices[0], Pitch: 40 + pitch)));
    }

    /// <summary>Gives back what is expected.</summary>
    private sealed class Echo(MelSettings settings, List<DecodedClip> clips) : IVocoder
    {
        private int _next;

        public string Name => "echo";

        public MelSettings Settings => settings;

        public float[] Decode(ReadOnlySpan<float> mel, int frames) => clips[_next++].Wave;

        public Tensor Decode(Tensor mels) => throw new NotSupportedException("one clip at a time");

        public void Dispose()
        {
        }
    }
}
