using I2M.Autograd;
using I2M.Model.Audio;
using I2M.Model.Data.Speech;
using I2M.Model.Io;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Audio;

/// <summary>Mel features, transforms and Griffin–Lim against torchaudio's numbers.</summary>
public sealed class MelReferenceTests
{
    private static readonly MelSettings s_settings = new();

    [Fact]
    public void WindowAndFiltersMatchTorchaudio()
    {
        using SafetensorsFile file = Open();
        var window = new WorstError("Hann window", ModelTolerance.Window);
        window.Add("window", MelSpectrogram.HannWindow(1024), file.ReadDoubles("hann_window"));
        window.Check();
        var filters = new WorstError("mel filter bank", ModelTolerance.FilterBank);
        filters.Add("filter bank", MelFilterBank.Create(new MelSettings()), file.ReadDoubles("mel_filterbank"));
        filters.Check();
    }

    /// <summary>From huggingface/transformers 05ac510, tests/utils/test_audio_utils.py (Apache-2.0): 16 bins, 4 bands, 0–2000 Hz, no normalisation.</summary>
    [Fact]
    public void HtkFiltersMatchTransformers()
    {
        float[][] expected =
        [
            [0, 0, 0, 0], [0.61454786f, 0, 0, 0], [0.82511046f, 0.17488954f, 0, 0], [0.35597035f, 0.64402965f, 0, 0],
            [0, 0.91360726f, 0.08639274f, 0], [0, 0.55547007f, 0.44452993f, 0], [0, 0.19733289f, 0.80266711f, 0], [0, 0, 0.87724349f, 0.12275651f],
            [0, 0, 0.6038449f, 0.3961551f], [0, 0, 0.33044631f, 0.66955369f], [0, 0, 0.05704771f, 0.94295229f], [0, 0, 0, 0.83483975f],
            [0, 0, 0, 0.62612982f], [0, 0, 0, 0.41741988f], [0, 0, 0, 0.20870994f], [0, 0, 0, 0],
        ];
        float[] filters = MelFilterBank.Create(new MelSettings { FftSize = 30, Bands = 4, SampleRate = 4000 });
        for (int i = 0; i < filters.Length; i++) { Assert.Equal(expected[i / 4][i % 4], filters[i], 1e-6f); }
        Assert.Equal(150.48910241, MelFilterBank.HzToMel(100), 1e-5);
        Assert.Equal(283.22989816, MelFilterBank.HzToMel(200), 1e-5);
        Assert.Equal(1234.5, MelFilterBank.MelToHz(MelFilterBank.HzToMel(1234.5)), 1e-9);
    }

    /// <summary>From the same file.</summary>
    [Fact]
    public void TheHannWindowIsPeriodic()
    {
        float[] half = [0, 0.03806023f, 0.14644661f, 0.30865828f, 0.5f, 0.69134172f, 0.85355339f, 0.96193977f, 1];
        float[] window = MelSpectrogram.HannWindow(16);
        for (int i = 0; i < 16; i++) { Assert.Equal(half[Math.Min(i, 16 - i)], window[i], 1e-6f); }
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void LogMelMatchesTorchaudio(string backend)
    {
        using SafetensorsFile file = Open();
        using var analysis = new MelSpectrogram(Backends.Get(backend), s_settings);
        float[] mel = analysis.Compute(file.ReadSingles("wave"));
        double[] expected = file.ReadDoubles("log_mel");
        Assert.Equal(expected.Length, mel.Length);
        var error = new WorstError($"log-mel, largest absolute difference, on {backend}", ModelTolerance.LogMelAbsolute);
        for (int i = 0; i < mel.Length; i++) { error.Add($"band {i / 94}, frame {i % 94}", Math.Abs(mel[i] - expected[i])); }
        error.Check();
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void SpectrumAndItsInverseMatchTorch(string backend)
    {
        using SafetensorsFile file = Open();
        using var analysis = new MelSpectrogram(Backends.Get(backend), s_settings);
        using var scope = new TensorScope();
        double[] real = file.ReadDoubles("stft.real"), imaginary = file.ReadDoubles("stft.imag");
        int bins = s_settings.Bins, frames = real.Length / bins;
        float[] wave = file.ReadSingles("wave");
        Tensor spectrum = analysis.Spectrum(Tensor.From(Backends.Get(backend), wave, 1, wave.Length));
        // The file holds [bins, frames]; here it is [frames, bins, 2].
        double[] expected = [.. Enumerable.Range(0, frames * bins * 2).Select(i => (i % 2 == 0 ? real : imaginary)[i / 2 % bins * frames + i / 2 / bins])];
        Tensor back = InverseStft.Apply(Tensor.From(Backends.Get(backend), [.. expected.Select(v => (float)v)], frames, bins, 2), analysis.Window, s_settings, 1);
        var error = new WorstError($"STFT and inverse on {backend}", ModelTolerance.Stft);
        error.Add("STFT", spectrum.ToArray(), expected);
        error.Add("inverse", back.ToArray(), file.ReadDoubles("istft"));
        error.Check();
    }

    [Fact]
    public void FrameAndSampleCountsFollowThePadding()
    {
        Assert.Equal(282, s_settings.FrameCount(72000));
        Assert.Equal(71424, s_settings.SampleCount(280));
        MelSettings same = s_settings with { Padding = FramePadding.Same };
        Assert.Equal((281, 71680), (same.FrameCount(72000), same.SampleCount(280)));
        Assert.Equal(-16.118, s_settings.SilenceLevel, 1e-3);
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void GriffinLimGivesTheMelBack(string backend)
    {
        using var analysis = new MelSpectrogram(Backends.Get(backend), s_settings);
        using var vocoder = new GriffinLim(Backends.Get(backend), s_settings);
        var voice = new BuiltInVoice();
        AudioClip speech = voice.Speak("a goldfish and a tall ostrich", new SpeechStyle(voice.Voices[0]));
        float[] mel = analysis.Compute(speech.Samples);
        int frames = mel.Length / s_settings.Bands;
        vocoder.Decode(mel, frames);
        long before = Backends.Get(backend).Pool.LiveBytes;
        float[] wave = vocoder.Decode(mel, frames);
        Assert.Equal(before, Backends.Get(backend).Pool.LiveBytes);
        Assert.Equal(s_settings.SampleCount(frames), wave.Length);
        double correlation = Correlation(mel, analysis.Compute(wave));
        TestContext.Current.TestOutputHelper?.WriteLine($"Griffin-Lim on {backend}: mel of the result correlates {correlation:F4} with the original");
        Assert.True(correlation > 0.9, $"correlation {correlation:F4}");
    }

    /// <summary>
    /// First values of mel row 0 of LibriSpeech 1272-128104-0000 by the authors' features (huggingface/transformers 0a03739,
    /// tests/fixtures/vocos/vocos_mel_integration.json, Apache-2.0).
    /// </summary>
    [Fact]
    public void ARealClipMatchesTheAuthorsFeatures()
    {
        AudioClip clip = AudioLoader.Load(Path.Combine(SharedData.Require(), "fixtures", "librispeech_1272_24k_f32.wav"), 24000);
        float[] expected =
        [
            -1.7733538151f, -2.627799511f, -4.3446416855f, -3.1139431f, -2.8542976379f, -2.9732060432f,
            -2.4957544804f, -2.2524888515f, -2.255256176f, -2.6200737953f, -2.9786329269f, -2.9158420563f,
            -3.6588683128f, -2.4617226124f, -2.5469284058f, -2.1645390987f, -2.7375283241f, -2.8342182636f,
            -3.9451725483f, -3.0139627457f, -3.8435926437f, -3.6883263588f, -3.6016588211f, -3.2761828899f,
            -3.0132853985f, -2.3404865265f, -2.8324050903f, -2.7181072235f, -2.8961753845f, -2.8468863964f,
        ];
        using var analysis = new MelSpectrogram(Backends.Get("host"), s_settings);
        float[] mel = analysis.Compute(clip.Samples);
        // Vocos' own count. The fixture's extractor (transformers) pads the clip before it mirrors the ends and reports one frame more, so
        // the frames that reach over the edge, 0 and 1 here, are not comparable.
        Assert.Equal(1 + clip.Samples.Length / 256, mel.Length / 100);
        double worst = expected.Select((e, i) => i < 2 ? 0 : Math.Abs(e - mel[i])).Max();
        TestContext.Current.TestOutputHelper?.WriteLine($"authors' features of a real clip: largest difference {worst:E2}");
        Assert.True(worst <= ModelTolerance.LogMelAbsolute, $"largest difference {worst:E2}");
    }

    private static SafetensorsFile Open() => SafetensorsFile.Open(ReferenceData.Path("audio.safetensors"));

    private static double Correlation(float[] a, float[] b)
    {
        double meanA = a.Average(), meanB = b.Average();
        double covariance = a.Zip(b, (x, y) => (x - meanA) * (y - meanB)).Sum();
        return covariance / Math.Sqrt(a.Sum(x => (x - meanA) * (x - meanA)) * b.Sum(y => (y - meanB) * (y - meanB)));
    }
}
