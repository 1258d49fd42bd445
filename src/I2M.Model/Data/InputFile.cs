using I2M.Kernels;

namespace I2M.Model.Data;

/// <summary>Opens files named by the user; every failure becomes one line that names the file.</summary>
internal static class InputFile
{
    /// <summary>Opens a regular, non-empty file for reading.</summary>
    /// <exception cref="BadFileException">Missing, a folder, empty, a pipe or device, or not readable.</exception>
    public static FileStream Open(string path)
    {
        try
        {
            if (Directory.Exists(path)) throw new BadFileException(path, "is a folder, expected a file");
            var info = new FileInfo(path);
            if (!info.Exists) throw new BadFileException(path, "no such file");
            // Pipes and devices report length 0 too; opening a pipe would wait for a writer.
            if (Resolve(info).Length == 0) throw new BadFileException(path, "is empty (0 bytes)");
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw Unreadable(path, e);
        }
    }

    /// <summary>The whole content of a file of at most <paramref name="maxBytes"/> bytes.</summary>
    public static byte[] ReadAll(string path, int maxBytes)
    {
        using var stream = Open(path);
        if (stream.Length > maxBytes)
            throw new BadFileException(path, $"is {stream.Length:N0} bytes long, expected at most {maxBytes:N0}");
        try
        {
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (IOException e)
        {
            throw Unreadable(path, e);
        }
    }

    /// <summary>The refusal for a file the operating system would not read.</summary>
    public static BadFileException Unreadable(string path, Exception cause) =>
        new(path, "cannot be read: " + cause.Message.ReplaceLineEndings(" "), cause);

    private static FileInfo Resolve(FileInfo file) => file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
}
