using Xunit;

namespace I2M.Testing;

/// <summary>Real pictures and sounds that lie outside the repository.</summary>
public static class SharedData
{
    /// <summary>The folder that holds I2M.sln.</summary>
    public static string RepositoryRoot { get; } = FindRepositoryRoot();

    /// <summary>The environment variable I2M_SHARED_DATA, or ../shared/data beside the repository.</summary>
    public static string Folder { get; } = Environment.GetEnvironmentVariable("I2M_SHARED_DATA") is { Length: > 0 } named
        ? named
        : Path.GetFullPath(Path.Combine(RepositoryRoot, "..", "shared", "data"));

    /// <summary>The data folder; without one the test fails under CI=true and is skipped elsewhere.</summary>
    public static string Require()
    {
        if (Directory.Exists(Folder)) return Folder;
        var reason = $"no shared data at {Folder}; set I2M_SHARED_DATA";
        if (string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase)) Assert.Fail(reason);
        Assert.Skip(reason);
        return Folder;
    }

    private static string FindRepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "I2M.sln"))) return folder.FullName;
        throw new DirectoryNotFoundException($"no I2M.sln above {AppContext.BaseDirectory}");
    }
}
