using Xunit;

namespace I2M.PtxEmulator.Tests;

/// <summary>Each checker finds a planted fault, and stays silent about the same kernel without it.</summary>
public sealed class CheckerTests
{
    private const string Shared = ".shared .align 16 .b8 tile[512];";

    private static void Finds(FindingKind kind, IReadOnlyList<Finding> findings) =>
        Assert.True(findings.Any(f => f.Kind == kind), $"no {kind} in [{string.Join("; ", findings.Select(f => f.Message))}]");

    private static void FindsOnly(FindingKind? kind, IReadOnlyList<Finding> findings)
    {
        if (kind is null) { Assert.True(findings.Count == 0, string.Join("; ", findings.Select(f => f.Message))); }
        else { Assert.Equal(kind, Assert.Single(findings).Kind); }
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(4, FindingKind.OutOfBounds)]
    [InlineData(-4, FindingKind.OutOfBounds)]
    [InlineData(2, FindingKind.Misaligned)]
    public void An_access_outside_of_a_block_or_off_its_alignment_is_found(int offset, FindingKind? kind) =>
        FindsOnly(kind, Ptx.Findings($"ld.global.f32 %f1, [%rd3+{offset}]; st.global.f32 [%rd4], %f1;", threads: 64, inputBytes: 256));

    [Theory]
    [InlineData("tile", 64, null)]
    [InlineData("tile+260", 64, FindingKind.OutOfBounds)]
    public void An_access_outside_of_shared_memory_is_found(string start, int threads, FindingKind? kind) =>
        FindsOnly(kind, Ptx.Findings($"mov.u32 %r2, {start}; shl.b32 %r3, %r1, 2; add.u32 %r2, %r2, %r3; st.shared.b32 [%r2], %r1;", threads, Shared));

    [Theory]
    [InlineData("mov.u32 %r2, d; shl.b32 %r3, %r1, 2; add.u32 %r2, %r2, %r3; st.shared.b32 [%r2], %r1;", 256, null)]
    [InlineData("mov.u32 %r2, d; shl.b32 %r3, %r1, 2; add.u32 %r2, %r2, %r3; st.shared.b32 [%r2], %r1;", 252, FindingKind.OutOfBounds)]
    public void Dynamic_shared_memory_ends_where_the_launch_says(string body, int bytes, FindingKind? kind) =>
        FindsOnly(kind, Ptx.Findings(body, 64, dynamicBytes: bytes, module: ".extern .shared .align 16 .b8 d[];"));

    [Fact]
    public void A_read_of_global_memory_that_nobody_wrote_is_found()
    {
        FindsOnly(FindingKind.UninitializedMemory, Ptx.Findings("ld.global.f32 %f1, [%rd4]; st.global.f32 [%rd4], %f1;"));
        FindsOnly(null, Ptx.Findings("st.global.f32 [%rd4], 0f00000000; ld.global.f32 %f1, [%rd4];"));
    }

    [Fact]
    public void A_read_of_shared_and_local_memory_that_nobody_wrote_is_found()
    {
        FindsOnly(FindingKind.UninitializedMemory, Ptx.Findings("ld.shared.b32 %r2, [tile];", arrays: Shared));
        FindsOnly(FindingKind.UninitializedMemory, Ptx.Findings("cvt.u16.u32 %h0, %r1; st.local.b16 [l+4], %h0; ld.local.b32 %r2, [l+4];", arrays: ".local .align 4 .b8 l[8];"));
        FindsOnly(null, Ptx.Findings("st.local.b32 [l+4], %r1; ld.local.b32 %r2, [l+4];", arrays: ".local .align 4 .b8 l[8];"));
        FindsOnly(FindingKind.OutOfBounds, Ptx.Findings("st.local.b32 [l+8], %r1;", arrays: ".local .align 4 .b8 l[8];"));
    }

    [Fact]
    public void A_read_of_a_register_that_was_never_written_is_found()
    {
        FindsOnly(FindingKind.UninitializedRegister, Ptx.Findings("add.s32 %r2, %r3, 1;"));
        FindsOnly(FindingKind.UninitializedRegister, Ptx.Findings("setp.lt.u32 %p1, %r1, 5; @%p1 mov.b32 %r3, 1; add.s32 %r2, %r3, 1;"));
        FindsOnly(null, Ptx.Findings("setp.lt.u32 %p1, %r1, 5; @%p1 mov.b32 %r3, 1; @%p1 add.s32 %r2, %r3, 1;"));
    }

    /// <summary>Each thread writes its word and reads its neighbour's; the second write is to the word that the neighbour reads.</summary>
    private static string Exchange(string first, string second) => $"""
        mov.u32 %r2, tile; shl.b32 %r3, %r1, 2; add.u32 %r4, %r2, %r3; xor.b32 %r5, %r3, 128; add.u32 %r5, %r2, %r5;
        st.shared.b32 [%r4], %r1;
        {first}
        ld.shared.b32 %r6, [%r5];
        {second}
        st.shared.b32 [%r4], %r6;
        """;

    [Fact]
    public void A_removed_barrier_is_found_as_a_race()
    {
        FindsOnly(null, Ptx.Findings(Exchange("bar.sync 0;", "bar.sync 0;"), 64, Shared));
        Finds(FindingKind.SharedRace, Ptx.Findings(Exchange("", "bar.sync 0;"), 64, Shared));
        Finds(FindingKind.SharedRace, Ptx.Findings(Exchange("bar.sync 0;", ""), 64, Shared));
    }

    [Fact]
    public void Lanes_of_one_warp_need_a_warp_barrier_only()
    {
        string within = Exchange("bar.warp.sync 0xffffffff;", "bar.warp.sync 0xffffffff;").Replace("128", "4", StringComparison.Ordinal);
        FindsOnly(null, Ptx.Findings(within, 64, Shared));
        Finds(FindingKind.SharedRace, Ptx.Findings(within.Replace("bar.warp.sync 0xffffffff;", "", StringComparison.Ordinal), 64, Shared));
        Finds(FindingKind.SharedRace, Ptx.Findings(Exchange("bar.warp.sync 0xffffffff;", "bar.sync 0;"), 64, Shared));
    }

    [Fact]
    public void Different_values_that_one_instruction_writes_to_one_place_are_a_race()
    {
        FindsOnly(FindingKind.SharedRace, Ptx.Findings("st.shared.b32 [tile], %r1;", 32, Shared));
        FindsOnly(null, Ptx.Findings("mov.b32 %r2, 7; st.shared.b32 [tile], %r2;", 32, Shared));
    }

    [Fact]
    public void Neighbouring_half_words_are_no_race() =>
        FindsOnly(null, Ptx.Findings("mov.u32 %r2, tile; shl.b32 %r3, %r1, 1; add.u32 %r2, %r2, %r3; cvt.u16.u32 %h1, %r1; st.shared.b16 [%r2], %h1; bar.sync 0; ld.shared.b32 %r4, [tile];", 64, Shared));

    [Fact]
    public void Races_in_global_memory_are_found_within_and_between_blocks()
    {
        FindsOnly(FindingKind.GlobalRace, Ptx.Findings("mov.b32 %r2, %ctaid.x; st.global.b32 [%rd2], %r2;", 1, blocks: 4));
        FindsOnly(null, Ptx.Findings("st.global.b32 [%rd2], 5;", 1, blocks: 4));
        FindsOnly(null, Ptx.Findings("red.global.add.u32 [%rd1], 1;", 32, blocks: 4));
        string neighbour = "st.global.b32 [%rd4], %r1; {0} xor.b32 %r2, %r1, 32; mul.wide.u32 %rd6, %r2, 4; add.u64 %rd6, %rd2, %rd6; ld.global.b32 %r3, [%rd6];";
        FindsOnly(null, Ptx.Findings(neighbour.Replace("{0}", "bar.sync 0;", StringComparison.Ordinal)));
        Finds(FindingKind.GlobalRace, Ptx.Findings(neighbour.Replace("{0}", "", StringComparison.Ordinal)));
    }

    /// <summary>Each thread copies 16 bytes; then it reads its own or those of a thread in the other warp.</summary>
    private static string Copy(string wait, int distance, string size = "16", string after = "") => $$"""
        mov.u32 %r2, tile; shl.b32 %r3, %r1, 4; add.u32 %r4, %r2, %r3; xor.b32 %r5, %r3, {{distance}}; add.u32 %r5, %r2, %r5;
        mul.wide.u32 %rd6, %r1, 16; add.u64 %rd6, %rd1, %rd6;
        cp.async.cg.shared.global [%r4], [%rd6], {{size}};
        cp.async.commit_group;
        {{wait}}
        ld.shared.b32 %r6, [%r5];
        {{after}}
        """;

    [Fact]
    public void A_missing_wait_for_an_asynchronous_copy_is_found()
    {
        const string Tile = ".shared .align 16 .b8 tile[1024];";
        FindsOnly(null, Ptx.Findings(Copy("cp.async.wait_group 0; bar.sync 0;", 512), 64, Tile));
        FindsOnly(null, Ptx.Findings(Copy("cp.async.wait_all; bar.sync 0;", 512), 64, Tile));
        FindsOnly(null, Ptx.Findings(Copy("cp.async.wait_group 0;", 0), 64, Tile));
        Finds(FindingKind.AsyncCopyNotWaited, Ptx.Findings(Copy("bar.sync 0;", 512, after: "cp.async.wait_all;"), 64, Tile));
        Finds(FindingKind.AsyncCopyNotWaited, Ptx.Findings(Copy("cp.async.wait_group 1; bar.sync 0;", 512, after: "cp.async.wait_all;"), 64, Tile));
        Finds(FindingKind.AsyncCopyNotWaited, Ptx.Findings(Copy("", 0, after: "cp.async.wait_all;"), 64, Tile));
        Finds(FindingKind.SharedRace, Ptx.Findings(Copy("cp.async.wait_group 0;", 512), 32, Tile).Concat(Ptx.Findings(Copy("cp.async.wait_group 0;", 16), 32, Tile)).ToList());
        FindsOnly(FindingKind.AsyncCopyAbandoned, Ptx.Findings(Copy("", 0).Replace("ld.shared.b32 %r6, [%r5];", "", StringComparison.Ordinal), 64, Tile));
    }

    [Fact]
    public void A_copy_into_a_tile_that_others_still_read_is_found()
    {
        const string Tile = ".shared .align 16 .b8 tile[1024];";
        const string Again = "{0} xor.b32 %r3, %r3, 512; add.u32 %r4, %r2, %r3; cp.async.cg.shared.global [%r5], [%rd6], 16; cp.async.wait_all;";
        string reads = Copy("cp.async.wait_all; bar.sync 0; ld.shared.b32 %r7, [%r4];", 512);
        FindsOnly(null, Ptx.Findings(reads + Again.Replace("{0}", "bar.sync 0;", StringComparison.Ordinal), 64, Tile));
        Finds(FindingKind.SharedRace, Ptx.Findings(reads + Again.Replace("{0}", "", StringComparison.Ordinal), 64, Tile));
    }

    [Fact]
    public void A_barrier_in_a_divergent_branch_or_that_some_warps_miss_is_found()
    {
        Finds(FindingKind.DivergentBarrier, Ptx.Findings("setp.lt.u32 %p1, %r1, 5; @%p1 bra SKIP; bar.sync 0; SKIP: mov.b32 %r2, 0;", 32));
        Finds(FindingKind.BarrierNeverCompleted, Ptx.Findings("setp.lt.u32 %p1, %r1, 32; @%p1 bra SKIP; bar.sync 0; SKIP: mov.b32 %r2, 0;", 64));
        FindsOnly(null, Ptx.Findings("setp.lt.u32 %p1, %r1, 32; @%p1 bra SKIP; bar.sync 1, 32; SKIP: mov.b32 %r2, 0;", 64));
    }

    /// <summary>Warps 0 and 1 exchange words behind barrier 1 and warps 2 and 3 behind barrier 2: right. Reading over the pairs' border: nothing orders it.</summary>
    [Theory]
    [InlineData(128, null)]
    [InlineData(256, FindingKind.SharedRace)]
    [InlineData(384, FindingKind.SharedRace)]
    public void A_named_barrier_orders_the_warps_that_take_part_and_no_others(int distance, FindingKind? kind)
    {
        string pairs = Exchange("shr.u32 %r7, %r1, 6; add.u32 %r7, %r7, 1; bar.sync %r7, 64;", "bar.sync %r7, 64;").Replace("128", $"{distance}", StringComparison.Ordinal);
        IReadOnlyList<Finding> findings = Ptx.Findings(pairs, 128, Shared);
        if (kind is null) { FindsOnly(null, findings); }
        else { Finds(kind.Value, findings); }
        FindsOnly(null, Ptx.Findings(pairs.Replace("bar.sync %r7, 64;", "bar.sync 3, 128;", StringComparison.Ordinal), 128, Shared));
    }

    /// <summary>Warp 0 writes and arrives at barrier 1, warp 1 waits there and reads. The other way round nothing is ordered: who only arrives does not wait.</summary>
    [Theory]
    [InlineData("bar.arrive 1, 64;", "bar.sync 1, 64;", null)]
    [InlineData("bar.sync 1, 64;", "bar.arrive 1, 64;", FindingKind.SharedRace)]
    public void A_warp_that_only_arrives_is_ordered_before_those_that_wait(string writer, string reader, FindingKind? kind) => FindsOnly(kind, Ptx.Findings($"""
        mov.u32 %r2, tile; and.b32 %r3, %r1, 31; shl.b32 %r3, %r3, 2; add.u32 %r2, %r2, %r3; setp.ge.u32 %p1, %r1, 32;
        @%p1 bra READ;
        st.shared.b32 [%r2], %r1;
        {writer}
        bra END;
        READ: {reader}
        ld.shared.b32 %r4, [%r2];
        END: mov.b32 %r5, 0;
        """, 64, Shared));

    /// <summary>What warp 0 wrote before barrier 1 reaches warp 2 through warp 1, which takes part in both barriers.</summary>
    [Theory]
    [InlineData("bar.sync 2, 64;", null)]
    [InlineData("", FindingKind.SharedRace)]
    public void Order_goes_on_from_barrier_to_barrier(string second, FindingKind? kind) => FindsOnly(kind, Ptx.Findings($"""
        mov.u32 %r2, tile; shr.u32 %r6, %r1, 5; setp.eq.u32 %p1, %r6, 0; setp.eq.u32 %p2, %r6, 1;
        @%p1 bra FIRST;
        @%p2 bra MIDDLE;
        {second}
        ld.shared.b32 %r4, [%r2];
        bra END;
        MIDDLE: bar.sync 1, 64;
        {second}
        bra END;
        FIRST: st.shared.b32 [%r2], 7;
        bar.sync 1, 64;
        END: mov.b32 %r5, 0;
        """, 96, Shared));

    [Theory]
    [InlineData("bar.sync 1, 48;")]
    [InlineData("bar.sync 1, 128;")]
    [InlineData("bar.sync 16;")]
    public void A_barrier_of_an_impossible_number_is_found(string barrier) => Finds(FindingKind.BarrierMisused, Ptx.Findings(barrier, 64));

    [Fact]
    public void What_nobody_wrote_is_known_after_copies()
    {
        using var memory = new DeviceMemory();
        ulong from = memory.Allocate(64), to = memory.Allocate(64);
        memory.Write<int>(from, [1, 2, 3]);
        memory.MarkInitialized(to, 64);
        memory.Copy(from, to + 16, 16);
        Assert.Equal([1, 2, 3], memory.Read<int>(to + 16, 3));
        Assert.Equal((-1L, 28L, 12L), (memory.FirstUnwritten(to, 28), memory.FirstUnwritten(to, 64), memory.FirstUnwritten(from, 64)));
        Assert.Throws<ArgumentException>(() => memory.FirstUnwritten(from, 65));
    }

    [Fact]
    public void A_shuffle_from_a_lane_that_is_not_there_is_found()
    {
        FindsOnly(FindingKind.MissingLanes, Ptx.Findings("setp.lt.u32 %p1, %r1, 5; @%p1 shfl.sync.bfly.b32 %r2, %r1, 16, 31, 0xffffffff;", 32));
        FindsOnly(null, Ptx.Findings("shfl.sync.bfly.b32 %r2, %r1, 16, 31, 0xffffffff;", 32));
    }

    [Fact]
    public void An_endless_loop_ends_with_a_finding()
    {
        using var bench = new Workbench { Options = new EmulatorOptions { InstructionLimit = 1000 } };
        FindsOnly(FindingKind.InstructionLimit, bench.With(0L).With(0L).Run(Ptx.Kernel("L: mov.b32 %r2, 1; bra L;"), Workbench.Line(1, 32)).Findings);
    }

    [Fact]
    public void A_finding_names_kernel_line_instruction_block_and_thread()
    {
        Finding finding = Assert.Single(Ptx.Findings("ld.global.f32 %f1, [%rd3+1024];", threads: 96, inputBytes: 1024 + 40 * 4));
        foreach (string part in new[] { "kernel Test", $"line {finding.Line}", "ld.global.f32 %f1, [%rd3+1024]", "block (0, 0, 0)", "thread (40, 0, 0)", "0x" }) { Assert.Contains(part, finding.Message); }
    }

    [Fact]
    public void Findings_are_capped_and_checkers_can_be_switched_off()
    {
        string many = string.Join('\n', Enumerable.Range(0, 20).Select(n => $"add.s32 %r{40 + n % 8}, %r{50 + n % 8}, 1;"));
        using var bench = new Workbench { Options = new EmulatorOptions { MaxFindings = 3 } };
        LaunchReport report = bench.With(0L).With(0L).Run(Ptx.Kernel(many), Workbench.Line(1, 32));
        Assert.Equal(3, report.Findings.Count);
        Assert.True(report.SuppressedFindings > 0);
        using var silent = new Workbench { Options = new EmulatorOptions { CheckRegisters = false } };
        Assert.Empty(silent.With(0L).With(0L).Run(Ptx.Kernel(many), Workbench.Line(1, 32)).Findings);
    }
}
