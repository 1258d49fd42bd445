using System.Runtime.CompilerServices;

namespace I2M.KernelGenerator;

/// <summary>Writes the kernels of src/I2M.Kernels/Cuda/Generated; with --check it only tells which files are stale, and fails if any is.</summary>
internal static class Program
{
    /// <summary>Where the files lie in the repository.</summary>
    public const string Folder = "src/I2M.Kernels/Cuda/Generated";

    private static int Main(string[] arguments)
    {
        bool check = arguments is ["--check"];
        if (!check && arguments.Length > 0)
        {
            Console.Error.WriteLine("kernel-generator [--check]");
            return 2;
        }
        string folder = Path.Combine(RepositoryRoot(), Folder);
        string[] stale = Stale(folder);
        foreach (string name in stale)
        {
            Console.WriteLine($"{(check ? "stale" : "written")}: {Folder}/{name}");
            if (!check) { Write(Path.Combine(folder, name)); }
        }
        return check && stale.Length > 0 ? 1 : 0;
    }

    /// <summary>All files by name.</summary>
    public static IReadOnlyDictionary<string, string> Files { get; } =
        FlashForward.Files().Concat(FlashBackwardKeys.Files()).Concat(FlashBackwardQueries.Files()).ToDictionary(file => file.Name, file => file.ToString());

    /// <summary>Names of files that are missing, differ from what the generator writes, or that it does not write.</summary>
    public static string[] Stale(string folder)
    {
        string[] present = Directory.Exists(folder) ? [.. Directory.GetFiles(folder, "Flash*.cs").Select(file => Path.GetFileName(file))] : [];
        return [.. Files.Keys.Union(present).Where(name => !Files.TryGetValue(name, out string? text) || !present.Contains(name) || File.ReadAllText(Path.Combine(folder, name)) != text).Order()];
    }

    private static void Write(string path)
    {
        if (!Files.TryGetValue(Path.GetFileName(path), out string? text))
        {
            File.Delete(path);
            return;
        }
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private static string RepositoryRoot([CallerFilePath] string source = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "..", ".."));
}
