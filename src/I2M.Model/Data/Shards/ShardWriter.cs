using System.Formats.Tar;

namespace I2M.Model.Data.Shards;

/// <summary>Writes one shard: a tar whose members say nothing of who wrote them when, so that equal samples give equal bytes.</summary>
internal sealed class ShardWriter : IDisposable
{
    private const int HeaderBytes = 512;
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private readonly FileStream _file;
    private readonly TarWriter _tar;

    /// <param name="path">A new file.</param>
    public ShardWriter(string path)
    {
        _file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        _tar = new TarWriter(_file, TarEntryFormat.Ustar, leaveOpen: true);
    }

    /// <summary>Bytes so far; what closes a tar comes on top.</summary>
    public long Bytes => _file.Position;

    /// <summary>Adds a member; names of this length take one block before the content.</summary>
    public ShardMember Add(int sample, string extension, byte[] content)
    {
        var member = new ShardMember(extension, _file.Position + HeaderBytes, content.Length, ContentHash.Of(content));
        _tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, ShardIndex.MemberName(sample, member)) { DataStream = new MemoryStream(content, writable: false), ModificationTime = DateTimeOffset.UnixEpoch, Mode = Mode });
        return member;
    }

    /// <summary>Ends the tar; gives the file's length.</summary>
    public long Close()
    {
        _tar.Dispose();
        return _file.Length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _tar.Dispose();
        _file.Dispose();
    }
}
