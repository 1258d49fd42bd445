using System.Text.RegularExpressions;
using I2M.Kernels.Ilgpu;
using I2M.PtxReport;
using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>eng/ptx-report: it reads what ptxas prints, fails on what it must fail on, and the committed table is complete.</summary>
public sealed class PtxReportTests : IDisposable
{
    private const string Log = """
        ptxas info    : 0 bytes gmem
        ptxas info    : Compiling entry function 'Kernel' for 'sm_90'
        ptxas info    : Function properties for Kernel
            1120 bytes stack frame, 516 bytes spill stores, 477 bytes spill loads
        ptxas info    : Used 255 registers, 8320 bytes smem, 400 bytes cmem[0]
        """;

    private const string Listing = """
                /*0000*/                   IMAD.MOV.U32 R1, RZ, RZ, c[0x0][0x28] ;
                /*0010*/               @P0 LDG.E.128 R4, [R2.64] ;
                /*0020*/              @!P1 LDG.E.128.CONSTANT R4, [R2.64] ;
                /*0030*/                   LDG.E R8, [R2.64] ;
                /*0040*/              @UP0 LDGSTS.E.BYPASS.128 [R9], [R2.64] ;
                /*0050*/                   LDSM.16.MT88.4 R12, [R9] ;
                /*0060*/                   HMMA.16816.F32.BF16 R16, R4, R12, R16 ;
                /*0070*/                   HMMA.16816.F32.BF16 R20, R4, R14, R20 ;
                /*0080*/                   MUFU.EX2 R20, R20 ;
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("i2m-ptx-report-").FullName;

    private static KernelEntry Kernel => KernelEntry.Of(((Delegate)PlantedKernels.ReverseThroughShared).Method);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_output_of_ptxas_and_nvdisasm_is_read()
    {
        Assert.Equal(new Usage(255, 1120, 993, 8320, null), Assembler.Parse(Log));
        Assert.Equal(new InstructionCounts(2, 1, 1, 2, 1), InstructionCounts.Of(Listing));
        Assert.Throws<I2MException>(() => Assembler.Parse("ptxas info : nothing"));
        Assert.True(InstructionCounts.Possible("ld.global.v4.f32 {%f1,%f2,%f3,%f4}, [%rd1];"));
        Assert.True(InstructionCounts.Possible("ex2.approx.ftz.f32 %f1, %f2;"));
        Assert.False(InstructionCounts.Possible("ld.global.f32 %f1, [%rd1]; fma.rn.f32 %f2, %f1, %f1, %f1;"));
    }

    [Fact]
    public void Two_barriers_in_a_row_are_a_fault()
    {
        Assert.Contains("1 times two barriers", Assert.Single(PtxLint.Of("\tst.shared.f32 [%rd1], %f1;\n\tbar.sync\t0;\n\n\tbar.sync\t0;\n")), StringComparison.Ordinal);
        Assert.Empty(PtxLint.Of("\tbar.sync\t0;\n\tld.shared.f32 %f1, [%rd1];\n\tbar.sync\t0;\n"));
        Assert.Empty(PtxLint.Of("\tbar.sync\t0;\nL_1:\n\tbar.sync\t0;\n"));
    }

    /// <summary>CUDA's own occupancy calculator gives these.</summary>
    [Theory]
    [InlineData("sm_80", 128, 32, 0, 16)]
    [InlineData("sm_80", 256, 128, 0, 2)]
    [InlineData("sm_80", 128, 198, 49152, 2)]
    [InlineData("sm_90", 128, 212, 98304, 2)]
    [InlineData("sm_80", 128, 212, 98304, 1)]
    [InlineData("sm_90", 128, 255, 0, 2)]
    [InlineData("sm_90", 32, 16, 0, 32)]
    [InlineData("sm_90", 1024, 65, 0, 0)]
    public void Occupancy_follows_registers_threads_and_shared_memory(string target, int threads, int registers, int shared, int groups) =>
        Assert.Equal(groups, Occupancy.Groups(target, threads, registers, shared));

    [Fact]
    public void Every_miss_of_a_budget_is_a_problem()
    {
        var counts = new InstructionCounts(64, 16, 8, 4, 2);
        var kept = new Usage(198, 0, 0, 1024, counts);
        Assert.Empty(Problems(kept));
        Assert.Empty(Problems(kept with { Registers = 200 }));
        Assert.Contains("201 registers, budget 200", Problems(kept with { Registers = 201 }));
        Assert.Contains("8 bytes of stack in a hot kernel", Problems(kept with { Stack = 8 }));
        Assert.Contains("4 bytes of spills in a hot kernel", Problems(kept with { Spill = 4 }));
        Assert.Contains("8 bytes of stack, budget 0", Problems(kept with { Stack = 8 }, hot: false));
        Assert.DoesNotContain("hot", Problems(kept with { Stack = 8 }, hot: false));
        Assert.Contains("1028 bytes of static shared memory, budget 1024", Problems(kept with { Shared = 1028 }));
        Assert.Contains("63 HMMA, at least 64 expected", Problems(kept with { Instructions = counts with { Hmma = 63 } }));
        Assert.Contains("15 LDSM, at least 16 expected", Problems(kept with { Instructions = counts with { Ldsm = 15 } }));
        Assert.Contains("7 LDGSTS, at least 8 expected", Problems(kept with { Instructions = counts with { Ldgsts = 7 } }));
        Assert.Contains("3 MUFU, budget 2", Problems(kept with { Instructions = counts with { Mufu = 3 } }));
        Assert.Empty(Problems(kept with { Instructions = counts with { Mufu = 1 } }));
        Assert.Contains("3 LDG.128, at least 4 expected", Problems(kept with { Instructions = counts with { Ldg128 = 3 } }));
        Assert.Contains("0 groups fit on a multiprocessor, its KernelBounds promise 1", Problems(kept with { Shared = 1 << 18 }));
        Assert.Contains("no budget for this target", string.Join('\n', BudgetCheck.Kernel(Table(true), new Measurement(Kernel, "sm_80", kept))));

        string Problems(Usage usage, bool hot = true) => string.Join('\n', BudgetCheck.Kernel(Table(hot), new Measurement(Kernel, "sm_90", usage)));
        BudgetTable Table(bool hot)
        {
            BudgetTable table = BudgetTable.Empty;
            table.Kernels.Add(Kernel.Name, new BudgetRow(hot, new() { ["sm_90"] = Budget.Of(kept, 2) }));
            return table;
        }
    }

    [Fact]
    public void Budgets_of_another_assembler_are_named_where_they_are_missed()
    {
        Assert.Null(BudgetCheck.VersionHint("11.8.89", "11.8.89"));
        string hint = BudgetCheck.VersionHint("12.4.131", "11.8.89")!;
        foreach (string part in new[] { "made with ptxas 11.8.89, this is ptxas 12.4.131", "eng/install-ptxas.sh", "CUDA toolkit 11.8 by --ptxas", "--update" }) { Assert.Contains(part, hint, StringComparison.Ordinal); }
    }

    [Fact]
    public void A_missed_budget_of_another_assembler_says_how_to_get_that_one()
    {
        RequireAssembler();
        var options = new ReportOptions(null, Path.Combine(_folder, "ptx"), Path.Combine(_folder, "budgets.json"), Update: true);
        Report(options, out _);
        File.WriteAllText(options.Budgets, Regex.Replace(File.ReadAllText(options.Budgets), "\"assembler\": \"[^\"]*\"", "\"assembler\": \"1.2.3\""));
        Assert.Equal(1, Report(options with { Update = false }, out string text));
        Assert.Contains("NOTE the budgets were made with ptxas 1.2.3, this is ptxas", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_committed_table_has_a_row_for_every_kernel_and_no_other()
    {
        BudgetTable table = BudgetTable.Load(Path.Combine(ReferenceData.RepositoryRoot, "eng", "ptx-report", "budgets.json"));
        var kernels = KernelCatalog.Of(typeof(IBackend).Assembly);
        Assert.True(kernels.Count >= 60, $"only {kernels.Count} kernels found");
        Assert.Empty(BudgetCheck.Rows(table, kernels));
        Assert.NotEmpty(BudgetCheck.Rows(table, [.. kernels, Kernel]));
        Assert.NotEmpty(BudgetCheck.Rows(table, [.. kernels.Skip(1)]));
    }

    [Fact]
    public void The_report_fails_on_a_planted_kernel_with_local_memory_and_on_one_that_is_not_in_the_table()
    {
        RequireAssembler();
        var options = new ReportOptions(null, Path.Combine(_folder, "ptx"), Path.Combine(_folder, "budgets.json"), Update: true);
        Assert.Equal(1, Report(options, out string updated));
        Assert.Contains("FAIL PlantedKernels.UsesStack on sm_80: 128 bytes of stack in a hot kernel", updated, StringComparison.Ordinal);
        Assert.Contains("FAIL PlantedKernels.UsesStack on sm_90: 128 bytes of stack in a hot kernel", updated, StringComparison.Ordinal);
        Assert.Equal(1, Report(options with { Update = false }, out _));

        string table = File.ReadAllText(options.Budgets), row = "\"PlantedKernels.UsesStack\": { \"hot\": ";
        File.WriteAllText(options.Budgets, table.Replace($"{row}true", $"{row}false", StringComparison.Ordinal));
        Assert.Equal(0, Report(options with { Update = false }, out string _));
        Assert.Equal(0, Report(options, out _));

        File.WriteAllText(options.Budgets, table.Replace(row, row.Replace("UsesStack", "Renamed", StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.Equal(1, Report(options with { Update = false }, out string renamed));
        Assert.Contains("PlantedKernels.UsesStack: not in the budget table", renamed, StringComparison.Ordinal);
        Assert.Contains("PlantedKernels.Renamed: in the budget table, but there is no such kernel", renamed, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failure_of_the_assembler_is_one_line()
    {
        const string assembler = "/bin/false";
        Assert.SkipUnless(File.Exists(assembler), $"no {assembler} on this machine");
        var options = new ReportOptions(assembler, Path.Combine(_folder, "ptx"), Path.Combine(_folder, "budgets.json"), Update: true);
        string message = Assert.Throws<I2MException>(() => Report(options, out _)).Message;
        Assert.StartsWith("false -arch=sm_", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.False(File.Exists(options.Budgets));
    }

    [Theory]
    [InlineData("--nonsense")]
    [InlineData("--ptxas")]
    [InlineData("--out")]
    public void Wrong_arguments_are_refused(string argument) => Assert.Throws<I2MException>(() => ReportOptions.Parse([argument]));

    private static int Report(ReportOptions options, out string text)
    {
        var output = new StringWriter();
        int status = ReportCommand.Run(options, typeof(PlantedKernels).Assembly, output);
        text = output.ToString();
        return status;
    }

    private static void RequireAssembler()
    {
        const string missing = "no ptxas on PATH or in artifacts/ptxas (eng/install-ptxas.sh)";
        if (Assembler.Find(null) is not null) { return; }
        if (Environment.GetEnvironmentVariable("CI") == "true") { Assert.Fail(missing); }
        Assert.Skip(missing);
    }
}
