using System.Security;
using System.Text.RegularExpressions;
using I2M.Kernels;

namespace I2M.Model.Io;

/// <summary>What atomic files and folders share: temporary names, parent folders, and the wording of I/O errors.</summary>
internal static partial class DurablePaths
{
    /// <summary>The absolute path without a trailing separator.</summary>
    /// <exception cref="I2MException">The path is empty or cannot be one.</exception>
    public static string Resolve(string path)
    {
        if (string.IsNullOrEmpty(path) || path.Contains('\0')) throw new I2MException("output path: expected a file or folder name");
        return Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
    }

    /// <summary>An unused NAME.tmp-XXXXXXXX beside the target. Long names are cut, as 255 bytes is what file systems take.</summary>
    public static string TemporaryName(string target) =>
        Path.Combine(Path.GetDirectoryName(target) ?? target, $"{Cut(Path.GetFileName(target))}.tmp-{Guid.NewGuid().ToString("N")[..8]}");

    /// <summary>Whether <paramref name="candidate"/> is a temporary name made for <paramref name="name"/> ("*": for any name).</summary>
    public static bool IsTemporaryNameOf(string candidate, string name)
    {
        Match match = TemporaryPattern().Match(candidate);
        return match.Success && (name == "*" || match.Groups[1].Value == Cut(name));
    }

    /// <summary>Creates a folder and its missing parents, each made durable in the one above it.</summary>
    public static void CreateFolders(string folder)
    {
        var missing = new Stack<string>();
        for (string? above = folder; above is not null && !Directory.Exists(above); above = Path.GetDirectoryName(above)) missing.Push(above);
        foreach (string each in missing)
        {
            Directory.CreateDirectory(each);
            Libc.SyncDirectory(Path.GetDirectoryName(each)!);
        }
    }

    /// <summary>Deletes a temporary file or folder after a failure; what stays behind is no worse than that failure.</summary>
    public static void TryDelete(string path)
    {
        try
        {
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
            else File.Delete(path);
        }
        catch (Exception e) when (IsIoError(e))
        {
        }
    }

    /// <summary>Whether the exception comes from the file system.</summary>
    public static bool IsIoError(Exception e) => e is IOException or UnauthorizedAccessException or SecurityException;

    /// <summary>The one-line error for a path that could not be written.</summary>
    public static I2MException Explain(string path, Exception e)
    {
        const int NoSpace = 28, QuotaExceeded = 122, WindowsDiskFull = 0x70;
        string reason = e switch
        {
            UnauthorizedAccessException or SecurityException => "no permission to write there",
            IOException { HResult: NoSpace or QuotaExceeded } => "no space left on the disk",
            IOException when (e.HResult & 0xFFFF) == WindowsDiskFull => "no space left on the disk",
            // Preallocation reports a full disk with a general error number; runtime messages are never localised.
            IOException when e.Message.Contains("disk was full", StringComparison.Ordinal) => "no space left on the disk",
            _ => $"cannot be written: {e.Message.ReplaceLineEndings(" ")}",
        };
        return new I2MException($"{path}: {reason}", e);
    }

    private static string Cut(string name)
    {
        const int MaxLength = 60; // of up to four bytes each in UTF-8
        return name.Length <= MaxLength ? name : name[..MaxLength];
    }

    [GeneratedRegex(@"\A(.+)\.tmp-[0-9a-f]{8}\z", RegexOptions.Singleline)]
    private static partial Regex TemporaryPattern();
}
