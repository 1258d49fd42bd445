using I2M.Kernels;
using I2M.Model.Io;
using Xunit;

namespace I2M.Model.Tests.Io;

/// <summary>Well-formed PyTorch files: values, strides, sharing, and what is saved is loaded.</summary>
public sealed class TorchFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private TorchValue Load(Pickle pickle, int storageBytes = 16) => TorchFile.Load(_folder.File("case.pt", TorchArchive.Of(pickle.Build(), storageBytes).ToBytes()));

    private long[] LoadBytes(long offset, long[] size, long[] stride) =>
        Assert.IsType<TorchTensor>(Load(new Pickle().Tensor("ByteStorage", 16, offset, size, stride))).ToInt64s();

    [Fact]
    public void ScalarsAndContainersKeepTheirOrder()
    {
        var root = Assert.IsType<TorchDict>(Load(new Pickle().Op("}(")
            .Text("z").Op("N").Text("t").Op(0x88).Text("f").Op(0x89).Text("i").Op("J").Op(BitConverter.GetBytes(-7)).Text("m").Op("M").Op(0x01, 0x02)
            .Text("l").Integer(long.MinValue).Text("w").Op(0x8A, 9).Op(new byte[] { 1, 0, 0, 0, 0, 0, 0, 0, 1 }).Text("d").Op("G").Op(0xBF, 0xF8, 0, 0, 0, 0, 0, 0)
            .Text("list").Op("](").Integer(1).Text("ü").Op("e").Text("tuple").Integer(1).Integer(2).Op(0x86).Text("size").Global("torch", "Size").Integers(3).Op(0x85, (byte)'R')
            .Integer(5).Text("five").Text("z").Integer(9).Op("u")));
        Assert.Equal(12, root.Count);
        Assert.Equal(new TorchString("z"), root.First().Key);
        Assert.Equal(new TorchInt(9), root["z"]);
        Assert.Equal(new TorchBool(true), root["t"]);
        Assert.Equal(new TorchBool(false), root["f"]);
        Assert.Equal(new TorchInt(-7), root["i"]);
        Assert.Equal(new TorchInt(513), root["m"]);
        Assert.Equal(new TorchInt(long.MinValue), root["l"]);
        Assert.Equal(new TorchWideInt("010000000000000001"), root["w"]);
        Assert.Equal(new TorchFloat(-1.5), root["d"]);
        Assert.Equal<TorchValue>([new TorchInt(1), new TorchString("ü")], Assert.IsType<TorchList>(root["list"]));
        Assert.Equal(2, Assert.IsType<TorchTuple>(root["tuple"]).Count);
        Assert.Equal<TorchValue>([new TorchInt(3)], Assert.IsType<TorchTuple>(root["size"]));
        Assert.Equal(new TorchString("five"), root[5]);
        Assert.Null(root["absent"]);
        Assert.False(root.TryGet("z", out TorchString? _));
    }

    [Fact]
    public void StridesAndOffsetsAreHonoured()
    {
        Assert.Equal([2L, 3L, 4L, 5L, 6L, 7L], LoadBytes(2, [2, 3], [3, 1]));
        Assert.Equal([0L, 2L, 4L, 1L, 3L, 5L], LoadBytes(0, [2, 3], [1, 2]));
        Assert.Equal([15L], LoadBytes(15, [], []));
        Assert.Equal([1L, 5L, 9L, 13L], LoadBytes(1, [4, 1], [4, 99]));
        Assert.Equal([3L, 3L, 3L], LoadBytes(3, [3], [0]));
        Assert.Empty(LoadBytes(16, [0, 5], [5, 1]));
    }

    [Theory]
    [InlineData("DoubleStorage", DType.F64, 8)]
    [InlineData("FloatStorage", DType.F32, 4)]
    [InlineData("HalfStorage", DType.F16, 2)]
    [InlineData("BFloat16Storage", DType.BF16, 2)]
    [InlineData("LongStorage", DType.I64, 8)]
    [InlineData("IntStorage", DType.I32, 4)]
    [InlineData("ShortStorage", DType.I16, 2)]
    [InlineData("CharStorage", DType.I8, 1)]
    [InlineData("BoolStorage", DType.BOOL, 1)]
    public void EveryStorageTypeIsKnown(string storage, DType expected, int size)
    {
        var tensor = Assert.IsType<TorchTensor>(Load(new Pickle().Tensor(storage, 16 / size, 0, [16 / size], [1])));
        Assert.Equal(expected, tensor.DType);
        Assert.Equal(16 / size, tensor.ToSingles().Length);
        if (expected.IsFloating()) Assert.Throws<BadFileException>(tensor.ToInt64s);
    }

    [Fact]
    public void SharedStoragesParametersAndStateDictAttributesAreRead()
    {
        var root = Assert.IsType<TorchDict>(Load(new Pickle().Global("collections", "OrderedDict").Op(")R(")
            .Text("a").Tensor("ByteStorage", 16, 0, [2], [1]).Op("q\u0007")
            .Text("b").Tensor("ByteStorage", 16, 1, [2], [1])
            .Text("again").Op("h\u0007")
            .Text("p").Global("torch._utils", "_rebuild_parameter").Op("(").Tensor("ByteStorage", 16, 4, [1], [1]).Op(0x88).Global("collections", "OrderedDict").Op(")RtRu")
            .Op("}").Text("_metadata").Op("}sb")));
        Assert.True(root.IsOrdered);
        Assert.Equal([1L, 2L], ((TorchTensor)root["b"]!).ToInt64s());
        Assert.Same(root["a"], root["again"]);
        Assert.Equal([4L], ((TorchTensor)root["p"]!).ToInt64s());
        Assert.Equal(4, root.Count);
    }

    [Fact]
    public void SavedValuesAreLoaded()
    {
        float[] weights = [1, 2, 3, 4, 5, float.NaN];
        TorchTensor shared = TorchTensor.FromSingles([2, 3], weights);
        var saved = new TorchDict
        {
            { "state", new TorchDict(isOrdered: true) { { "w", shared }, { "w2", shared }, { "scalar", TorchTensor.FromDoubles([], [Math.E]) } } },
            { "empty", TorchTensor.FromSingles([0, 3], []) },
            { "steps", TorchTensor.FromInt64s([1], [long.MaxValue]) },
            { "list", new TorchList(new TorchInt(-1), new TorchInt(1L << 40), new TorchFloat(0.1), new TorchNone(), new TorchBool(true)) },
            { "betas", new TorchTuple(new TorchFloat(0.9), new TorchFloat(0.999)) },
            { "name", new TorchString("straße\n") },
            { "wide", new TorchWideInt("FFFFFFFFFFFFFFFF00") },
            { 3, new TorchString("three") },
        };
        string path = _folder.File("saved.pt");
        TorchFile.Save(path, saved);
        var loaded = Assert.IsType<TorchDict>(TorchFile.Load(path));
        var state = Assert.IsType<TorchDict>(loaded["state"]);
        Assert.True(state.IsOrdered);
        Assert.Equal(weights, ((TorchTensor)state["w"]!).ToSingles());
        Assert.Equal([2L, 3L], ((TorchTensor)state["w"]!).Shape);
        Assert.Equal([Math.E], ((TorchTensor)state["scalar"]!).ToDoubles());
        Assert.Empty(((TorchTensor)loaded["empty"]!).ToSingles());
        Assert.Equal([long.MaxValue], ((TorchTensor)loaded["steps"]!).ToInt64s());
        Assert.Equal((TorchSequence)saved["list"]!, ((TorchSequence)loaded["list"]!).AsEnumerable());
        Assert.Equal(saved["name"], loaded["name"]);
        Assert.Equal(saved["wide"], loaded["wide"]);
        Assert.Equal(new TorchString("three"), loaded[3]);
        string again = _folder.File("again.pt");
        TorchFile.Save(again, loaded["list"]!);
        TorchFile.Save(path, saved["list"]!);
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(again));
    }

    [Fact]
    public void EndlessValuesAreNotSaved()
    {
        var list = new TorchList();
        for (int i = 0; i < 70; i++) list = new TorchList(list);
        string path = _folder.File("deep.pt");
        Assert.Throws<ArgumentException>(() => TorchFile.Save(path, list));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Root));
    }

    [Fact]
    public void AFileThatChangedIsNoticed()
    {
        var tensor = Assert.IsType<TorchTensor>(Load(new Pickle().Tensor("ByteStorage", 16, 0, [16], [1])));
        File.WriteAllBytes(_folder.File("case.pt"), new byte[10]);
        Assert.Contains("another length", Assert.Throws<BadFileException>(tensor.ToSingles).Message);
    }
}
