using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using I2M.Kernels;

namespace I2M.PtxReport;

/// <summary>What the assembler says of one kernel on one target.</summary>
/// <param name="Registers">32-bit registers a thread.</param>
/// <param name="Stack">Bytes of stack frame a thread: local memory.</param>
/// <param name="Spill">Bytes of spill stores and loads a thread.</param>
/// <param name="Shared">Bytes of static shared memory a group.</param>
/// <param name="Instructions">Counts of machine instructions, or null where no disassembler is.</param>
internal sealed record Usage(int Registers, int Stack, int Spill, int Shared, InstructionCounts? Instructions);

/// <summary>ptxas, and nvdisasm where it lies beside it.</summary>
internal sealed partial class Assembler
{
    private readonly string _ptxas;
    private readonly string? _nvdisasm;

    private Assembler(string ptxas, string? nvdisasm) => (_ptxas, _nvdisasm) = (ptxas, nvdisasm);

    /// <summary>True when machine instructions can be counted.</summary>
    public bool CountsInstructions => _nvdisasm is not null;

    /// <summary>The assembler at <paramref name="path"/>, in artifacts/ptxas or on PATH; null when there is none.</summary>
    /// <exception cref="I2MException">There is no program at <paramref name="path"/>.</exception>
    public static Assembler? Find(string? path)
    {
        if (path is not null && !File.Exists(path)) { throw new I2MException($"--ptxas {path}: no such file"); }
        path ??= (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Prepend(Path.Combine(ReportOptions.RepositoryRoot(), "artifacts", "ptxas"))
            .Select(folder => Path.Combine(folder, "ptxas")).FirstOrDefault(File.Exists);
        if (path is null) { return null; }
        string disassembler = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, "nvdisasm");
        return new Assembler(path, File.Exists(disassembler) ? disassembler : null);
    }

    /// <summary>"11.8.89" of "Cuda compilation tools, release 11.8, V11.8.89".</summary>
    public string Version() => VersionPattern().Match(Run(_ptxas, ["--version"])) is { Success: true } match ? match.Groups[1].Value : "unknown";

    /// <summary>Assembles a file for a target such as "sm_90".</summary>
    /// <exception cref="I2MException">The text does not assemble.</exception>
    public Usage Assemble(string ptxFile, string target)
    {
        string binary = Path.ChangeExtension(ptxFile, $".{target}.cubin");
        string log = Run(_ptxas, [$"-arch={target}", "-v", "-o", binary, ptxFile]);
        InstructionCounts? counts = _nvdisasm is null ? null
            : InstructionCounts.Possible(File.ReadAllText(ptxFile)) ? InstructionCounts.Of(Run(_nvdisasm, ["-c", binary])) : InstructionCounts.None;
        File.Delete(binary);
        return Parse(log) with { Instructions = counts };
    }

    /// <summary>Reads the output of ptxas -v on a file with one kernel.</summary>
    public static Usage Parse(string log)
    {
        int stack = Sum(StackPattern().Matches(log)), spill = Sum(SpillPattern().Matches(log));
        return new Usage(One(RegisterPattern()), stack, spill, SharedPattern().IsMatch(log) ? One(SharedPattern()) : 0, null);

        int One(Regex pattern) => pattern.Match(log) is { Success: true } match ? Number(match)
            : throw new I2MException($"ptxas printed no {pattern} in: {log.ReplaceLineEndings(" ")}");
        static int Sum(MatchCollection matches) => matches.Sum(Number);
        static int Number(Match match) => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
    }

    private static string Run(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new I2MException($"{Path.GetFileName(program)} {string.Join(' ', arguments)}: {output.ReplaceLineEndings(" ")}");
    }

    [GeneratedRegex(@"V(\d+(\.\d+)+)")]
    private static partial Regex VersionPattern();

    [GeneratedRegex(@"Used (\d+) registers")]
    private static partial Regex RegisterPattern();

    [GeneratedRegex(@"(\d+) bytes stack frame")]
    private static partial Regex StackPattern();

    [GeneratedRegex(@"(\d+) bytes spill (?:stores|loads)")]
    private static partial Regex SpillPattern();

    [GeneratedRegex(@"(\d+) bytes smem")]
    private static partial Regex SharedPattern();
}
