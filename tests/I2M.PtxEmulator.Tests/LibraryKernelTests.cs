using System.Reflection;
using Xunit;

namespace I2M.PtxEmulator.Tests;

/// <summary>Everything that ILGPU makes of the library's kernels can be decoded.</summary>
public sealed class LibraryKernelTests
{
    [Fact]
    public void Every_kernel_of_the_library_is_decoded()
    {
        MethodInfo[] kernels = [.. IlgpuPtx.LibraryKernels];
        Assert.True(kernels.Length > 50, $"only {kernels.Length} kernels found");
        foreach (MethodInfo kernel in kernels)
        {
            PtxModule module = PtxModule.Parse(IlgpuPtx.Compile(kernel));
            Assert.Equal(kernel.GetParameters().Length, Assert.Single(module.Kernels).Value.Parameters.Count);
        }
    }

    [Fact]
    public void A_sum_of_rows_of_the_library_gives_the_sums_without_findings()
    {
        const int Rows = 3, Columns = 1000;
        float[] x = [.. Enumerable.Range(0, Rows * Columns).Select(i => i % 17 - 8f)];
        using var bench = new Workbench();
        ulong input = bench.Buffer<float>(x), output = bench.Memory.Allocate(Rows * sizeof(float));
        bench.View(input, x.Length).View(input, x.Length).With<long>(Columns).With(1).With(2f).View(output, Rows);
        MethodInfo method = IlgpuPtx.LibraryKernels.Single(m => m.DeclaringType!.Name == "ReduceKernels" && m.Name == "SumRows");
        LaunchReport report = bench.RunClean(IlgpuPtx.Compile(method), Workbench.Line(Rows, 128));
        for (int row = 0; row < Rows; row++) { Assert.Equal(2f * x.Skip(row * Columns).Take(Columns).Sum(), bench.Memory.Read<float>(output, Rows)[row]); }
        Assert.Equal(Rows * Columns * sizeof(float), report.GlobalBytesLoaded);
        Assert.Equal(Rows * sizeof(float), report.GlobalBytesStored);
    }
}
