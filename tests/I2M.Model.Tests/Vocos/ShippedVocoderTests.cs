using System.Security.Cryptography;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data.Speech;
using I2M.Model.Io;
using I2M.Model.Vocos;
using I2M.Model.Vocos.Training;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Vocos;

/// <summary>Which vocoder speaks, and the one that is shipped.</summary>
public sealed class ShippedVocoderTests : IDisposable
{
    private const long MostBytes = 6_000_000;
    private readonly string _folder = Directory.CreateTempSubdirectory("i2m-shipped-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void OtherMelsAreSpokenByGriffinLimWhichSaysWhy()
    {
        using IVocoder vocoder = Vocoders.Open(Host, null, new MelSettings { Bands = 80 });
        Assert.IsType<GriffinLim>(vocoder);
        Assert.Contains("decodes other mels: 100 mel bands against 80", vocoder.Name);
        Assert.Equal(80, vocoder.Settings.Bands);
    }

    [Fact]
    public void WhoAsksForGriffinLimGetsIt()
    {
        using IVocoder vocoder = Vocoders.Open(Host, Vocoders.GriffinLimName, null);
        Assert.Equal("Griffin-Lim (60 iterations)", vocoder.Name);
    }

    [Fact]
    public void NamedWeightsForOtherMelsAreRefused()
    {
        string path = ReferenceData.Path("vocos_center");
        I2MException error = Assert.Throws<I2MException>(() => Vocoders.Open(Host, path, new MelSettings { SampleRate = 22_050 }));
        Assert.Equal($"--vocoder {path}: decodes other mels than it is given: sample rate 24000 against 22050", error.Message);
    }

    [Fact]
    public void TheShippedOneSpeaksUnlessAnotherIsNamed()
    {
        foreach (MelSettings? mel in new[] { null, new MelSettings() })
        {
            using IVocoder vocoder = Vocoders.Open(Host, null, mel);
            Assert.IsType<VocosVocoder>(vocoder);
            Assert.EndsWith("built in", vocoder.Name);
        }
    }

    [Fact]
    public void TheShippedFileIsSmallAndItsCardIsTrue()
    {
        byte[] weights = File.ReadAllBytes(Source(ShippedVocoder.FileName));
        Assert.InRange(weights.Length, 1, MostBytes);
        using JsonDocument card = JsonDocument.Parse(File.ReadAllText(VocoderExport.CardPath(Source(ShippedVocoder.FileName))));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(weights)), card.RootElement.GetProperty("sha256").GetString());
        Assert.Equal(weights.Length, card.RootElement.GetProperty("bytes").GetInt64());
        Assert.StartsWith("i2m vocoder train ", card.RootElement.GetProperty("command").GetString());
        Assert.NotEmpty(card.RootElement.GetProperty("dataIdentity").GetString()!);
        Assert.NotEmpty(card.RootElement.GetProperty("figures").EnumerateArray());
        using SafetensorsFile file = SafetensorsFile.Open(Source(ShippedVocoder.FileName));
        Assert.All(file.Tensors.Values, t => Assert.Equal(DType.BF16, t.DType));
        using VocosVocoder vocoder = VocosLoader.Load(Host, Source(ShippedVocoder.FileName));
        Assert.Equal(ShippedVocoder.Config, vocoder.Model.Config);
    }

    [Fact]
    public void TheShippedOneBeatsGriffinLimOnVoicesItNeverHeard()
    {
        Assert.Empty(SpeechCorpus.HeldOutVoices.Intersect(SpeechCorpus.TrainingVoices));
        Assert.SkipUnless(EspeakSynthesizer.TryFind() is not null, "espeak-ng is not installed");
        string[] sentences = ["The quick brown fox jumps over the lazy dog.", "A picture of an ostrich beside a river.", "Seven silver swans swam silently seaward.", "Would you measure the pleasure of treasure?"];
        string[] files = [.. sentences.Select((text, i) => Speak(text, i))];
        using VocosVocoder shipped = ShippedVocoder.Load(Host);
        using var griffinLim = new GriffinLim(Host, shipped.Settings);
        using var judge = new VocoderJudge(Host, shipped.Settings, files, 3);
        CancellationToken cancel = TestContext.Current.CancellationToken;
        VocoderScore ours = judge.Score(shipped, cancel: cancel), theirs = judge.Score(griffinLim, cancel: cancel);
        TestContext.Current.TestOutputHelper?.WriteLine($"shipped: MAE {ours.MeanAbsoluteError:F4}, correlation {ours.Correlation:F4}, LSD {ours.LogSpectralDistance:F2} dB; Griffin-Lim: {theirs.MeanAbsoluteError:F4}, {theirs.Correlation:F4}, {theirs.LogSpectralDistance:F2} dB");
        Assert.True(ours.MeanAbsoluteError < theirs.MeanAbsoluteError, $"mel MAE {ours.MeanAbsoluteError:F4} against {theirs.MeanAbsoluteError:F4}");
        Assert.True(ours.Correlation > theirs.Correlation, $"correlation {ours.Correlation:F4} against {theirs.Correlation:F4}");
    }

    /// <summary>The numbers that the transformers library's tests hold for the published weights and one clip.</summary>
    [Fact]
    public void ThePublishedWeightsGiveTheirKnownNumbers()
    {
        string? path = Environment.GetEnvironmentVariable("I2M_VOCOS_MEL_24KHZ");
        Assert.SkipWhen(string.IsNullOrEmpty(path), "I2M_VOCOS_MEL_24KHZ: not set to a folder of charactr/vocos-mel-24khz");
        string fixtures = Path.Combine(SharedData.Require(), "fixtures");
        using JsonDocument known = JsonDocument.Parse(File.ReadAllText(Path.Combine(fixtures, "numeric_fixtures.json")));
        JsonElement numbers = known.RootElement.GetProperty("vocos_mel_24khz");
        using VocosVocoder vocoder = VocosLoader.Load(Host, path!);
        Assert.Equal(13_531_650, vocoder.Model.ParameterCount);
        using var analysis = new MelSpectrogram(Host, vocoder.Settings);
        float[] mel = analysis.Compute(AudioLoader.Load(Path.Combine(fixtures, "librispeech_1272_24k_f32.wav")).Samples);
        int frames = numbers.GetProperty("feature_shape")[2].GetInt32();
        Assert.Equal(100 * frames, mel.Length);
        Near(mel, numbers.GetProperty("feature_row0_first30"), 1e-4);
        Near(vocoder.Decode(mel, frames), numbers.GetProperty("reconstructed_audio_first50"), numbers.GetProperty("tol").GetDouble());
    }

    private static void Near(float[] actual, JsonElement expected, double tolerance)
    {
        int i = 0;
        foreach (JsonElement value in expected.EnumerateArray()) { Assert.Equal(value.GetDouble(), actual[i++], tolerance); }
        Assert.True(i >= 30);
    }

    private static IBackend Host => Backends.Get("host");

    private static string Source(string name) => Path.Combine(ReferenceData.RepositoryRoot, "src", "I2M.Model", "Vocos", "Shipped", name);

    private string Speak(string text, int index)
    {
        var espeak = new EspeakSynthesizer(EspeakSynthesizer.TryFind()!.Program) { Voices = SpeechCorpus.HeldOutVoices };
        string path = Path.Combine(_folder, $"{index}.wav");
        WavFile.Write(path, espeak.Speak(text, new SpeechStyle(espeak.Voices[index * 7 % espeak.Voices.Count])));
        return path;
    }
}
