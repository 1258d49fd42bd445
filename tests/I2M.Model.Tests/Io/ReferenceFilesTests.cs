using I2M.Model.Io;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Io;

/// <summary>The files PyTorch wrote are read whole, and two of them hold the same weights in two formats.</summary>
public sealed class ReferenceFilesTests
{
    public static TheoryData<string> Safetensors => [.. Directory.EnumerateFiles(ReferenceData.Folder, "*.safetensors", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(ReferenceData.Folder, path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Safetensors))]
    public void EveryTensorIsRead(string name)
    {
        using var file = SafetensorsFile.Open(ReferenceData.Path(name));
        Assert.NotEmpty(file.Tensors);
        foreach ((string tensor, TensorEntry entry) in file.Tensors)
        {
            double[] values = file.ReadDoubles(tensor);
            Assert.Equal(entry.Shape.Aggregate(1L, (a, b) => a * b), values.Length);
            Assert.All(values, v => Assert.True(double.IsFinite(v), $"{tensor} holds {v}"));
        }
    }

    [Fact]
    public void TheTorchFileHoldsTheWeightsAfterTraining()
    {
        using var expected = SafetensorsFile.Open(ReferenceData.Path("simpledit.safetensors"));
        var root = Assert.IsType<TorchDict>(TorchFile.Load(ReferenceData.Path("simpledit.pt")));
        const string prefix = "weights_after.";
        string[] names = [.. expected.Tensors.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal)).Select(key => key[prefix.Length..])];
        TorchDict weights = root.Select(pair => pair.Value).OfType<TorchDict>().Single(dict => dict[names[0]] is TorchTensor);
        Assert.NotEmpty(names);
        foreach (string name in names)
        {
            var tensor = Assert.IsType<TorchTensor>(weights[name]);
            Assert.Equal(expected.Tensors[prefix + name].Shape, tensor.Shape);
            // Both come from the same float64 run; the .pt is rounded to float32.
            Assert.Equal(expected.ReadSingles(prefix + name), tensor.ToSingles());
        }
    }

    [Theory]
    [InlineData("vocos_center/pytorch_model.bin")]
    [InlineData("vocos_same/pytorch_model.bin")]
    public void VocosWeightsAreRead(string name)
    {
        var root = Assert.IsType<TorchDict>(TorchFile.Load(ReferenceData.Path(name)));
        Assert.Contains(root, pair => pair.Key is TorchString { Value: "backbone.embed.weight" });
        foreach ((TorchValue key, TorchValue value) in root)
            Assert.All(Assert.IsType<TorchTensor>(value).ToSingles(), v => Assert.True(float.IsFinite(v), $"{key} holds {v}"));
    }
}
