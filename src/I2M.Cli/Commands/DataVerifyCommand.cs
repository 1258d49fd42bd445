using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using I2M.Model.Data.Shards;

namespace I2M.Cli.Commands;

/// <summary><c>i2m data verify</c>: is every picture and sound of a data set what it was when it was made?</summary>
internal static class DataVerifyCommand
{
    private static readonly Argument<string> Data = new("data") { Description = "A folder of shards, or pairs.json or its folder.", HelpName = "folder" };
    private static readonly Option<bool> Json = CommonOptions.Json();

    public static Command Create()
    {
        var command = new Command("verify", "Check every content of a data set or of shards against its hash; name what is missing, damaged or too much. Exit code 1 when anything is.\n\nExample:\n  i2m data verify shards") { Data, Json };
        command.SetAction(Run);
        return command;
    }

    private static Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        using var progress = new ProgressLine();
        var clock = Stopwatch.StartNew();
        VerifyReport report = DataVerifier.Verify(parse.GetRequiredValue(Data), (done, total) => progress.Show("verifying", done, total), cancel);
        progress.Dispose();
        double seconds = clock.Elapsed.TotalSeconds;
        foreach (DataProblem problem in report.Problems) { Console.Error.WriteLine($"{problem.File}: {problem.Reason}"); }
        string without = report.WithoutHash > 0 ? $", {report.WithoutHash:N0} without a hash to compare with" : "";
        Console.WriteLine(parse.GetValue(Json)
            ? JsonSerializer.Serialize(new { checkedFiles = report.Checked, bytes = report.Bytes, withoutHash = report.WithoutHash, problems = report.Problems.Select(p => new { file = p.File, reason = p.Reason }), seconds, peakResidentBytes = MemoryFacts.PeakResidentBytes() })
            : $"{report.Checked:N0} contents of {Units.Bytes(report.Bytes)} compared with their hashes{without}: {(report.Problems.Count == 0 ? "all as they were made" : $"{report.Problems.Count:N0} problems")}; {Units.Seconds(seconds)}");
        return Task.FromResult(report.Problems.Count == 0 ? 0 : CommandRunner.Failure);
    }
}
