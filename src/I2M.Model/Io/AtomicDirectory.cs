using I2M.Kernels;

namespace I2M.Model.Io;

/// <summary>Folders that appear complete or not at all: checkpoints and model folders.</summary>
public static class AtomicDirectory
{
    /// <summary>
    /// Builds a folder under a temporary name beside its place (NAME.tmp-XXXXXXXX), makes every file durable, renames it to its
    /// name and makes the rename durable. Missing parents are created. On any failure the temporary folder is deleted.
    /// </summary>
    /// <param name="path">The folder to create.</param>
    /// <param name="build">Fills the temporary folder whose path it is given.</param>
    /// <param name="replace">
    /// Whether an existing folder of that name gives way: it is exchanged with the new one in one step (on file systems without
    /// such a step: moved aside, then replaced) and deleted afterwards. Without it an existing folder is an error.
    /// </param>
    /// <exception cref="I2MException">The place cannot be written, the disk is full, or the name is taken.</exception>
    public static void Write(string path, Action<string> build, bool replace = false)
    {
        try
        {
            string target = DurablePaths.Resolve(path);
            RefuseTaken(path, target, replace);
            string parent = Path.GetDirectoryName(target) ?? throw new I2MException($"{path}: is the root folder; expected a new name");
            DurablePaths.CreateFolders(parent);
            BuildAndRename(target, build);
            Libc.SyncDirectory(parent);
        }
        catch (Exception e) when (DurablePaths.IsIoError(e))
        {
            throw DurablePaths.Explain(path, e);
        }
    }

    /// <summary>
    /// Deletes what killed runs left of <paramref name="name"/>: files and folders NAME.tmp-XXXXXXXX (eight hexadecimal digits).
    /// Call it only when no other process writes there.
    /// </summary>
    /// <param name="parent">The folder to look in; nothing happens when it is absent.</param>
    /// <param name="name">A folder or file name; "*" means leftovers of any name.</param>
    /// <returns>How many were deleted.</returns>
    /// <exception cref="I2MException">A leftover cannot be deleted.</exception>
    public static int RemoveLeftovers(string parent, string name)
    {
        if (!Directory.Exists(parent)) return 0;
        int removed = 0;
        try
        {
            foreach (FileSystemInfo entry in new DirectoryInfo(parent).GetFileSystemInfos())
            {
                if (!DurablePaths.IsTemporaryNameOf(entry.Name, name)) continue;
                if (entry is DirectoryInfo folder && entry.LinkTarget is null) folder.Delete(recursive: true);
                else entry.Delete();
                removed++;
            }
        }
        catch (Exception e) when (DurablePaths.IsIoError(e))
        {
            throw DurablePaths.Explain(parent, e);
        }
        return removed;
    }

    private static void RefuseTaken(string path, string target, bool replace)
    {
        if (File.Exists(target)) throw new I2MException($"{path}: is a file; expected a folder name");
        if (!replace && Directory.Exists(target)) throw new I2MException($"{path}: exists already; expected a new folder name");
    }

    private static void BuildAndRename(string target, Action<string> build)
    {
        string temporary = DurablePaths.TemporaryName(target);
        try
        {
            Directory.CreateDirectory(temporary);
            build(temporary);
            SyncTree(temporary);
            if (!Directory.Exists(target)) Directory.Move(temporary, target);
            else Replace(temporary, target);
        }
        catch
        {
            DurablePaths.TryDelete(temporary);
            throw;
        }
    }

    private static void Replace(string temporary, string target)
    {
        if (Libc.TryExchange(temporary, target))
        {
            // The old content now has the temporary name. The exchange must be durable before that content goes.
            Libc.SyncDirectory(Path.GetDirectoryName(target)!);
            DurablePaths.TryDelete(temporary);
            return;
        }
        string aside = DurablePaths.TemporaryName(target);
        Directory.Move(target, aside);
        try
        {
            Directory.Move(temporary, target);
        }
        catch
        {
            Directory.Move(aside, target);
            throw;
        }
        Libc.SyncDirectory(Path.GetDirectoryName(target)!);
        DurablePaths.TryDelete(aside);
    }

    private static void SyncTree(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder))
        {
            using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.FlushToDisk(handle);
        }
        foreach (string inner in Directory.EnumerateDirectories(folder)) SyncTree(inner);
        Libc.SyncDirectory(folder);
    }
}
