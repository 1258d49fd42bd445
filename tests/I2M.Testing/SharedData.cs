using Xunit;

namespace I2M.Testing;

/// <summary>Real pictures, speech and foreign model files that stay outside the repository.</summary>
public static class SharedData
{
    /// <summary>I2M_SHARED_DATA, or ../shared/data beside the repository; it need not exist.</summary>
    public static string Folder { get; } = Environment.GetEnvironmentVariable("I2M_SHARED_DATA") is { Length: > 0 } given
        ? given
        : System.IO.Path.GetFullPath(System.IO.Path.Combine(ReferenceData.RepositoryRoot, "..", "shared", "data"));

    /// <summary>Gives the folder; without it the calling test is skipped, or fails when the environment says CI=true.</summary>
    public static string Require()
    {
        if (Directory.Exists(Folder)) return Folder;
        string reason = $"shared data: expected in {Folder} (set I2M_SHARED_DATA)";
        if (string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase)) Assert.Fail(reason);
        Assert.Skip(reason);
        return Folder;
    }
}
