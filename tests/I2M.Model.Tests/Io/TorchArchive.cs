using System.IO.Compression;
using System.Text;

namespace I2M.Model.Tests.Io;

/// <summary>Builds PyTorch archives by hand, well-formed and hostile ones.</summary>
internal sealed class TorchArchive
{
    private readonly List<(string Name, byte[] Content, CompressionLevel Level)> _entries = [];

    /// <summary>An archive with this pickle and storage "0" of 16 zero bytes.</summary>
    public static TorchArchive Of(byte[] pickle, int storageBytes = 16) =>
        new TorchArchive().Add("m/data.pkl", pickle).Add("m/version", "3\n"u8.ToArray()).Add("m/data/0", Enumerable.Range(0, storageBytes).Select(i => (byte)i).ToArray());

    public TorchArchive Add(string name, byte[] content, CompressionLevel level = CompressionLevel.NoCompression)
    {
        _entries.Add((name, content, level));
        return this;
    }

    public byte[] ToBytes()
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, content, level) in _entries)
            {
                using Stream entry = zip.CreateEntry(name, level).Open();
                entry.Write(content);
            }
        return stream.ToArray();
    }
}

/// <summary>Assembles pickles from opcodes; <see cref="Build"/> adds protocol and STOP.</summary>
internal sealed class Pickle
{
    private readonly List<byte> _code = [];

    public Pickle Op(params ReadOnlySpan<byte> bytes)
    {
        _code.AddRange(bytes);
        return this;
    }

    public Pickle Op(string ascii) => Op(Encoding.Latin1.GetBytes(ascii));

    public Pickle Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return Op("X").Op(BitConverter.GetBytes(bytes.Length)).Op(bytes);
    }

    public Pickle Integer(long value) => value is >= 0 and < 256 ? Op("K").Op((byte)value) : Op(0x8A, 8).Op(BitConverter.GetBytes(value));

    public Pickle Global(string module, string name) => Op($"c{module}\n{name}\n");

    public Pickle Integers(params long[] values)
    {
        Op("(");
        foreach (long value in values) Integer(value);
        return Op("t");
    }

    public Pickle Storage(string type, long count, string key = "0") =>
        Op("(").Text("storage").Global("torch", type).Text(key).Text("cpu").Integer(count).Op("tQ");

    public Pickle Tensor(string type, long storageCount, long offset, long[] size, long[] stride, string key = "0") =>
        Global("torch._utils", "_rebuild_tensor_v2").Op("(").Storage(type, storageCount, key).Integer(offset).Integers(size).Integers(stride)
            .Op(0x89).Global("collections", "OrderedDict").Op(")RtR");

    public byte[] Build(byte protocol = 2) => [0x80, protocol, .. _code, (byte)'.'];
}
