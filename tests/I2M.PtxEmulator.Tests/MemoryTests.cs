using Xunit;

namespace I2M.PtxEmulator.Tests;

/// <summary>Loads, stores, asynchronous copies, atomics, and what the report counts of them.</summary>
public sealed class MemoryTests
{
    [Fact]
    public void Narrow_loads_extend_by_their_type_and_narrow_stores_keep_the_neighbours()
    {
        uint[] words = Ptx.Words("""
            ld.global.s8 %r2, [%rd3]; ld.global.u8 %r3, [%rd3+1]; ld.global.s16 %r4, [%rd3+2];
            add.s32 %r5, %r2, %r3; add.s32 %r5, %r5, %r4;
            st.global.b32 [%rd4], %r5;
            st.global.b8 [%rd4+3], %r1;
            """, [.. Enumerable.Repeat(0xFFFE80FFu, 32)]);
        for (uint lane = 0; lane < 32; lane++) { Assert.Equal(((uint)(-1 + 0x80 - 2) & 0xFFFFFF) | lane << 24, words[lane]); }
    }

    [Fact]
    public void A_copy_with_fewer_source_bytes_fills_up_with_zeros()
    {
        using var bench = new Workbench();
        ulong from = bench.Buffer<uint>([1, 2, 3, 4]), to = bench.Memory.Allocate(512);
        bench.With(from).With(to).RunClean(Ptx.Kernel("""
            setp.eq.u32 %p1, %r1, 0; selp.b32 %r6, 8, 0, %p1;
            mov.u32 %r2, tile; shl.b32 %r3, %r1, 4; add.u32 %r2, %r2, %r3;
            cp.async.cg.shared.global [%r2], [%rd1], 16, %r6;
            cp.async.commit_group; cp.async.wait_group 0;
            ld.shared.v4.b32 {%r10,%r11,%r12,%r13}, [%r2];
            mul.wide.u32 %rd7, %r1, 16; add.u64 %rd7, %rd2, %rd7;
            st.global.v4.b32 [%rd7], {%r10,%r11,%r12,%r13};
            """, ".shared .align 16 .b8 tile[512];"), Workbench.Line(1, 32));
        Assert.Equal([1, 2, 0, 0, 0, 0, 0, 0], bench.Memory.Read<uint>(to, 8));
    }

    [Fact]
    public void A_copy_arrives_with_the_wait_and_not_before()
    {
        using var bench = new Workbench { Options = new EmulatorOptions { CheckSharedRaces = false } };
        ulong from = bench.Buffer<uint>([42]), to = bench.Memory.Allocate(8);
        bench.With(from).With(to).Run(Ptx.Kernel("""
            st.shared.b32 [tile], 7;
            cp.async.ca.shared.global [tile], [%rd1], 4;
            cp.async.commit_group;
            ld.shared.b32 %r2, [tile]; cp.async.wait_group 0; ld.shared.b32 %r3, [tile];
            st.global.v2.b32 [%rd2], {%r2, %r3};
            """, ".shared .align 16 .b8 tile[16];"), Workbench.Line(1, 1));
        Assert.Equal([7, 42], bench.Memory.Read<int>(to, 2));
    }

    [Fact]
    public void Atomics_of_all_threads_add_up()
    {
        using var bench = new Workbench();
        ulong from = bench.Buffer<int>([0, 0, 5, 100]), to = bench.Memory.Allocate(4);
        bench.With(from).With(to).RunClean(Ptx.Kernel("""
            red.global.add.u32 [%rd1], %r1;
            atom.global.add.f32 %f1, [%rd1+4], 0f3F800000;
            atom.global.cas.b32 %r2, [%rd1+8], 5, 6;
            red.global.min.s32 [%rd1+12], -3;
            """), Workbench.Line(4, 64));
        int[] values = bench.Memory.Read<int>(from, 4);
        Assert.Equal([4 * 63 * 32, BitConverter.SingleToInt32Bits(256f), 6, -3], values);
    }

    [Fact]
    public void Generic_addresses_reach_global_shared_and_local_memory()
    {
        uint[] words = Ptx.Words("""
            mov.b64 %rd7, tile; add.u64 %rd7, %rd7, %rd5; cvta.shared.u64 %rd7, %rd7; ld.b32 %r2, [%rd3]; st.b32 [%rd7], %r2; ld.shared.b32 %r3, [tile];
            mov.b64 %rd8, depot; cvta.local.u64 %rd8, %rd8; st.b32 [%rd8+4], %r1; ld.local.b32 %r4, [depot+4];
            ld.b32 %r5, [%rd7]; add.s32 %r4, %r4, %r5; st.b32 [%rd4], %r4;
            """.Replace("ld.shared.b32 %r3, [tile];", "", StringComparison.Ordinal), [.. Enumerable.Range(0, 32).Select(i => (uint)i * 100)], ".shared .align 4 .b8 tile[128]; .local .align 4 .b8 depot[8];");
        Assert.Equal(Enumerable.Range(0, 32).Select(i => (uint)i * 101), words);
    }

    [Theory]
    [InlineData(4, 1, 4, 1, 0)]
    [InlineData(8, 1, 8, 2, 1)]
    [InlineData(128, 1, 32, 32, 31)]
    [InlineData(0, 1, 1, 1, 0)]
    public void Sectors_and_bank_conflicts_are_counted(int stride, int warps, long sectors, long passes, long conflicts)
    {
        using var bench = new Workbench();
        ulong from = bench.Buffer<byte>(new byte[8192]), to = bench.Memory.Allocate(4);
        LaunchReport report = bench.With(from).With(to).RunClean(Ptx.Kernel($"""
            mul.lo.s32 %r2, %r1, {stride}; cvt.u64.u32 %rd7, %r2; add.u64 %rd7, %rd1, %rd7; ld.global.b32 %r3, [%rd7];
            mov.u32 %r4, tile; add.u32 %r4, %r4, %r2; mov.b32 %r5, 1; st.shared.b32 [%r4], %r5;
            """, ".shared .align 16 .b8 tile[4096];"), Workbench.Line(1, 32 * warps));
        Assert.Equal((sectors, passes, conflicts), (report.GlobalSectors, report.SharedPasses, report.SharedBankConflicts));
        Assert.Equal((128, 128), (report.GlobalBytesLoaded, report.SharedBytesStored));
        Assert.Equal((1, 1), (report.Instructions(InstructionClass.LoadGlobal), report.Instructions(InstructionClass.StoreShared)));
    }
}
