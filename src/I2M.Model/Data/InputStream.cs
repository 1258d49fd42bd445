using I2M.Kernels;
using I2M.Model.Io;

namespace I2M.Model.Data;

/// <summary>Reads picture, sound and list files as streams; every failure becomes one line that names the file.</summary>
internal static class InputStream
{
    /// <summary>Opens a regular, non-empty file for reading.</summary>
    /// <exception cref="BadFileException">Missing, a folder, a pipe or device, empty, or not readable.</exception>
    public static FileStream Open(string path)
    {
        var stream = new FileStream(InputFile.Open(path), FileAccess.Read, 1 << 16);
        if (stream.Length > 0) return stream;
        stream.Dispose();
        throw new BadFileException(path, "is empty (0 bytes)");
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
        new(path, "cannot be read: " + InputFile.OneLine(cause.Message), cause);
}
