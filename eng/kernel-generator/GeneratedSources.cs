using I2M.KernelGenerator.Flash;
using I2M.KernelGenerator.Gemm;

namespace I2M.KernelGenerator;

/// <summary>A generated file.</summary>
/// <param name="Name">Its name in the folder of generated sources.</param>
/// <param name="Text">Its contents.</param>
internal sealed record GeneratedFile(string Name, string Text);

/// <summary>All generated files: one method a family, listed in <see cref="All"/>.</summary>
internal static class GeneratedSources
{
    /// <summary>The files of every family.</summary>
    public static IReadOnlyList<GeneratedFile> All() => [.. GemmFamily.Files(), .. FlashFamily.Files()];

    /// <summary>src/I2M.Kernels/Cuda/Generated of the repository that holds the program.</summary>
    public static string Folder()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "I2M.sln"))) { return Path.Combine(folder.FullName, "src", "I2M.Kernels", "Cuda", "Generated"); }
        }
        throw new InvalidOperationException($"no I2M.sln at or above {AppContext.BaseDirectory}");
    }

    /// <summary>Names of the files whose text on disk is not the generator's, that are missing, or that no family writes any more.</summary>
    public static IEnumerable<string> Stale(string folder)
    {
        var files = All().ToDictionary(file => file.Name, file => file.Text);
        foreach (var (name, text) in files)
        {
            string path = Path.Combine(folder, name);
            if (!File.Exists(path) || File.ReadAllText(path).ReplaceLineEndings("\n") != text) { yield return name; }
        }
        if (!Directory.Exists(folder)) { yield break; }
        foreach (string path in Directory.GetFiles(folder))
        {
            if (!files.ContainsKey(Path.GetFileName(path))) { yield return Path.GetFileName(path); }
        }
    }

    /// <summary>Writes what is stale and removes what is left over.</summary>
    public static void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        var files = All().ToDictionary(file => file.Name, file => file.Text);
        foreach (string name in Stale(folder).ToArray())
        {
            string path = Path.Combine(folder, name);
            if (files.TryGetValue(name, out string? text)) { File.WriteAllText(path, text); }
            else { File.Delete(path); }
        }
    }
}
