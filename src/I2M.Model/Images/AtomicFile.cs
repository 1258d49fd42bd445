using I2M.Kernels;

namespace I2M.Model.Images;

/// <summary>Files that appear whole or not at all: a temporary neighbour is written, flushed to the disk and renamed.</summary>
internal static class AtomicFile
{
    /// <exception cref="BadFileException">The file cannot be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                stream.Write(bytes);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            if (File.Exists(temporary))
                File.Delete(temporary);
            throw new BadFileException(path, $"cannot be written: {error.Message.ReplaceLineEndings(" ")}", error);
        }
    }
}
