namespace I2M.Model.Tests.Plots;

/// <summary>A folder of one test, deleted with all in it.</summary>
internal sealed class ScratchFolder : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("i2m-test-");

    public string this[string name] => Path.Combine(folder.FullName, name);

    public string[] Files => [.. folder.GetFiles().Select(f => f.Name).Order()];

    public void Dispose() => folder.Delete(recursive: true);
}
