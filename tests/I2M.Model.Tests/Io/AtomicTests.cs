using System.Diagnostics;
using I2M.Kernels;
using I2M.Model.Io;
using Xunit;

namespace I2M.Model.Tests.Io;

/// <summary>Files and folders are absent, old or complete, and failures leave nothing behind.</summary>
public sealed class AtomicTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WritesCreatesParentsAndReplaces()
    {
        string path = _folder.File("a/b/c.txt");
        AtomicFile.Write(path, s => s.Write("one"u8));
        AtomicFile.Write(path, s => s.Write("two!"u8), expectedBytes: 1000);
        Assert.Equal("two!", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder.File("a/b")));
    }

    [Fact]
    public void AFailingWriterLeavesTheOldFileAndNoOther()
    {
        string path = _folder.File("kept.txt", "old"u8);
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(path, s =>
        {
            s.Write(new byte[100_000]);
            throw new InvalidOperationException();
        }));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Root));
    }

    [Fact]
    public void WhatCannotBeAFileIsRefused()
    {
        Assert.Contains("is a folder", Assert.Throws<I2MException>(() => AtomicFile.Write(_folder.Root, _ => { })).Message);
        string file = _folder.File("file", "x"u8);
        Assert.StartsWith(file + "/below: ", Assert.Throws<I2MException>(() => AtomicFile.Write(file + "/below", _ => { })).Message);
        Assert.Throws<I2MException>(() => AtomicFile.Write("", _ => { }));
        AtomicFile.Write(_folder.File(new string('ü', 120)), s => s.Write("long"u8));
        Assert.StartsWith(_folder.Root, Assert.Throws<I2MException>(() => AtomicFile.Write(_folder.File(new string('n', 300)), _ => { })).Message);
        Assert.Equal(2, Directory.GetFileSystemEntries(_folder.Root).Length);
        Assert.SkipUnless(OperatingSystem.IsLinux(), "devices are tested on Linux");
        Assert.Contains("is a device", Assert.Throws<I2MException>(() => AtomicFile.Write("/dev/null", _ => { })).Message);
    }

    [Fact]
    public void NoSpaceIsSaidInWords()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "/dev/full is a Linux device");
        string path = _folder.File("full.bin");
        var error = Assert.Throws<I2MException>(() => AtomicFile.Write(path, s =>
        {
            s.Write(new byte[1 << 20]);
            using var full = File.OpenHandle("/dev/full", FileMode.Open, FileAccess.Write);
            RandomAccess.Write(full, new byte[10], 0);
        }));
        Assert.Equal($"{path}: no space left on the disk", error.Message);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Root));
    }

    [Fact]
    public void AFullFileSystemKeepsTheOldFile()
    {
        Directory.CreateDirectory(_folder.File("small"));
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", _folder.File("small")) == 0,
            "mounting a small file system needs root on Linux");
        try
        {
            string path = _folder.File("small/data");
            AtomicFile.Write(path, s => s.Write("old"u8));
            foreach (long expected in new[] { 0L, 4L << 20 })
            {
                var error = Assert.Throws<I2MException>(() => AtomicFile.Write(path, s => s.Write(new byte[4 << 20]), expected));
                Assert.Equal($"{path}: no space left on the disk", error.Message);
                Assert.Equal([path], Directory.GetFileSystemEntries(_folder.File("small")));
            }
            Assert.Contains("no space", Assert.Throws<I2MException>(
                () => AtomicDirectory.Write(_folder.File("small/dir"), d => File.WriteAllBytes(Path.Combine(d, "x"), new byte[4 << 20]))).Message);
            Assert.Equal("old", File.ReadAllText(path));
            Assert.Equal([path], Directory.GetFileSystemEntries(_folder.File("small")));
        }
        finally
        {
            Run("umount", _folder.File("small"));
        }
    }

    [Fact]
    public void AnUnwritableFolderIsSaidInWords()
    {
        // Root may write into any folder but those of the kernel; others are stopped by the permissions.
        string folder = Environment.IsPrivilegedProcess ? "/proc/sys" : _folder.File("closed");
        if (!Environment.IsPrivilegedProcess && !OperatingSystem.IsWindows()) Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.SkipUnless(Directory.Exists(folder), "no unwritable folder here");
        string path = Path.Combine(folder, "out.bin");
        Assert.StartsWith(path + ": ", Assert.Throws<I2MException>(() => AtomicFile.Write(path, s => s.Write("x"u8))).Message);
        Assert.StartsWith(path + ": ", Assert.Throws<I2MException>(() => AtomicDirectory.Write(path, _ => { })).Message);
    }

    [Fact]
    public void AFolderAppearsCompleteOrNotAtAll()
    {
        string path = _folder.File("runs/step-000500");
        AtomicDirectory.Write(path, temporary =>
        {
            Assert.False(Directory.Exists(path));
            Assert.StartsWith(path + ".tmp-", temporary);
            Directory.CreateDirectory(Path.Combine(temporary, "inner"));
            File.WriteAllText(Path.Combine(temporary, "inner/file"), "content");
        });
        Assert.Equal("content", File.ReadAllText(Path.Combine(path, "inner/file")));
        Assert.Throws<InvalidDataException>(() => AtomicDirectory.Write(_folder.File("runs/other"), temporary =>
        {
            File.WriteAllText(Path.Combine(temporary, "half"), "");
            throw new InvalidDataException();
        }));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder.File("runs")));
        Assert.Contains("exists already", Assert.Throws<I2MException>(() => AtomicDirectory.Write(path, _ => { })).Message);
        Assert.Contains("is a file", Assert.Throws<I2MException>(() => AtomicDirectory.Write(Path.Combine(path, "inner/file"), _ => { })).Message);
    }

    [Fact]
    public void AFolderIsReplacedInOneStep()
    {
        string path = _folder.File("best");
        AtomicDirectory.Write(path, d => File.WriteAllText(Path.Combine(d, "old"), ""));
        AtomicDirectory.Write(path, d => File.WriteAllText(Path.Combine(d, "new"), ""), replace: true);
        Assert.Equal([Path.Combine(path, "new")], Directory.GetFileSystemEntries(path));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Root));
    }

    [Fact]
    public void OnlyLeftoversAreRemoved()
    {
        string[] kept = ["step-1", "step-1.tmp-", "step-1.tmp-xyz", "step-10.tmp-0123abcd", "other"];
        foreach (string name in kept) Directory.CreateDirectory(_folder.File(name));
        Directory.CreateDirectory(_folder.File("step-1.tmp-0123abcd/inner"));
        _folder.File("step-1.tmp-89abcdef", "x"u8);
        Directory.CreateSymbolicLink(_folder.File("step-1.tmp-11111111"), _folder.File("other"));
        Assert.Equal(3, AtomicDirectory.RemoveLeftovers(_folder.Root, "step-1"));
        Assert.Equal(kept.Order(), Directory.GetFileSystemEntries(_folder.Root).Select(Path.GetFileName).Order());
        Assert.Equal(1, AtomicDirectory.RemoveLeftovers(_folder.Root, "*"));
        Assert.Equal(0, AtomicDirectory.RemoveLeftovers(_folder.File("absent"), "*"));
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
