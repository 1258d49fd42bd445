using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Io;
using I2M.Model.Tests.Io;
using I2M.Model.Vocos;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Vocos;

/// <summary>The layouts of Vocos weights and what is said about wrong ones.</summary>
public sealed class VocosLoaderTests
{
    private const int Frames = 94;
    private static readonly string s_folder = ReferenceData.Path("vocos_center");

    [Fact]
    public void WhatIsSavedIsLoadedAgain()
    {
        using var folder = new TemporaryFolder();
        using VocosVocoder original = VocosLoader.Load(Host, s_folder);
        string path = folder.File("vocos.safetensors");
        VocosLoader.Save(path, original);
        using VocosVocoder copy = VocosLoader.Load(Host, path);
        Assert.Equal(original.Model.Config, copy.Model.Config);
        Assert.Equal(Decode(original), Decode(copy));
        Assert.Single(Directory.GetFiles(folder.Root));
    }

    [Fact]
    public void TheTransformersLayoutGivesTheSameAudio()
    {
        using var folder = new TemporaryFolder();
        TensorData[] renamed = [.. Weights().Where(w => !w.Key.StartsWith("feature_extractor.", StringComparison.Ordinal)).Select(w => Data(
            w.Key.Replace("head.istft.window", "head.window").Replace("head.out.", "head.out_proj.").Replace("backbone.convnext.", "backbone.layers.").Replace(".gamma", ".layer_scale_parameter"), w.Value))];
        SafetensorsWriter.Write(folder.File("model.safetensors"), renamed);
        File.WriteAllText(folder.File("config.json"), """{"model_type": "vocos", "n_mels": 100, "hidden_size": 32, "intermediate_size": 96, "num_layers": 3, "istft_padding": "center", "architectures": ["VocosModel"]}""");
        using VocosVocoder expected = VocosLoader.Load(Host, s_folder), actual = VocosLoader.Load(Host, folder.Root);
        Assert.Equal(Decode(expected), Decode(actual));
    }

    [Fact]
    public void TheAuthorsConfigurationWithSafetensorsLoads()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(s_folder, "config.yaml"), folder.File("config.yaml"));
        SafetensorsWriter.Write(folder.File("weights.safetensors"), [.. Weights().Select(w => Data(w.Key, w.Value))]);
        using VocosVocoder expected = VocosLoader.Load(Host, s_folder), actual = VocosLoader.Load(Host, folder.Root);
        Assert.Equal(Decode(expected), Decode(actual));
    }

    [Fact]
    public void OtherValuesBesideTheTensorsAreTolerated()
    {
        using var folder = new TemporaryFolder();
        WriteFolder(folder, state =>
        {
            state.Add("epoch", new TorchInt(3));
            state.Add("note", new TorchString("text"));
            return state;
        });
        using VocosVocoder vocoder = VocosLoader.Load(Host, folder.Root);
        Assert.Equal(Frames, Decode(vocoder).Length / 256 + 1);
    }

    public static TheoryData<string, string> WrongWeights => new()
    {
        { "missing", "tensor 'head.out.bias': expected with shape [1026], but absent" },
        { "shape", "tensor 'head.out.bias': shape [1025]: expected [1026]" },
        { "extra", "tensor 'extra': shape [2]: the model has no such parameter" },
        { "nan", "tensor 'head.out.bias': value 5 is NaN: expected finite numbers" },
        { "window", "tensor 'head.istft.window': differs by up to 0.5 from the periodic Hann window of 1024 (at most 1E-06 allowed)" },
        { "filters", "tensor 'feature_extractor.mel_spec.mel_scale.fb': differs by up to" },
    };

    [Theory, MemberData(nameof(WrongWeights))]
    public void WrongWeightsAreNamed(string fault, string message)
    {
        using var folder = new TemporaryFolder();
        WriteFolder(folder, state =>
        {
            float[] bias = ((TorchTensor)state["head.out.bias"]!).ToSingles(), window = ((TorchTensor)state["head.istft.window"]!).ToSingles();
            bias[5] = fault == "nan" ? float.NaN : bias[5];
            window[512] = fault == "window" ? 0.5f : window[512];
            var result = new TorchDict(isOrdered: true);
            foreach (var (key, value) in state)
            {
                string name = ((TorchString)key).Value;
                if (fault == "missing" && name == "head.out.bias") { continue; }
                result.Add(name, (fault, name) switch
                {
                    ("shape", "head.out.bias") => TorchTensor.FromSingles([1025], new float[1025]),
                    (_, "head.out.bias") => TorchTensor.FromSingles([1026], bias),
                    (_, "head.istft.window") => TorchTensor.FromSingles([1024], window),
                    ("filters", "feature_extractor.mel_spec.mel_scale.fb") => TorchTensor.FromSingles([513, 100], [.. ((TorchTensor)value).ToSingles().Select(v => v * 0.9f)]),
                    _ => value,
                });
            }
            if (fault == "extra") { result.Add("extra", TorchTensor.FromSingles([2], new float[2])); }
            return result;
        });
        AssertRefused(folder.Root, "pytorch_model.bin", message);
    }

    [Theory]
    [InlineData("VocosBackbone", "VocosResNetBackbone", "backbone.class_path: expected vocos.models.VocosBackbone, found vocos.models.VocosResNetBackbone")]
    [InlineData("n_mels: 100", "n_mels: 80", "backbone.init_args.input_channels: 100: expected 80")]
    [InlineData("dim: 32", "dim: thirty", "backbone.init_args.dim: thirty: expected a whole number")]
    [InlineData("dim: 32", "dim: 99999999", "head.init_args.dim: 32: expected 99999999")]
    [InlineData("num_layers: 3", "num_layers: 2", "tensor 'backbone.convnext.2.gamma': shape [32]: the model has no such parameter")]
    [InlineData("num_layers: 3", "num_layers: 3\n    adanorm_num_embeddings: 4", "backbone.init_args.adanorm_num_embeddings: 4: this variant is not known here")]
    [InlineData("num_layers: 3", "num_layers: 3\n    other: [1, [2, 3]]", "backbone.init_args.other: this setting is not known here")]
    [InlineData("num_layers: 3", "num_layers: &a 3\n    other: *a", "expected names and plain values")]
    [InlineData("num_layers: 3", "num_layers: 3\n    num_layers: 4", "expected one value under one name")]
    [InlineData("padding: center", "padding: valid", "feature_extractor.init_args.padding: valid: expected center or same")]
    [InlineData("n_fft: 1024", "n_fft: 1000", "fftSize 1000: expected a power of two")]
    [InlineData("n_mels: 100", "n_mels: 100\n    mel_scale: bark", "feature_extractor.init_args.mel_scale: bark: expected htk or slaney")]
    [InlineData("n_mels: 100", "n_mels: 100\n    norm: peak", "feature_extractor.init_args.norm: peak: expected null or slaney")]
    [InlineData("n_mels: 100", "n_mels: 100\n    f_max: 13000", "mel features: highFrequency 13000: expected at most half of sampleRate 24000")]
    [InlineData("n_mels: 100", "n_mels: 100\n    f_max: 8000", "tensor 'feature_extractor.mel_spec.mel_scale.fb': differs by up to")]
    [InlineData("feature_extractor:", "feature_extractor: [", "not valid YAML")]
    public void WrongConfigurationsAreNamed(string from, string to, string message)
    {
        using var folder = new TemporaryFolder();
        WriteFolder(folder, state => state);
        string text = File.ReadAllText(Path.Combine(s_folder, "config.yaml"));
        int first = text.IndexOf(from, StringComparison.Ordinal);
        bool everywhere = from.StartsWith("n_fft", StringComparison.Ordinal);
        File.WriteAllText(folder.File("config.yaml"), everywhere ? text.Replace(from, to) : string.Concat(text.AsSpan(0, first), to, text.AsSpan(first + from.Length)));
        AssertRefused(folder.Root, "", message);
    }

    /// <summary>Forks of the features' class pass torchaudio's settings on; the stored filter bank must be the one that they name.</summary>
    [Fact]
    public void OtherMelScalesAreUnderstood()
    {
        using var folder = new TemporaryFolder();
        var mel = new MelSettings { Scale = MelScale.Slaney, AreaNormalized = true, LowFrequency = 20, HighFrequency = 8000 };
        WriteFolder(folder, state =>
        {
            var result = new TorchDict(isOrdered: true);
            foreach (var (key, value) in state)
            {
                string name = ((TorchString)key).Value;
                result.Add(name, name == "feature_extractor.mel_spec.mel_scale.fb" ? TorchTensor.FromSingles([513, 100], MelFilterBank.Create(mel)) : value);
            }
            return result;
        });
        File.WriteAllText(folder.File("config.yaml"), File.ReadAllText(Path.Combine(s_folder, "config.yaml")).Replace("n_mels: 100", "n_mels: 100\n    f_min: 20\n    f_max: 8000\n    norm: slaney\n    mel_scale: slaney"));
        using VocosVocoder vocoder = VocosLoader.Load(Host, folder.Root);
        Assert.Equal(mel, vocoder.Settings);
        string own = folder.File("own.safetensors");
        VocosLoader.Save(own, vocoder);
        using VocosVocoder copy = VocosLoader.Load(Host, own);
        Assert.Equal(mel, copy.Settings);
    }

    [Fact]
    public void HalfTheSizeSoundsAlmostAlike()
    {
        using var folder = new TemporaryFolder();
        using VocosVocoder original = VocosLoader.Load(Host, s_folder);
        string whole = folder.File("whole.safetensors"), half = folder.File("half.safetensors");
        VocosLoader.Save(whole, original);
        VocosLoader.Save(half, original, bfloat16: true);
        Assert.InRange(new FileInfo(half).Length, 1, 0.6 * new FileInfo(whole).Length);
        using VocosVocoder narrow = VocosLoader.Load(Host, half);
        float[] expected = Decode(original), actual = Decode(narrow);
        double error = WorstError.Of(actual, [.. expected.Select(v => (double)v)]);
        Assert.InRange(error, 1e-6, 0.1);
        // What was rounded once is not rounded again.
        string again = folder.File("again.safetensors");
        VocosLoader.Save(again, narrow, bfloat16: true);
        Assert.Equal(File.ReadAllBytes(half), File.ReadAllBytes(again));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EveryFlippedBitAndEveryCutIsSeen(bool bfloat16)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("vocos.safetensors"), damaged = folder.File("damaged.safetensors");
        using (VocosVocoder original = VocosLoader.Load(Host, s_folder)) { VocosLoader.Save(path, original, bfloat16); }
        byte[] good = File.ReadAllBytes(path);
        foreach (int at in new RandomData(9).Indices(40, good.Length))
        {
            byte[] bytes = [.. good];
            bytes[at] ^= 1;
            File.WriteAllBytes(damaged, bytes);
            // A flipped bit of the header may leave its meaning as it was, such as a space of its padding.
            if (at >= 8 + BitConverter.ToInt32(good)) { AssertRefused(damaged, "", "its checksum does not match"); }
            File.WriteAllBytes(damaged, good[..at]);
            Assert.Throws<BadFileException>(() => VocosLoader.Load(Host, damaged));
        }
    }

    [Fact]
    public void DeepNestingDoesNotOverflowTheStack()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("config.yaml"), "a: " + new string('[', 60_000));
        Assert.Throws<BadFileException>(() => VocosLoader.Load(Host, folder.Root));
    }

    [Fact]
    public void WhatIsNoVocosIsSaid()
    {
        using var folder = new TemporaryFolder();
        AssertRefused(folder.Root, "", "expected a Vocos folder: config.yaml with pytorch_model.bin, or config.json with model.safetensors");
        AssertRefused(folder.File("absent"), "", "no such file");
        SafetensorsWriter.Write(folder.File("a.safetensors"), [TensorData.Singles("x", [1], new float[1])]);
        AssertRefused(folder.File("a.safetensors"), "", "metadata i2m.format: expected vocos");
        SafetensorsWriter.Write(folder.File("b.safetensors"), [TensorData.Singles("x", [1], new float[1])], new Dictionary<string, string> { ["i2m.format"] = "vocos", ["i2m.config"] = "{\"dim\": \"x\"}" });
        AssertRefused(folder.File("b.safetensors"), "", "metadata i2m.config");
    }

    private static IBackend Host => Backends.Get("host");

    private static void AssertRefused(string path, string file, string message)
    {
        long before = Host.Pool.LiveBytes;
        BadFileException error = Assert.Throws<BadFileException>(() => VocosLoader.Load(Host, path));
        Assert.StartsWith(path, error.Message);
        Assert.Contains(file, error.Message);
        Assert.Contains(message, error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal(before, Host.Pool.LiveBytes);
    }

    private static float[] Decode(VocosVocoder vocoder) => vocoder.Decode(new RandomData(5).Normal(100 * Frames, deviation: 2, mean: -4), Frames);

    private static Dictionary<string, TorchTensor> Weights() =>
        State().ToDictionary(pair => ((TorchString)pair.Key).Value, pair => (TorchTensor)pair.Value);

    private static TorchDict State() => Assert.IsType<TorchDict>(TorchFile.Load(Path.Combine(s_folder, "pytorch_model.bin")));

    private static TensorData Data(string name, TorchTensor tensor) => TensorData.Singles(name, [.. tensor.Shape], tensor.ToSingles());

    private static void WriteFolder(TemporaryFolder folder, Func<TorchDict, TorchDict> change)
    {
        File.Copy(Path.Combine(s_folder, "config.yaml"), folder.File("config.yaml"));
        TorchFile.Save(folder.File("pytorch_model.bin"), change(State()));
    }
}
