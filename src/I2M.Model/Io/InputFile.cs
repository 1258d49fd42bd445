using System.Text;
using I2M.Kernels;
using Microsoft.Win32.SafeHandles;

namespace I2M.Model.Io;

/// <summary>
/// Opening and reading files that nobody vouches for. Reads are positioned copies, not a memory map: a file that shrinks
/// meanwhile gives an error where a map would kill the process (SIGBUS).
/// </summary>
public static class InputFile
{
    /// <summary>Opens a regular file for positioned reading.</summary>
    /// <exception cref="BadFileException">It is absent, a folder, a device, pipe or socket, or may not be read.</exception>
    public static SafeFileHandle Open(string path)
    {
        try
        {
            if (Directory.Exists(path)) throw new BadFileException(path, "is a folder; expected a file");
            if (Libc.IsSpecial(path)) throw new BadFileException(path, "is a device, pipe or socket; expected a regular file");
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BadFileException(path, "no such file", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new BadFileException(path, "no permission to read it", e);
        }
        catch (Exception e) when (e is IOException or ArgumentException or NotSupportedException)
        {
            throw new BadFileException(path, $"cannot be opened: {OneLine(e.Message)}", e);
        }
    }

    /// <summary>Fills <paramref name="destination"/> from byte <paramref name="offset"/> of the file on.</summary>
    /// <param name="handle">From <see cref="Open"/>.</param>
    /// <param name="path">The name for messages.</param>
    /// <param name="offset">First byte, from the file's start.</param>
    /// <param name="destination">Filled to its end.</param>
    /// <exception cref="BadFileException">The file ends too soon or cannot be read.</exception>
    public static void ReadExactly(SafeFileHandle handle, string path, long offset, Span<byte> destination)
    {
        try
        {
            while (!destination.IsEmpty)
            {
                int read = RandomAccess.Read(handle, destination, offset);
                if (read == 0) throw new BadFileException(path, $"ends at byte {offset}; it was longer when it was opened");
                destination = destination[read..];
                offset += read;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadFileException(path, $"cannot be read: {OneLine(e.Message)}", e);
        }
    }

    /// <summary>The whole of a small text file in UTF-8.</summary>
    /// <exception cref="BadFileException">It cannot be read, or is longer than <paramref name="maxBytes"/>.</exception>
    public static string ReadText(string path, int maxBytes = 1 << 20)
    {
        using SafeFileHandle handle = Open(path);
        long length = RandomAccess.GetLength(handle);
        if (length > maxBytes) throw new BadFileException(path, $"has {length} bytes; expected settings of at most {maxBytes}");
        byte[] bytes = new byte[length];
        ReadExactly(handle, path, 0, bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Text from a file made fit for a one-line message: control characters replaced, long text cut.</summary>
    internal static string OneLine(string text)
    {
        const int MaxLength = 80;
        string cut = text.Length <= MaxLength ? text : string.Concat(text.AsSpan(0, MaxLength), "…");
        return string.Create(cut.Length, cut, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++) span[i] = char.IsControl(source[i]) || source[i] is '\u2028' or '\u2029' ? '?' : source[i];
        });
    }
}
