using System.Text;
using I2M.Kernels;
using I2M.Model.Io;
using Microsoft.Win32.SafeHandles;

namespace I2M.Model.Data.Shards;

/// <summary>The tars of a folder, opened for reading members at the places the index says.</summary>
internal sealed class ShardFiles : IDisposable
{
    /// <summary>A header block begins with the name, 100 bytes of it, and lies right before the content.</summary>
    private const int HeaderBytes = 512, NameBytes = 100;
    private readonly string _folder;
    private readonly ShardIndex _index;
    private readonly SafeFileHandle[] _files;

    /// <summary>Opens every shard and compares its length with the index.</summary>
    /// <exception cref="BadFileException">A shard is missing, cut or longer than the index says.</exception>
    public ShardFiles(string folder, ShardIndex index)
    {
        (_folder, _index, _files) = (folder, index, new SafeFileHandle[index.Shards.Count]);
        for (int i = 0; i < _files.Length; i++)
        {
            string path = PathOf(i);
            _files[i] = InputFile.Open(path);
            long length = RandomAccess.GetLength(_files[i]);
            if (length != index.Shards[i].Bytes) { throw new BadFileException(path, $"is {length:N0} bytes long, expected {index.Shards[i].Bytes:N0} as {ShardIndex.FileName} says: it is {(length < index.Shards[i].Bytes ? "cut" : "another one")}"); }
        }
    }

    /// <summary>Number of a sample's shard.</summary>
    public int ShardOf(int sample)
    {
        int low = 0, high = _files.Length - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            (low, high) = _index.Shards[middle].First <= sample ? (middle, high) : (low, middle - 1);
        }
        return low;
    }

    /// <summary>What to call a member in messages: folder/train-00000.tar/0000042.jpg.</summary>
    public string NameOf(int sample, in ShardMember member) => PathOf(ShardOf(sample)) + "/" + ShardIndex.MemberName(sample, member);

    /// <summary>Reads a member.</summary>
    /// <param name="sample">Number of its sample.</param>
    /// <param name="member">Where it lies.</param>
    /// <param name="content">As many bytes as it has.</param>
    /// <exception cref="BadFileException">Another member lies there, or the file cannot be read.</exception>
    public void Read(int sample, in ShardMember member, Span<byte> content)
    {
        int shard = ShardOf(sample);
        Span<byte> name = stackalloc byte[NameBytes], expected = stackalloc byte[NameBytes];
        InputFile.ReadExactly(_files[shard], PathOf(shard), member.Offset - HeaderBytes, name);
        expected.Clear();
        System.Text.Unicode.Utf8.TryWrite(expected, $"{sample:D7}.{member.Extension}", out _);
        if (!name.SequenceEqual(expected))
        {
            int end = name.IndexOf((byte)0);
            throw new BadFileException(NameOf(sample, member), $"is not where {ShardIndex.FileName} says; \"{InputFile.OneLine(Encoding.UTF8.GetString(name[..(end < 0 ? NameBytes : end)]))}\" lies there (i2m data verify names all that is wrong)");
        }
        InputFile.ReadExactly(_files[shard], PathOf(shard), member.Offset, content);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SafeFileHandle file in _files) { file.Dispose(); }
    }

    private string PathOf(int shard) => Path.Combine(_folder, _index.Shards[shard].Name);
}
