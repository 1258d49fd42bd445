using System.Runtime.InteropServices;

namespace I2M.Model.Io;

/// <summary>
/// The few file-system calls .NET lacks: the kind of a file, fsync of a directory, and the exchange of two names.
/// On systems other than Linux each has its harmless answer (regular file, nothing to do, not supported).
/// </summary>
internal static partial class Libc
{
    private const int ReadOnlyDirectory = 0x80000; // O_RDONLY | O_CLOEXEC, the same on x64 and arm64
    private const int CurrentDirectory = -100;     // AT_FDCWD: relative paths start at the working directory
    private const uint RequestMode = 0x3;          // STATX_TYPE | STATX_MODE
    private const int ModeOffset = 28;             // stx_mode in struct statx, whose layout is the same on every architecture
    private const int KindMask = 0xF000, RegularFile = 0x8000, Folder = 0x4000;
    private const uint Exchange = 2;               // RENAME_EXCHANGE

    /// <summary>True for a pipe, socket or device: opening one may block or never end, renaming over one would replace it.</summary>
    public static bool IsSpecial(string path)
    {
        if (!OperatingSystem.IsLinux()) return false;
        Span<byte> status = stackalloc byte[256];
        if (StatX(CurrentDirectory, path, 0, RequestMode, ref MemoryMarshal.GetReference(status)) != 0) return false;
        int kind = BitConverter.ToUInt16(status[ModeOffset..]) & KindMask;
        return kind is not (RegularFile or Folder);
    }

    /// <summary>Makes the names inside a directory durable. Some file systems cannot; that is no error.</summary>
    public static void SyncDirectory(string path)
    {
        if (!OperatingSystem.IsLinux()) return;
        int descriptor = Open(path, ReadOnlyDirectory, 0);
        if (descriptor < 0) return;
        int result = FSync(descriptor);
        int error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        const int InvalidArgument = 22, ReadOnlyFileSystem = 30;
        if (result != 0 && error is not (InvalidArgument or ReadOnlyFileSystem))
            throw new IOException($"fsync of the folder '{path}' failed: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    /// <summary>Swaps two existing names in one step; false where the system or the file system cannot.</summary>
    public static bool TryExchange(string first, string second) =>
        OperatingSystem.IsLinux() && RenameAt2(CurrentDirectory, first, CurrentDirectory, second, Exchange) == 0;

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, ref byte status);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "renameat2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(int oldFolder, string oldPath, int newFolder, string newPath, uint flags);
}
