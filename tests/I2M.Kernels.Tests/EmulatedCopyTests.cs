using I2M.Testing.Emulation;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>Outputs that a kernel leaves unwritten are found when they are read on the host, also after copies within the device.</summary>
public sealed class EmulatedCopyTests
{
    [Fact]
    public void A_copy_to_the_host_of_what_nobody_wrote_is_found()
    {
        using IBackend b = EmulatedBackend.Open();
        BufferView view = b.Pool.Rent(8), copy = b.Pool.Rent(8);
        b.Fill(view.Slice(0, 7), 1);
        b.Copy(view, copy);
        foreach (BufferView read in new[] { view, copy })
        {
            Assert.Contains("of 32 bytes nobody wrote byte 28", Assert.Throws<EmulatorFindingException>(() => b.CopyToHost(read, new float[8])).Message, StringComparison.Ordinal);
            float[] written = new float[7];
            b.CopyToHost(read.Slice(0, 7), written);
            Assert.All(written, value => Assert.Equal(1f, value));
        }
        b.Fill(copy.From(7), 2);
        b.CopyToHost(copy, new float[8]);
    }

    /// <summary>The same by a fault in a kernel: its bound is one element short.</summary>
    [Fact]
    public void An_output_that_a_kernel_leaves_out_is_found()
    {
        using IBackend b = EmulatedBackend.Open(plant: (kernel, text) => kernel == "ElementwiseKernels.Fill" ? text.Replace("st.global.f32", "setp.ne.u32 odd, %tid.x, 5; @odd st.global.f32", StringComparison.Ordinal).Replace(".reg .b32", ".reg .pred odd;\n\t.reg .b32", StringComparison.Ordinal) : text);
        BufferView view = b.Pool.Rent(8);
        b.Fill(view, 1);
        Assert.Contains("nobody wrote byte 20", Assert.Throws<EmulatorFindingException>(() => b.CopyToHost(view, new float[8])).Message, StringComparison.Ordinal);
    }
}
