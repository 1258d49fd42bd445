using I2M.Kernels;
using I2M.Model.Io;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Io;

/// <summary>Files other projects test their loaders with; the expected sums were computed by PyTorch 1.13 from the same files.</summary>
public sealed class ForeignFilesTests
{
    private const string Reader = "burn/src/pytorch/tests/reader/test_data/", Modules = "burn/pytorch-tests/tests/";

    [Fact]
    public void BothReadersGiveAValueOrOneClearLine()
    {
        string folder = Path.Combine(SharedData.Require(), "loader_tests");
        int safetensors = 0, torch = 0, refused = 0;
        foreach (string path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            bool isSafetensors = Accepts(() => { using var file = SafetensorsFile.Open(path); foreach (string name in file.Tensors.Keys) file.ReadDoubles(name); });
            bool isTorch = Accepts(() => Tensors("", TorchFile.Load(path)).ToList().ForEach(pair => pair.Tensor.ToDoubles()));
            Assert.False(isSafetensors && isTorch, path);
            Assert.True(isSafetensors || !path.EndsWith(".safetensors", StringComparison.Ordinal), $"{path} is valid");
            (safetensors, torch, refused) = (safetensors + (isSafetensors ? 1 : 0), torch + (isTorch ? 1 : 0), refused + (isSafetensors || isTorch ? 0 : 1));
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{safetensors} safetensors, {torch} torch, {refused} refused by both");
        Assert.Equal(3, safetensors);
    }

    [Theory]
    [InlineData(Reader + "bfloat16.pt", "tensor", DType.BF16, new long[] { 3 }, 2.5)]
    [InlineData(Reader + "float16.pt", "tensor", DType.F16, new long[] { 3 }, 2.375)]
    [InlineData(Reader + "float32.pt", "tensor", DType.F32, new long[] { 4 }, -0.20000004768371582)]
    [InlineData(Reader + "float64.pt", "tensor", DType.F64, new long[] { 3 }, 6.6)]
    [InlineData(Reader + "int8.pt", "tensor", DType.I8, new long[] { 4 }, 49)]
    [InlineData(Reader + "int16.pt", "tensor", DType.I16, new long[] { 3 }, 2000)]
    [InlineData(Reader + "int32.pt", "tensor", DType.I32, new long[] { 3 }, 0)]
    [InlineData(Reader + "int64.pt", "tensor", DType.I64, new long[] { 4 }, 200)]
    [InlineData(Reader + "bool.pt", "tensor", DType.BOOL, new long[] { 5 }, 3)]
    [InlineData(Reader + "empty.pt", "tensor", DType.F32, new long[] { 0 }, 0)]
    [InlineData(Reader + "scalar.pt", "tensor", DType.F32, new long[] { }, 42)]
    [InlineData(Reader + "parameter.pt", "param", DType.F32, new long[] { 3, 3 }, -2.157990664243698)]
    [InlineData(Reader + "tensor_3d.pt", "tensor", DType.F32, new long[] { 2, 3, 4 }, -58.06537565588951)]
    [InlineData(Reader + "tensor_4d.pt", "tensor", DType.F32, new long[] { 2, 3, 2, 2 }, 4.8652553409338)]
    [InlineData(Reader + "large_shape.pt", "tensor", DType.F32, new long[] { 100, 100 }, 6)]
    [InlineData(Reader + "nested_dict.pt", "layer1.weight", DType.F32, new long[] { 2, 3 }, 1.5448744092136621)]
    [InlineData(Reader + "complex_structure.pt", "state.encoder.layer_0.bias", DType.F32, new long[] { 4 }, 4.276207745075226)]
    [InlineData(Reader + "checkpoint.pt", "model_state_dict.fc1.weight", DType.F32, new long[] { 10, 5 }, -4.601655751466751)]
    [InlineData(Modules + "complex_nested/complex_nested.pt", "conv_blocks.0.conv.weight", DType.F32, new long[] { 4, 2, 3, 2 }, -0.5707504153251648)]
    [InlineData(Modules + "config/weights_with_config.pt", "my_model.fc1.weight", DType.F32, new long[] { 3, 2 }, -1.0456474721431732)]
    [InlineData(Modules + "top_level_key/top_level_key.pt", "my_state_dict.conv1.bias", DType.F32, new long[] { 2 }, 0.0498330295085907)]
    public void ValuesAreThoseOfPyTorch(string file, string name, DType type, long[] shape, double sum)
    {
        TorchTensor tensor = Tensors("", TorchFile.Load(Path.Combine(SharedData.Require(), "loader_tests", file))).Single(pair => pair.Name == name).Tensor;
        Assert.Equal(type, tensor.DType);
        Assert.Equal(shape, tensor.Shape);
        Assert.Equal(sum, tensor.ToDoubles().Sum(), 1e-12 * Math.Max(1, Math.Abs(sum)));
    }

    [Theory]
    [InlineData(Reader + "simple_legacy.pt", "legacy format")]
    [InlineData(Reader + "legacy_shared_storage.pt", "legacy format")]
    [InlineData(Reader + "broken.pt", "has 3 bytes")]
    [InlineData("candle/test.npy", "expected a zip archive")]
    [InlineData("candle/test.npz", "data.pkl: expected one")]
    [InlineData("torchsharp/scripted.script.dat", "TorchScript")]
    [InlineData("torchsharp/adam1.dat", "expected a zip archive")]
    [InlineData("whisper.cpp/for-tests-ggml-parakeet-tdt.bin", "expected a zip archive")]
    public void OtherFormatsAreRefusedInWords(string file, string expected) =>
        Assert.Contains(expected, Assert.Throws<BadFileException>(() => TorchFile.Load(Path.Combine(SharedData.Require(), "loader_tests", file))).Message);

    [Fact]
    public void ForeignSafetensorsHoldTheirValues()
    {
        using var file = SafetensorsFile.Open(Path.Combine(SharedData.Require(), "loader_tests", "burn", "mnist.safetensors"));
        Assert.Equal([7504L], file.ReadInt64s("norm1.num_batches_tracked"));
        Assert.Empty(file.Tensors["norm1.num_batches_tracked"].Shape);
        Assert.Equal([16L, 8L, 3L, 3L], file.Tensors["conv2.weight"].Shape);
        Assert.Equal(-11.801977169966449, file.ReadDoubles("conv2.weight").Sum(), 1e-12);
        Assert.Equal(0.10854441672563553f, file.ReadSingles("conv1.bias")[0]);
    }

    private static bool Accepts(Action read)
    {
        try
        {
            read();
            return true;
        }
        catch (BadFileException e)
        {
            Assert.DoesNotContain('\n', e.Message);
            return false;
        }
    }

    private static IEnumerable<(string Name, TorchTensor Tensor)> Tensors(string name, TorchValue value) => value switch
    {
        TorchTensor tensor => [(name, tensor)],
        TorchDict dict => dict.SelectMany(pair => Tensors(Join(name, pair.Key), pair.Value)),
        TorchSequence items => items.SelectMany((item, i) => Tensors($"{name}.{i}", item)),
        _ => [],
    };

    private static string Join(string name, TorchValue key)
    {
        string part = key is TorchString text ? text.Value : key.ToString();
        return name.Length == 0 ? part : $"{name}.{part}";
    }
}
