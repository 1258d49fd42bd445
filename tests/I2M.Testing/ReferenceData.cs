namespace I2M.Testing;

/// <summary>The reference numbers from PyTorch that are kept with the tests (tests/reference, described in its README).</summary>
public static class ReferenceData
{
    /// <summary>The repository's root: the folder above the running test that holds I2M.sln.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    /// <summary>The folder of the reference files.</summary>
    public static string Folder { get; } = System.IO.Path.Combine(RepositoryRoot, "tests", "reference");

    /// <summary>The path of a reference file, given by its path below <see cref="Folder"/>.</summary>
    public static string Path(string name) => System.IO.Path.Combine(Folder, name);

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "I2M.sln"))) return folder.FullName;
        throw new DirectoryNotFoundException($"I2M.sln: expected in a folder above {AppContext.BaseDirectory}");
    }
}
