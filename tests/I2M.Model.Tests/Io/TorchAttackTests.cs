using System.IO.Compression;
using System.Text;
using I2M.Kernels;
using I2M.Model.Io;
using Xunit;

namespace I2M.Model.Tests.Io;

/// <summary>Hostile pickles and zip traps: each is refused with words that name it, and nothing happens.</summary>
public sealed class TorchAttackTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private void Refused(byte[] file, string expected)
    {
        string path = _folder.File("attack.pt", file);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var error = Assert.Throws<BadFileException>(() => TorchFile.Load(path));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(2), $"took {clock.Elapsed}");
        Assert.StartsWith(path + ": ", error.Message);
        Assert.Contains(expected, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    private void Refused(Pickle pickle, string expected, byte protocol = 2) => Refused(TorchArchive.Of(pickle.Build(protocol)).ToBytes(), expected);

    [Theory]
    [InlineData("os", "system")]
    [InlineData("posix", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("builtins", "exec")]
    [InlineData("builtins", "getattr")]
    [InlineData("subprocess", "Popen")]
    [InlineData("torch", "load")]
    [InlineData("torch._utils", "_rebuild_tensor")]
    [InlineData("torch.storage", "_load_from_bytes")]
    [InlineData("collections.OrderedDict", "")]
    [InlineData("collections", "OrderedDict.update")]
    [InlineData("torch", "QInt8Storage")]
    public void ForbiddenGlobalsAreNamed(string module, string name)
    {
        string proof = _folder.File("executed");
        Refused(new Pickle().Global(module, name).Op("(").Text($"touch {proof}").Op("tR"), $"global '{module}.{name}' is not allowed");
        Assert.False(File.Exists(proof));
    }

    public static TheoryData<string, string, string> ForbiddenOpcodes => new()
    {
        { "INST", "(Vid\nios\nsystem\n", "opcode UNICODE" },
        { "INST", "(ios\nsystem\n", "opcode INST (0x69) of 'os.system'" },
        { "OBJ", "(N" + "o", "opcode OBJ" },
        { "NEWOBJ", "ccollections\nOrderedDict\n)\u0081", "opcode NEWOBJ" },
        { "NEWOBJ_EX", "ccollections\nOrderedDict\n)}\u0092", "opcode NEWOBJ_EX" },
        { "STACK_GLOBAL", "NN\u0093", "opcode STACK_GLOBAL" },
        { "EXT1", "\u0082\u0001", "opcode EXT1" },
        { "PERSID", "Pstorage\n", "opcode PERSID" },
        { "DUP", "N2", "opcode DUP" },
        { "POP", "NN0", "opcode POP" },
        { "unknown", "\u00FF", "opcode 0xff" },
        { "zero", "\u0000", "opcode 0x00" },
        { "BUILD on a dict", "}}b", "BUILD: allowed on an OrderedDict alone" },
        { "BUILD on a list", "]}b", "BUILD: allowed on an OrderedDict alone" },
        { "BUILD on a class", "ccollections\nOrderedDict\n}b", "BUILD: allowed on an OrderedDict alone" },
        { "BUILD on nothing", "}b", "BUILD: allowed on an OrderedDict alone" },
        { "REDUCE without tuple", "ccollections\nOrderedDict\n]R", "REDUCE: expected a tuple" },
        { "REDUCE of a list", "])R", "REDUCE: expected one of the known" },
        { "OrderedDict with arguments", "ccollections\nOrderedDict\n]\u0085R", "unexpected arguments for collections.OrderedDict" },
        { "storage called", "ctorch\nFloatStorage\n)R", "unexpected arguments for torch.FloatStorage" },
        { "tensor of nothing", "ctorch._utils\n_rebuild_tensor_v2\n)R", "tensor: expected a storage" },
        { "parameter of a list", "ctorch._utils\n_rebuild_parameter\n(]NNtR", "unexpected arguments" },
        { "global as value", "]ccollections\nOrderedDict\na", "a class or storage stands" },
        { "global as root", "ctorch\nFloatStorage\n", "a class or storage stands" },
        { "persistent id of a string", "X\u0001\0\0\0aQ", "persistent id: expected" },
        { "persistent id of a short tuple", ")Q", "persistent id: expected" },
        { "underflow at STOP", "", "expected one value at the end, found 0" },
        { "two values", "NN", "expected one value at the end, found 2" },
        { "mark as root", "(", "stack underflow" },
        { "underflow in TUPLE2", "N\u0086", "stack underflow" },
        { "underflow in APPEND", "a", "stack underflow" },
        { "underflow in APPENDS", "]e", "stack underflow: no mark" },
        { "underflow across a mark", "N(\u0086", "stack underflow" },
        { "append to a tuple", ")Na", "APPEND: expected a list" },
        { "set in a list", "]NNs", "SETITEM: expected a dict" },
        { "odd pairs", "}(Nu", "expected pairs" },
        { "list as key", "}]Ns", "dict key" },
        { "empty memo", "h\u0009", "memo entry 9 is empty" },
        { "memo of nothing", "q\u0001", "the stack is empty" },
        { "text too long", "X\u00FF\u00FF\u00FF\u007Fabc", "ends too soon" },
        { "text of 4 GB", "X\u00FF\u00FF\u00FF\u00FFabc", "ends too soon" },
        { "bad UTF-8", "X\u0001\0\0\0\u00FF", "valid UTF-8" },
        { "global without end", "cos", "GLOBAL: expected a name" },
        { "long global", "c" + new string('a', 300) + "\nb\n", "GLOBAL: expected a name" },
    };

    [Theory]
    [MemberData(nameof(ForbiddenOpcodes))]
    public void DamagedAndForbiddenOpcodesAreRefused(string what, string code, string expected)
    {
        Assert.NotEmpty(what);
        Refused(new Pickle().Op(code), expected);
    }

    [Fact]
    public void OtherProtocolsAndTruncationAreRefused()
    {
        foreach (byte protocol in new byte[] { 0, 1, 3, 4, 5 }) Refused(new Pickle().Op("N"), "expected pickle protocol 2", protocol);
        Refused(TorchArchive.Of([0x80, 2, (byte)'N']).ToBytes(), "ends too soon");
        Refused(TorchArchive.Of([]).ToBytes(), "ends too soon");
    }

    [Fact]
    public void DeepNestingCyclesAndBombsAreRefused()
    {
        Refused(new Pickle().Op(new string(']', 66) + new string('a', 65)), "nested more than 64 deep");
        Refused(new Pickle().Op("N" + string.Concat(Enumerable.Repeat("\u0085", 900_000))), "nested more than 64 deep");
        Refused(new Pickle().Op("]q\u0001h\u0001a"), "nested more than 64 deep");
        var laughs = new Pickle().Op("]q\u0000");
        for (byte i = 1; i < 40; i++) laughs.Op("](").Op((byte)'h', (byte)(i - 1), (byte)'h', (byte)(i - 1), (byte)'e', (byte)'q', i);
        Refused(new Pickle().Op("(").Op(laughs.Build()[2..^1]).Op("t"), "unfolds to more than");
        Refused(new Pickle().Op(new string(']', 1_000_001)), "more than 1000000 objects");
        var memo = new Pickle().Op("N");
        for (uint i = 0; i <= 1_000_000; i++) memo.Op("r").Op(BitConverter.GetBytes(i * 4096));
        Refused(memo, "more than 1000000 memo entries");
    }

    [Theory]
    [InlineData(5, 0, new long[] { 5 }, new long[] { 1 }, "do not fit its 16 bytes")]
    [InlineData(long.MaxValue, 0, new long[] { 1 }, new long[] { 1 }, "do not fit its 16 bytes")]
    [InlineData(-1, 0, new long[] { 1 }, new long[] { 1 }, "persistent id")]
    [InlineData(4, 0, new long[] { 5 }, new long[] { 1 }, "reaches past its storage of 4")]
    [InlineData(4, 1, new long[] { 4 }, new long[] { 1 }, "reaches past its storage of 4")]
    [InlineData(4, 0, new long[] { 2, 2 }, new long[] { 3, 1 }, "reaches past its storage of 4")]
    [InlineData(4, 5, new long[] { 0 }, new long[] { 1 }, "offset 5 lies past")]
    [InlineData(4, long.MaxValue, new long[] { 1 }, new long[] { 1 }, "lies past")]
    [InlineData(4, -1, new long[] { 1 }, new long[] { 1 }, "expected a storage, an offset")]
    [InlineData(4, 3, new long[] { 2 }, new long[] { -1 }, "stride: expected integers not below 0")]
    [InlineData(4, 0, new long[] { -2 }, new long[] { 1 }, "size: expected integers not below 0")]
    [InlineData(4, 0, new long[] { 1L << 32, 1L << 32 }, new long[] { 0, 0 }, "overflows")]
    [InlineData(4, 0, new long[] { 3 }, new long[] { long.MaxValue }, "overflows")]
    [InlineData(4, 0, new long[] { 1L << 40 }, new long[] { 0 }, "more elements than its storage")]
    [InlineData(4, 0, new long[] { 2, 2 }, new long[] { 1 }, "size has 2 dimensions, stride 1")]
    public void TensorsBeyondTheirStorageAreRefused(long count, long offset, long[] size, long[] stride, string expected) =>
        Refused(new Pickle().Tensor("FloatStorage", count, offset, size, stride), expected);

    [Fact]
    public void AbsentStoragesAreNamed() => Refused(new Pickle().Tensor("FloatStorage", 1, 0, [1], [1], key: "../7"), "storage '../7': expected in the archive");

    [Fact]
    public void ZipTrapsAreRefused()
    {
        byte[] none = new Pickle().Op("N").Build();
        Refused(new TorchArchive().Add("m/version", []).ToBytes(), "data.pkl: expected one in the archive, found 0");
        Refused(TorchArchive.Of(none).Add("n/data.pkl", none).ToBytes(), "found 2");
        Refused(TorchArchive.Of(none).Add("m/data.pkl", none).ToBytes(), "'m/data.pkl': occurs twice");
        Refused(TorchArchive.Of(none).Add("m/data/1", new byte[100], CompressionLevel.Fastest).ToBytes(), "'m/data/1': is compressed");
        Refused(TorchArchive.Of(none).Add("../evil", [1]).ToBytes(), "'../evil': expected every entry under m/");
        Refused(TorchArchive.Of(none).Add("m/constants.pkl", none).ToBytes(), "TorchScript");
        Refused(TorchArchive.Of(none).Add("m/byteorder", "big"u8.ToArray()).ToBytes(), "byteorder 'big': expected little");
        byte[] whole = TorchArchive.Of(none).ToBytes();
        Refused(whole[..^1], "expected a zip archive");
        Refused(whole[..(whole.Length / 2)], "expected a zip archive");
        Refused(whole[..5], "has 5 bytes");
        Refused(new byte[100_000], "expected a zip archive");
        Refused(Encoding.ASCII.GetBytes("<html>not a model at all</html>"), "expected a zip archive");
        Refused([0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.'], "legacy format (before 1.6)");
    }

    [Fact]
    public void PatchedZipFieldsAreRefused()
    {
        byte[] whole = TorchArchive.Of(new Pickle().Op("N").Build()).ToBytes();
        int directory = whole.AsSpan().IndexOf("PK\u0001\u0002"u8), end = whole.AsSpan().LastIndexOf("PK\u0005\u0006"u8);
        byte[] Patch(int at, params byte[] bytes)
        {
            byte[] copy = [.. whole];
            bytes.CopyTo(copy, at);
            return copy;
        }
        Refused(Patch(directory + 8, 1), "is encrypted");
        Refused(Patch(6, 1), "local header says compressed or encrypted");
        Refused(Patch(8, 8), "local header says compressed or encrypted");
        Refused(Patch(30, (byte)'x'), "local header is damaged");
        Refused(Patch(directory + 42, 0xFE, 0xFF, 0xFF, 0x7F), "lies outside the file");
        Refused(Patch(directory + 20, 0, 0, 0, 1, 0, 0, 0, 1), "lies outside the file");
        Refused(Patch(directory + 24, 1), "two sizes differ");
        Refused(Patch(directory + 20, 0xFF, 0xFF, 0xFF, 0xFF), "zip64 field is damaged");
        Refused(Patch(directory + 28, 0xFF, 0xFF), "entry 0 of 3 is damaged");
        Refused(Patch(directory, 0), "entry 0 of 3 is damaged");
        Refused(Patch(end + 10, 4), "entry 3 of 4 is damaged");
        Refused(Patch(end + 12, 0xFE, 0xFF, 0xFF, 0x7F), "lies outside the file");
        Refused(Patch(end + 16, 0xFF, 0xFF, 0xFF, 0xFF), "zip64 locator");
    }
}
