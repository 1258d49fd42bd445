using I2M.KernelGenerator;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>The committed kernels are what eng/kernel-generator writes.</summary>
public sealed class GeneratedKernelsTests
{
    [Fact]
    public void No_generated_file_is_stale()
    {
        Assert.Empty(GeneratedSources.Stale(GeneratedSources.Folder()));
        Assert.Equal(GeneratedSources.All().Count, GeneratedSources.Stale(Path.Combine(GeneratedSources.Folder(), "missing")).Count());
    }
}
