using System.Text;
using CsCheck;
using I2M.Kernels;
using I2M.Model.Io;
using Xunit;

namespace I2M.Model.Tests.Io;

/// <summary>What is written is read back; the layout is that of the reference writer.</summary>
public sealed class SafetensorsRoundTripTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void EveryTypeComesBackBitForBit()
    {
        float[] singles = [0, -0f, 1.5f, float.NaN, float.PositiveInfinity, float.Epsilon];
        double[] doubles = [Math.PI, double.NegativeInfinity];
        string path = _folder.File("all.safetensors");
        SafetensorsWriter.Write(path,
        [
            TensorData.Bytes("bytes", [2], new byte[] { 0, 255 }),
            TensorData.Int32s("i32", [2], new[] { int.MinValue, int.MaxValue }),
            TensorData.Int64s("i64", [1, 2], new[] { long.MinValue, long.MaxValue }),
            TensorData.Singles("singles", [2, 3], singles),
            TensorData.Doubles("doubles", [2], doubles),
            TensorData.BFloat16s("halves", [3], new[] { 1f, -2f, 0.5f }),
            TensorData.Singles("scalar", [], new[] { 7f }),
            TensorData.Singles("empty", [0, 4], Array.Empty<float>()),
        ], new Dictionary<string, string> { ["note"] = "ünï\n\"quoted\"", ["a"] = "b" });
        using var file = SafetensorsFile.Open(path);
        Assert.Equal(["i64", "doubles"], file.Tensors.Where(t => t.Value.DType.SizeInBytes() == 8).Select(t => t.Key).Order(StringComparer.Ordinal).Reverse());
        Assert.Equal(singles.Select(BitConverter.SingleToInt32Bits), file.ReadSingles("singles").Select(BitConverter.SingleToInt32Bits));
        Assert.Equal(doubles, file.ReadDoubles("doubles"));
        Assert.Equal([(float)Math.PI, float.NegativeInfinity], file.ReadSingles("doubles"));
        Assert.Equal([long.MinValue, long.MaxValue], file.ReadInt64s("i64"));
        Assert.Equal([int.MinValue, int.MaxValue], file.ReadInt64s("i32"));
        Assert.Equal([0L, 255L], file.ReadInt64s("bytes"));
        Assert.Equal([1f, -2f, 0.5f], file.ReadSingles("halves"));
        Assert.Equal([7f], file.ReadSingles("scalar"));
        Assert.Empty(file.ReadSingles("empty"));
        Assert.Equal([2L, 3L], file.Tensors["singles"].Shape);
        Assert.Equal("ünï\n\"quoted\"", file.Metadata["note"]);
        var target = new float[6];
        file.ReadSingles("singles", target);
        Assert.Equal(1.5f, target[2]);
    }

    [Fact]
    public void TheLayoutIsTheReferenceWriters()
    {
        string path = _folder.File("layout.safetensors");
        SafetensorsWriter.Write(path, [TensorData.Bytes("a", [1], new byte[] { 9 }), TensorData.Singles("z", [1], new[] { 1f }), TensorData.Singles("b", [1], new[] { 2f })],
            new Dictionary<string, string> { ["k"] = "v" });
        byte[] bytes = File.ReadAllBytes(path);
        const string header = "{\"__metadata__\":{\"k\":\"v\"},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
            + "\"z\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]},\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[8,9]}}";
        int padded = (header.Length + 7) / 8 * 8;
        Assert.Equal((ulong)padded, BitConverter.ToUInt64(bytes));
        Assert.Equal(header.PadRight(padded), Encoding.ASCII.GetString(bytes, 8, padded));
        Assert.Equal([0, 0, 0, 0x40, 0, 0, 0x80, 0x3F, 9], bytes[(8 + padded)..]);
    }

    [Fact]
    public void RandomTensorsComeBack() =>
        Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 1, 20], Gen.Float.Array[0, 300]).List[0, 8].Sample(pairs =>
        {
            var unique = pairs.DistinctBy(p => p.Item1).ToList();
            string path = _folder.File(Guid.NewGuid().ToString("N"));
            SafetensorsWriter.Write(path, [.. unique.Select(p => TensorData.Singles(p.Item1, [p.Item2.Length], p.Item2))]);
            using var file = SafetensorsFile.Open(path);
            Assert.Equal(unique.Count, file.Tensors.Count);
            foreach ((string name, float[] values) in unique)
                Assert.Equal(values.Select(BitConverter.SingleToInt32Bits), file.ReadSingles(name).Select(BitConverter.SingleToInt32Bits));
        }, iter: 200, threads: 1);

    [Theory]
    [InlineData(0x3F808000u, 0x3F80)] // tie to even: down
    [InlineData(0x3F818000u, 0x3F82)] // tie to even: up
    [InlineData(0x3F808001u, 0x3F81)] // just above the tie
    [InlineData(0x7F7FFFFFu, 0x7F80)] // largest single rounds to infinity
    [InlineData(0x7F800000u, 0x7F80)] // infinity stays
    [InlineData(0xFF800001u, 0xFFC0)] // NaN stays NaN
    [InlineData(0x7FFFFFFFu, 0x7FFF)]
    [InlineData(0x80000000u, 0x8000)]
    public void BFloat16RoundsToNearestEven(uint single, int expected) =>
        Assert.Equal((ushort)expected, DTypes.ToBFloat16(BitConverter.UInt32BitsToSingle(single)));

    [Fact]
    public void LargeTensorsAreStreamed()
    {
        const long count = 40_000_000; // 160 MB from a callback
        string path = _folder.File("large.safetensors");
        long before = GC.GetAllocatedBytesForCurrentThread();
        SafetensorsWriter.Write(path, [new TensorData("w", DType.F32, [count], static (first, bytes) =>
        {
            Span<float> values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes);
            for (int i = 0; i < values.Length; i++) values[i] = first + i;
        })]);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < 8 << 20, $"allocated {allocated} bytes");
        using var file = SafetensorsFile.Open(path);
        float[] read = file.ReadSingles("w");
        Assert.Equal(count, read.Length);
        Assert.Equal((float)(count - 1), read[^1]);
        Assert.Equal(1_234_567f, read[1_234_567]);
    }

    [Fact]
    public void WrongArgumentsAreRefused()
    {
        Assert.Throws<ArgumentException>(() => TensorData.Singles("a", [2], new float[3]));
        Assert.Throws<ArgumentException>(() => TensorData.Singles("__metadata__", [3], new float[3]));
        Assert.Throws<ArgumentException>(() => TensorData.Singles("a", [-1, -3], new float[3]));
        string path = _folder.File("twice");
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(path, [TensorData.Bytes("a", [1], new byte[1]), TensorData.Bytes("a", [1], new byte[1])]));
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void HalvesAndSmallIntegersAreConverted()
    {
        string path = _folder.File("small.safetensors");
        SafetensorsWriter.Write(path,
        [
            new TensorData("f16", DType.F16, [2], (_, b) => { BitConverter.TryWriteBytes(b, (Half)0.25f); BitConverter.TryWriteBytes(b[2..], Half.MinValue); }),
            new TensorData("i16", DType.I16, [2], (_, b) => { BitConverter.TryWriteBytes(b, (short)-5); BitConverter.TryWriteBytes(b[2..], short.MaxValue); }),
            new TensorData("i8", DType.I8, [1], (_, b) => b[0] = 0x80),
            new TensorData("bool", DType.BOOL, [3], (_, b) => new byte[] { 0, 1, 2 }.CopyTo(b)),
        ]);
        using var file = SafetensorsFile.Open(path);
        Assert.Equal([0.25f, -65504f], file.ReadSingles("f16"));
        Assert.Equal([-5.0, 32767.0], file.ReadDoubles("i16"));
        Assert.Equal([-128L], file.ReadInt64s("i8"));
        Assert.Equal([0L, 1L, 1L], file.ReadInt64s("bool"));
    }
}
