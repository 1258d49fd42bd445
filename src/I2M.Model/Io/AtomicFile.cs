using I2M.Kernels;

namespace I2M.Model.Io;

/// <summary>Files that are either absent, old or complete, whatever happens while they are written.</summary>
public static class AtomicFile
{
    /// <summary>
    /// Writes a file by way of a temporary one in the same folder: content, fsync, rename, fsync of the folder. Missing parent
    /// folders are created. On any failure the temporary file is deleted and an existing file of that name is untouched; a killed
    /// process leaves at most a file named NAME.tmp-XXXXXXXX, which <see cref="AtomicDirectory.RemoveLeftovers"/> removes.
    /// </summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="write">Writes the content; the stream can seek. Exceptions other than I/O errors pass through unchanged.</param>
    /// <param name="expectedBytes">The size if it is known: then a full disk is noticed before the first byte is written.</param>
    /// <exception cref="I2MException">The folder cannot be written, the disk is full, or the name is a folder or device.</exception>
    public static void Write(string path, Action<Stream> write, long expectedBytes = 0)
    {
        try
        {
            string target = DurablePaths.Resolve(path);
            RequireFileName(path, target);
            string folder = Path.GetDirectoryName(target)!;
            DurablePaths.CreateFolders(folder);
            WriteAndRename(target, write, expectedBytes);
            Libc.SyncDirectory(folder);
        }
        catch (Exception e) when (DurablePaths.IsIoError(e))
        {
            throw DurablePaths.Explain(path, e);
        }
    }

    /// <summary>Writes a file of the given bytes, as <see cref="Write(string, Action{Stream}, long)"/>.</summary>
    public static void Write(string path, byte[] bytes) => Write(path, stream => stream.Write(bytes), bytes.Length);

    /// <summary>
    /// Finds out before long work whether <see cref="Write(string, Action{Stream}, long)"/> has a place to write to: makes and deletes a temporary file in
    /// the nearest folder that exists.
    /// </summary>
    /// <exception cref="I2MException">The folder cannot be written, or the name is a folder or device.</exception>
    public static void RequireWritable(string path)
    {
        try
        {
            string target = DurablePaths.Resolve(path);
            RequireFileName(path, target);
            string folder = Path.GetDirectoryName(target)!;
            while (!Path.Exists(folder)) folder = Path.GetDirectoryName(folder)!;
            string temporary = DurablePaths.TemporaryName(Path.Combine(folder, Path.GetFileName(target)));
            new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception e) when (DurablePaths.IsIoError(e))
        {
            throw DurablePaths.Explain(path, e);
        }
    }

    private static void RequireFileName(string path, string target)
    {
        if (Directory.Exists(target)) throw new I2MException($"{path}: is a folder; expected a file name");
        if (Libc.IsSpecial(target)) throw new I2MException($"{path}: is a device, pipe or socket; expected a regular file");
    }

    private static void WriteAndRename(string target, Action<Stream> write, long expectedBytes)
    {
        string temporary = DurablePaths.TemporaryName(target);
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            BufferSize = 1 << 16,
            PreallocationSize = expectedBytes,
        };
        try
        {
            using (var stream = new FileStream(temporary, options))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            DurablePaths.TryDelete(temporary);
            throw;
        }
    }
}
