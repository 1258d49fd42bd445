using I2M.Kernels;
using I2M.Model.Dit;
using I2M.Model.Io;
using I2M.Model.Tests.Io;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Dit;

/// <summary>The original's .pt files, read and written.</summary>
public sealed class SeedCheckpointTests
{
    private static readonly string s_reference = ReferenceData.Path("simpledit.pt");

    [Fact]
    public void TheOriginalsCheckpointLoads()
    {
        using SafetensorsFile expected = SafetensorsFile.Open(ReferenceData.Path("simpledit.safetensors"));
        SeedCheckpoint checkpoint = SeedCheckpoint.Read(s_reference);
        Assert.Equal(SimpleDitReferenceTests.Config, checkpoint.Config);
        Assert.Null(checkpoint.Note);
        Assert.Equal(expected.Tensors.Keys.Count(name => name.StartsWith("weights_after.", StringComparison.Ordinal)), checkpoint.Weights.Count);
        // Both files come from one float64 run; the .pt is rounded to float32.
        foreach (NamedWeight weight in checkpoint.Weights) { Assert.Equal(expected.ReadSingles($"weights_after.{weight.Name}"), weight.Values); }
    }

    [Fact]
    public void WhatIsWrittenIsReadBack()
    {
        using var folder = new TemporaryFolder();
        SeedCheckpoint original = SeedCheckpoint.Read(s_reference);
        SeedCheckpoint.Write(folder.File("copy.pt"), original.Config, [.. original.Weights.Reverse()]);
        AssertEqual(original, SeedCheckpoint.Read(folder.File("copy.pt")));
        var root = Assert.IsType<TorchDict>(TorchFile.Load(folder.File("copy.pt")));
        var state = Assert.IsType<TorchDict>(root["model_state_dict"]);
        Assert.True(state.IsOrdered);
        Assert.Equal(State(s_reference).Select(pair => pair.Key), state.Select(pair => pair.Key));
        Assert.Equal(new TorchInt(0), root["epoch"]);
    }

    [Fact]
    public void ABareStateDictOfReplicasLoadsWithItsHeadsNamed()
    {
        using var folder = new TemporaryFolder();
        var bare = new TorchDict(isOrdered: true);
        foreach (var (key, value) in State(s_reference)) { bare.Add($"module.{((TorchString)key).Value}", value); }
        TorchFile.Save(folder.File("bare.pt"), bare);
        AssertEqual(SeedCheckpoint.Read(s_reference), SeedCheckpoint.Read(folder.File("bare.pt"), heads: 4));
        // 64 channels do not divide into the usual 12 heads.
        AssertRefused(folder.File("bare.pt"), "config.num_heads", () => SeedCheckpoint.Read(folder.File("bare.pt")));
    }

    [Fact]
    public void TwelveHeadsAreAssumedAndSaid()
    {
        using var folder = new TemporaryFolder();
        DitConfig config = SimpleDitReferenceTests.Config with { Hidden = 96, Heads = 12 };
        SeedCheckpoint.Write(folder.File("a.pt"), config, Zeros(config));
        TorchFile.Save(folder.File("bare.pt"), State(folder.File("a.pt")));
        SeedCheckpoint read = SeedCheckpoint.Read(folder.File("bare.pt"));
        Assert.Equal(config, read.Config);
        Assert.Contains("12 assumed", read.Note);
    }

    [Fact]
    public void TheFullSizesComeBackFromTheProductsThatTheFileHolds()
    {
        using var folder = new TemporaryFolder();
        DitConfig config = new() { CompatSeed = true, Hidden = 16, Layers = 1, Heads = 2, ImageTowerLayers = 0 };
        SeedCheckpoint.Write(folder.File("a.pt"), config, Zeros(config));
        Assert.Equal(config, SeedCheckpoint.Read(folder.File("a.pt")).Config);
    }

    [Theory]
    [InlineData("mel_proj.bias", "tensor 'mel_proj.bias': expected with shape [64], but absent")]
    [InlineData("pos_embed_img", "tensor 'pos_embed_img': expected in the file, but absent")]
    public void AMissingTensorIsNamed(string name, string message) => AssertStateRefused(message, state => Without(state, name));

    [Fact]
    public void AnotherShapeASuperfluousTensorAndNaNAreNamed()
    {
        AssertStateRefused("tensor 'mel_proj.bias': shape [32]: expected [64]", state => With(state, "mel_proj.bias", TorchTensor.FromSingles([32], new float[32])));
        AssertStateRefused("tensor 'extra': shape [1]: the model has no such parameter", state => With(state, "extra", TorchTensor.FromSingles([1], new float[1])));
        AssertStateRefused("tensor 'mel_proj.bias': value 0 is NaN: expected finite numbers",
            state => With(state, "mel_proj.bias", TorchTensor.FromSingles([64], [.. Enumerable.Repeat(float.NaN, 64)])));
        AssertStateRefused("tensor 'pos_embed_img': 15 image tokens: expected a square number", state => With(state, "pos_embed_img", TorchTensor.FromSingles([1, 15, 64], new float[960])), "img_seq_len");
    }

    [Theory]
    [InlineData("hidden_size", 128, "config.hidden_size: 128, but the tensors have 64")]
    [InlineData("num_layers", 3, "config.num_layers: 3, but the tensors have 2")]
    [InlineData("num_heads", 5, "heads 5 divides hidden 64")]
    public void AConfigThatContradictsTheTensorsIsRefused(string field, int value, string message)
    {
        using var folder = new TemporaryFolder();
        var root = Assert.IsType<TorchDict>(TorchFile.Load(s_reference));
        var config = With(Assert.IsType<TorchDict>(root["config"]), field, new TorchInt(value));
        TorchFile.Save(folder.File("a.pt"), new TorchDict { { "model_state_dict", root["model_state_dict"]! }, { "config", config } });
        AssertRefused(folder.File("a.pt"), message, () => SeedCheckpoint.Read(folder.File("a.pt")));
    }

    [Fact]
    public void OnlyCompatibleModelsAreWritten()
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<I2MException>(() => SeedCheckpoint.Write(folder.File("a.pt"), DitPresets.Get("nano"), []));
        Assert.Throws<ArgumentException>(() => SeedCheckpoint.Write(folder.File("a.pt"), SimpleDitReferenceTests.Config, []));
        Assert.Empty(Directory.GetFiles(folder.Root));
    }

    private static void AssertStateRefused(string message, Func<TorchDict, TorchDict> change, string? dropFromConfig = null)
    {
        using var folder = new TemporaryFolder();
        var root = Assert.IsType<TorchDict>(TorchFile.Load(s_reference));
        var config = Assert.IsType<TorchDict>(root["config"]);
        if (dropFromConfig is not null) { config = Without(config, dropFromConfig); }
        TorchFile.Save(folder.File("a.pt"), new TorchDict { { "model_state_dict", change(State(s_reference)) }, { "config", config } });
        AssertRefused(folder.File("a.pt"), message, () => SeedCheckpoint.Read(folder.File("a.pt")));
    }

    private static void AssertRefused(string path, string message, Action read)
    {
        BadFileException error = Assert.Throws<BadFileException>(read);
        Assert.StartsWith(path, error.Message);
        Assert.Contains(message, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    private static TorchDict State(string path) => Assert.IsType<TorchDict>(Assert.IsType<TorchDict>(TorchFile.Load(path))["model_state_dict"]);

    private static TorchDict Without(TorchDict dict, string name)
    {
        var result = new TorchDict(dict.IsOrdered);
        foreach (var (key, value) in dict)
        {
            if (((TorchString)key).Value != name) { result.Add(((TorchString)key).Value, value); }
        }
        return result;
    }

    private static TorchDict With(TorchDict dict, string name, TorchValue value)
    {
        TorchDict result = Without(dict, name);
        result.Add(name, value);
        return result;
    }

    private static List<NamedWeight> Zeros(DitConfig config) =>
        [.. DitModel.Create(config).NamedParameters().Select(p => new NamedWeight(p.Name, p.Parameter.Shape, new float[p.Parameter.Length]))];

    private static void AssertEqual(SeedCheckpoint expected, SeedCheckpoint actual)
    {
        Assert.Equal(expected.Config, actual.Config);
        Assert.Equal(expected.Weights.Select(w => w.Name), actual.Weights.Select(w => w.Name));
        foreach (var (e, a) in expected.Weights.Zip(actual.Weights)) { Assert.Equal(e.Values, a.Values); }
    }
}
