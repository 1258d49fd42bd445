using System.Buffers.Binary;
using System.Text;
using I2M.Kernels;
using I2M.Model.Io;
using Xunit;

namespace I2M.Model.Tests.Io;

/// <summary>Every rule of the safetensors header, broken one at a time, and the unusual files that are legal.</summary>
public sealed class SafetensorsCorpusTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Write(byte[] header, int dataBytes, ulong? headerLength = null)
    {
        byte[] file = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(file, headerLength ?? (ulong)header.Length);
        header.CopyTo(file, 8);
        return _folder.File("case.safetensors", file);
    }

    private static string Tensor(string name, string dtype, string shape, string offsets) =>
        $"\"{name}\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":{offsets}}}";

    private static void Refused(string path, string expected)
    {
        var error = Assert.Throws<BadFileException>(() => SafetensorsFile.Open(path).Dispose());
        Assert.StartsWith(path + ": ", error.Message);
        Assert.Contains(expected, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    public void FilesShorterThanTheLengthAreRefused(int length) => Refused(_folder.File("short", new byte[length]), "at least 8 bytes");

    [Theory]
    [InlineData(0UL, "begins with '{'")]
    [InlineData(1UL, "ends with '}'")]
    [InlineData(3UL, "but the file has only")]
    [InlineData(100_000_000UL, "but the file has only")]
    [InlineData(100_000_001UL, "at most 100000000")]
    [InlineData(1UL << 63, "at most 100000000")]
    [InlineData(ulong.MaxValue, "at most 100000000")]
    public void ImpossibleHeaderLengthsAreRefused(ulong length, string expected) => Refused(Write("{}"u8.ToArray(), 0, length), expected);

    public static TheoryData<string, int, string> BrokenHeaders => new()
    {
        { " {}", 0, "begins with '{'" },
        { "[]", 0, "begins with '{'" },
        { "\uFEFF{}", 0, "begins with '{'" },
        { "{}x", 0, "ends with '}'" },
        { "{}\n", 0, "ends with '}'" },
        { "{}{}", 0, "valid JSON" },
        { "{\"a\":}", 0, "valid JSON" },
        { "{\"a\":1}", 0, "tensor 'a': expected an object" },
        { "{\"a\":{}}", 0, "tensor 'a': expected dtype, shape and data_offsets" },
        { "{" + Tensor("a", "U8", "[2]", "[0,2]") + "," + Tensor("a", "U8", "[2]", "[2,4]") + "}", 4, "tensor 'a': occurs twice" },
        { "{" + Tensor("a", "U8", "[2]", "[0,2]") + "," + Tensor("\\u0061", "U8", "[2]", "[2,4]") + "}", 4, "tensor 'a': occurs twice" },
        { "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "dtype occurs twice" },
        { "{\"a\":{\"dtype\":\"U8\",\"extra\":1,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "unknown field 'extra'" },
        { "{" + Tensor("a", "U8", "[2]", "[0,2]") + "," + Tensor("b", "U8", "[2]", "[1,3]") + "}", 3, "tensor 'b': data_offsets: begins at 1, expected 2" },
        { "{" + Tensor("a", "U8", "[2]", "[0,2]") + "," + Tensor("b", "U8", "[2]", "[3,5]") + "}", 5, "tensor 'b': data_offsets: begins at 3, expected 2" },
        { "{" + Tensor("a", "U8", "[2]", "[1,3]") + "}", 3, "begins at 1, expected 0" },
        { "{" + Tensor("a", "U8", "[2]", "[0,2]") + "}", 3, "data: the tensors take 2 bytes" },
        { "{" + Tensor("a", "U8", "[2]", "[0,2]") + "}", 1, "data: the tensors take 2 bytes" },
        { "{" + Tensor("a", "U8", "[2]", "[2,0]") + "}", 2, "lies before the beginning" },
        { "{" + Tensor("a", "U8", "[2]", "[-2,0]") + "}", 2, "expected integers" },
        { "{" + Tensor("a", "U8", "[-0]", "[0,0]") + "}", 0, "expected integers" },
        { "{" + Tensor("a", "U8", "[-1,-2]", "[0,2]") + "}", 2, "expected integers" },
        { "{" + Tensor("a", "U8", "[100]", "[0,1e2]") + "}", 100, "expected integers" },
        { "{" + Tensor("a", "U8", "[2.0]", "[0,2]") + "}", 2, "expected integers" },
        { "{" + Tensor("a", "U8", "[\"2\"]", "[0,2]") + "}", 2, "expected integers" },
        { "{" + Tensor("a", "U8", "[9223372036854775808]", "[0,2]") + "}", 2, "expected integers" },
        { "{" + Tensor("a", "U8", "[[2]]", "[0,2]") + "}", 2, "expected integers" },
        { "{" + Tensor("a", "U8", "2", "[0,2]") + "}", 2, "expected a list of integers" },
        { "{" + Tensor("a", "U8", "[2]", "[0]") + "}", 2, "expected two numbers" },
        { "{" + Tensor("a", "U8", "[2]", "[0,1,2]") + "}", 2, "at most 2 numbers" },
        { "{" + Tensor("a", "U8", "[4194305,4194305,211106198978564]", "[0,4]") + "}", 4, "overflows" },
        { "{" + Tensor("a", "F64", "[2305843009213693952]", "[0,0]") + "}", 0, "overflows" },
        { "{" + Tensor("a", "F32", "[2]", "[0,4]") + "}", 4, "takes 8 bytes, the offsets span 4" },
        { "{" + Tensor("a", "F8_E4M3", "[2]", "[0,2]") + "}", 2, "dtype 'F8_E4M3'" },
        { "{" + Tensor("a", "F4", "[2]", "[0,1]") + "}", 1, "dtype 'F4'" },
        { "{" + Tensor("a", "f32", "[1]", "[0,4]") + "}", 4, "dtype 'f32'" },
        { "{" + Tensor("a", "1", "[1]", "[0,4]") + "}", 4, "dtype '1'" },
        { "{\"a\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "dtype: expected a string" },
        { "{\"__metadata__\":[]}", 0, "__metadata__: expected an object" },
        { "{\"__metadata__\":{\"k\":1}}", 0, "__metadata__.k: expected a string" },
        { "{\"__metadata__\":{\"k\":null}}", 0, "__metadata__.k: expected a string" },
        { "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "__metadata__.k: occurs twice" },
        { "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__: occurs twice" },
        { "{\"\\ud800\":{}}", 0, "Unicode" },
        { "{\"a\\nb\":1}", 0, "tensor 'a?b'" },
    };

    [Theory]
    [MemberData(nameof(BrokenHeaders))]
    public void BrokenHeadersAreRefusedByField(string header, int dataBytes, string expected) =>
        Refused(Write(Encoding.UTF8.GetBytes(header), dataBytes), expected);

    [Fact]
    public void BadUtf8IsRefused() => Refused(Write([(byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}'], 0), "UTF-8");

    [Fact]
    public void DeepNestingIsRefused()
    {
        string deep = "{\"a\":" + new string('[', 1000) + new string(']', 1000) + "}";
        Refused(Write(Encoding.UTF8.GetBytes(deep), 0), "expected an object");
        string deepInside = "{\"a\":{\"shape\":" + new string('[', 1000) + new string(']', 1000) + "}}";
        Refused(Write(Encoding.UTF8.GetBytes(deepInside), 0), "expected integers");
    }

    [Fact]
    public void AHundredThousandTensorsAreRefusedQuickly()
    {
        string many = "{" + string.Join(",", Enumerable.Range(0, 100_000).Select(i => Tensor($"t{i}", "U8", "[1]", $"[{i},{i + 1}]"))) + "}";
        string path = Write(Encoding.UTF8.GetBytes(many), 100_000);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Refused(path, "at most 20000 tensors");
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(1), $"took {clock.Elapsed}");
    }

    [Fact]
    public void VeryLongNamesAreRefusedInAShortMessage()
    {
        string path = Write(Encoding.UTF8.GetBytes("{" + Tensor(new string('n', 1_000_000), "U8", "[1]", "[0,1]") + "}"), 1);
        Refused(path, "at most 4096 characters");
        Assert.True(Assert.Throws<BadFileException>(() => SafetensorsFile.Open(path)).Message.Length < 400);
    }

    [Fact]
    public void UnusualButLegalFilesOpen()
    {
        string header = "{" + Tensor("scalar", "F32", "[]", "[0,4]") + "," + Tensor("empty", "F64", "[3,0]", "[4,4]")
            + "," + Tensor("last", "U8", "[1,2,1]", "[4,6]") + ",\"__metadata__\":{\"k\":\"\"}}      ";
        using var file = SafetensorsFile.Open(Write(Encoding.UTF8.GetBytes(header), 6));
        Assert.Equal([0f], file.ReadSingles("scalar"));
        Assert.Empty(file.Tensors["scalar"].Shape);
        Assert.Empty(file.ReadDoubles("empty"));
        Assert.Equal([0L, 0L], file.ReadInt64s("last"));
        Assert.Equal("", file.Metadata["k"]);
        using var none = SafetensorsFile.Open(Write("{}"u8.ToArray(), 0));
        Assert.Empty(none.Tensors);
    }

    [Fact]
    public void UnusableRequestsNameTheTensor()
    {
        string path = Write(Encoding.UTF8.GetBytes("{" + Tensor("w", "F32", "[2]", "[0,8]") + "}"), 8);
        using var file = SafetensorsFile.Open(path);
        Assert.Contains("tensor 'v': expected in the file", Assert.Throws<BadFileException>(() => file.ReadSingles("v")).Message);
        Assert.Contains("tensor 'w': dtype F32: expected integers", Assert.Throws<BadFileException>(() => file.ReadInt64s("w")).Message);
        Assert.Contains("tensor 'w': has 2 elements, expected 3", Assert.Throws<BadFileException>(() => file.ReadSingles("w", new float[3])).Message);
        using (var writer = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete)) writer.SetLength(60);
        Assert.Contains("it was longer when it was opened", Assert.Throws<BadFileException>(() => file.ReadSingles("w")).Message);
    }

    [Fact]
    public void WhatIsNoRegularFileIsRefused()
    {
        Refused(_folder.Root, "is a folder");
        Refused(_folder.File("absent"), "no such file");
        Refused(_folder.File("no/such/folder"), "no such file");
        Assert.SkipUnless(OperatingSystem.IsLinux(), "devices and pipes are tested on Linux");
        Refused("/dev/zero", "device");
        string pipe = _folder.File("pipe");
        System.Diagnostics.Process.Start("mkfifo", pipe).WaitForExit();
        Refused(pipe, "pipe");
        File.CreateSymbolicLink(_folder.File("loop"), _folder.File("loop"));
        Assert.Throws<BadFileException>(() => SafetensorsFile.Open(_folder.File("loop")));
    }
}
