using I2M.KernelGenerator;
using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>The committed kernels are what eng/kernel-generator writes.</summary>
public sealed class GeneratedKernelsTests
{
    [Fact]
    public void No_generated_file_is_stale()
    {
        string folder = Path.Combine(ReferenceData.RepositoryRoot, Program.Folder);
        Assert.NotEmpty(Program.Files);
        Assert.Empty(Program.Stale(folder));
        Assert.Equal(Program.Files.Count, Program.Stale(Path.Combine(folder, "missing")).Length);
    }
}
