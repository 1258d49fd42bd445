using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using Xunit;

namespace I2M.PtxEmulator.Tests;

/// <summary>A kernel in C# with inline PTX, in the way of the library's tensor-core kernels: registers declared in a string and used by later ones.</summary>
internal static class TensorKernels
{
    /// <summary>C[16, 8] = A[16, 16] · B[8, 16]ᵀ in bf16 with one warp: asynchronous copies, ldmatrix, mma.</summary>
    public static void Tile(long a, long b, long c)
    {
        ArrayView<long> shared = SharedMemory.GetDynamic<long>();
        uint lane = (uint)Group.IdxX;
        CudaAsm.Emit(".reg .b32 sb, d; .reg .pred few; .reg .f32 acc<4>; .reg .b32 fa<4>; .reg .b32 fb<2>; mov.u32 sb, __dyn_shared_alloca;");
        CudaAsm.Emit("mov.f32 acc0, 0f00000000; mov.f32 acc1, 0f00000000; mov.f32 acc2, 0f00000000; mov.f32 acc3, 0f00000000;");
        CudaAsm.Emit("{ .reg .b32 to; add.u32 to, sb, %0; cp.async.cg.shared.global [to], [%1], 16; }", lane * 16u, a + lane * 16L);
        CudaAsm.Emit("{ .reg .b32 to; add.u32 to, sb, %0; setp.lt.u32 few, %0, 768; @few cp.async.cg.shared.global [to], [%1], 16; }", 512u + lane * 16u, b + lane * 16L);
        CudaAsm.Emit("cp.async.commit_group; cp.async.wait_group 0; bar.sync 0;");
        CudaAsm.Emit("add.u32 d, sb, %0; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {fa0,fa1,fa2,fa3}, [d];", (lane & 15u) * 32u + (lane >> 4) * 16u);
        CudaAsm.Emit("add.u32 d, sb, %0; ldmatrix.sync.aligned.m8n8.x2.shared.b16 {fb0,fb1}, [d+512];", (lane & 7u) * 32u + (lane >> 3 & 1u) * 16u);
        CudaAsm.Emit("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {acc0,acc1,acc2,acc3}, {fa0,fa1,fa2,fa3}, {fb0,fb1}, {acc0,acc1,acc2,acc3};");
        CudaAsm.Emit("st.global.v2.f32 [%0], {acc0,acc1}; st.global.v2.f32 [%0+256], {acc2,acc3};", c + (lane >> 2) * 32L + (lane & 3u) * 8L);
        if (a == 0) { shared[0] = 0; }
    }
}

public sealed class TensorCoreTests
{
    private static readonly string s_ptx = IlgpuPtx.Compile(typeof(TensorKernels).GetMethod("Tile")!);

    private static (float Error, LaunchReport Report) Run(string ptx)
    {
        float[] a = [.. Enumerable.Range(0, 256).Select(i => i * 5 % 13 - 6f)], b = [.. Enumerable.Range(0, 128).Select(i => i * 3 % 7 - 3f)];
        using var bench = new Workbench();
        ulong pa = bench.Buffer<ushort>([.. a.Select(Bits)]), pb = bench.Buffer<ushort>([.. b.Select(Bits)]), pc = bench.Memory.Allocate(512);
        LaunchReport report = bench.With(pa).With(pb).With(pc).Run(ptx, Workbench.Line(1, 32, 768));
        float[] c = bench.Memory.Read<float>(pc, 128);
        float error = 0f;
        for (int i = 0; i < 128; i++) { error = Math.Max(error, Math.Abs(c[i] - Enumerable.Range(0, 16).Sum(k => a[i / 8 * 16 + k] * b[i % 8 * 16 + k]))); }
        return (error, report);
    }

    private static ushort Bits(float value) => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);

    [Fact]
    public void A_tile_with_inline_PTX_is_exact_and_clean()
    {
        (float error, LaunchReport report) = Run(s_ptx);
        Assert.Equal(0f, error);
        Assert.Empty(report.Findings);
        Assert.Equal((1, 2), (report.Instructions(InstructionClass.Mma), report.Instructions(InstructionClass.LdMatrix)));
        Assert.Equal(512 + 256, report.GlobalBytesLoaded);
    }

    [Theory]
    [InlineData("{fa0,fa1,fa2,fa3}, {fb0,fb1}", "{fa0,fa2,fa1,fa3}, {fb0,fb1}", null)]
    [InlineData("{fa0,fa1,fa2,fa3}, {fb0,fb1}", "{fa0,fa1,fa2,fa3}, {fb1,fb0}", null)]
    [InlineData("cp.async.wait_group 0;", "cp.async.wait_group 1;", FindingKind.AsyncCopyNotWaited)]
    [InlineData("bar.sync 0;", "", FindingKind.SharedRace)]
    [InlineData("[d+512]", "[d+528]", FindingKind.OutOfBounds)]
    [InlineData("[d+512]", "[d+516]", FindingKind.Misaligned)]
    [InlineData(", 768;", ", 752;", FindingKind.UninitializedMemory)]
    public void A_planted_fault_shows(string right, string wrong, FindingKind? kind)
    {
        Assert.Contains(right, s_ptx);
        (float error, LaunchReport report) = Run(s_ptx.Replace(right, wrong, StringComparison.Ordinal));
        Assert.True(error > 0f || report.Findings.Count > 0);
        if (kind is not null) { Assert.Contains(report.Findings, f => f.Kind == kind); }
    }
}
