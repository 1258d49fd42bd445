using Xunit;

namespace I2M.PtxEmulator.Tests;

/// <summary>Text that is wrong, or outside of the subset, is refused with its line.</summary>
public sealed class ParseTests
{
    [Theory]
    [InlineData("frobnicate.b32 %r2, %r1;", "unsupported instruction")]
    [InlineData("add.s32 %r2, %q7, 1;", "not declared")]
    [InlineData("add.s32 %r2, %rd1, 1;", "wrong width")]
    [InlineData("add.rz.f32 %f2, %f1, %f1;", "unsupported modifier '.rz'")]
    [InlineData("add.s32 %r2, %r1;", "too few operands")]
    [InlineData("bra NOWHERE;", "no label 'NOWHERE'")]
    [InlineData("@%r1 mov.b32 %r2, 0;", "not a declared predicate")]
    [InlineData("mov.f32 %f1, 0f12;", "not a floating-point constant")]
    [InlineData("mov.b32 %r2, 12x;", "not an integer")]
    [InlineData(".reg .b32 %r1;", "declared twice")]
    [InlineData("{ .reg .b32 inner; } mov.b32 inner, 0;", "not declared")]
    [InlineData("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%fd1}, {%fd2}, {%fd3}, {%fd4};", "unsupported shape")]
    [InlineData("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1,%f2,%f3}, {%r1,%r2,%r3,%r4}, {%r1,%r2}, {%f1,%f2,%f3,%f4};", "4 registers expected")]
    [InlineData("cp.async.cg.shared.global [%r1], [%rd1], 8;", "unsupported form")]
    [InlineData("mov.b32 %r2, %clock;", "not declared")]
    [InlineData("call.uni nothing, ();", "no function 'nothing'")]
    public void A_wrong_statement_is_refused_with_its_line(string statement, string reason)
    {
        string ptx = Ptx.Kernel("mov.b32 %r9, 0;\n" + statement);
        PtxParseException error = Assert.Throws<PtxParseException>(() => PtxModule.Parse(ptx));
        Assert.Contains(reason, error.Message);
        Assert.Equal(ptx.Split('\n').ToList().FindIndex(l => l.Contains(statement, StringComparison.Ordinal)) + 1, error.Line);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Text_that_ends_early_is_refused() =>
        Assert.Contains("the text ends", Assert.Throws<PtxParseException>(() => PtxModule.Parse(Ptx.Kernel("")[..^10])).Message);

    [Fact]
    public void A_kernel_tells_its_parameters_shared_memory_and_bounds()
    {
        PtxKernel kernel = PtxModule.Parse("""
            .version 7.8
            .target sm_80, debug
            .address_size 64
            .extern .shared .align 16 .b8 dyn[];
            .visible .entry K(.param .b32 a, .param .align 8 .b8 s[24], .param .b8 c) .maxntid 64, 2, 1 .minnctapersm 2
            { .shared .align 4 .b8 x[6]; .shared .align 16 .b8 y[16]; /* comment
            */ ret; }
            """).Kernels["K"];
        Assert.Equal([("a", 0, 4), ("s", 8, 24), ("c", 32, 1)], kernel.Parameters.Select(p => (p.Name, p.Offset, p.Size)));
        Assert.Equal((33, 32, 128), (kernel.ParameterBytes, kernel.StaticSharedBytes, kernel.MaxThreads));
    }

    [Fact]
    public void An_impossible_launch_is_refused()
    {
        using var bench = new Workbench();
        bench.With(0L).With(0L);
        Assert.Contains("at most 1024", Assert.Throws<ArgumentException>(() => bench.Run(Ptx.Kernel(""), Workbench.Line(1, 1025))).Message);
        Assert.Contains("shared memory", Assert.Throws<ArgumentException>(() => bench.Run(Ptx.Kernel(""), Workbench.Line(1, 32, 300_000))).Message);
        Assert.Contains("parameters", Assert.Throws<ArgumentException>(() => bench.With(0L).Run(Ptx.Kernel(""), Workbench.Line(1, 32))).Message);
    }
}
