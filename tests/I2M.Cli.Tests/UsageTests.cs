using System.Text.RegularExpressions;
using Xunit;

namespace I2M.Cli.Tests;

/// <summary>Help and wrong words: exit 2, a short message, no stack trace.</summary>
public sealed class UsageTests
{
    private static readonly Dictionary<string, string[]> Required = new()
    {
        ["quickstart"] = [],
        ["train"] = ["--data", "x", "--out", "y"],
        ["generate"] = ["--checkpoint", "x", "--image", "y"],
        ["vocode"] = ["x", "--out", "y"],
        ["mel"] = ["x"],
        ["convert"] = ["x", "y"],
        ["info"] = ["x"],
        ["devices"] = [],
        ["bench"] = [],
    };

    /// <summary>What looks wrong but is right for an option.</summary>
    private static readonly HashSet<(string Option, string Value)> Allowed =
        [("--seed", "0"), ("--seed", "99999999999"), ("--threads", "0"), ("--warmup", "0"), ("--eval", "0"), ("--cfg", "0"), ("--cfg-rescale", "0"), ("--eta", "0"), ("--minutes", "1e3"),
            ("--picture-cache", "0"), ("--picture-cache", "1e3"), ("--augment-flip", "0"), ("--augment-light", "0"), ("--augment-colour", "0")];

    public static TheoryData<string> Verbs => [.. Required.Keys];

    public static TheoryData<string, string> WrongNumbers
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string verb in new[] { "quickstart", "train", "generate", "vocode", "mel", "convert", "bench" })
                foreach (string value in new[] { "abc", "0", "-1", "1e3", "99999999999", "nan", "1,5" }) { data.Add(verb, value); }
            return data;
        }
    }

    [Theory, MemberData(nameof(Verbs))]
    public void HelpDescribesAndShowsExamples(string verb)
    {
        CliResult result = CliProcess.Run(verb, "--help").Succeeded();
        Assert.Matches(@"Description:\s+\w{3}", result.Out);
        Assert.Contains("Examples:", result.Out);
        Assert.Contains($"i2m {verb}", result.Out);
    }

    [Fact]
    public void TheRootNamesEveryVerb()
    {
        string help = CliProcess.Run("--help").Succeeded().Out;
        string[] listed = [.. Regex.Matches(help[help.IndexOf("Commands:", StringComparison.Ordinal)..], @"^  ([a-z]+)", RegexOptions.Multiline).Select(m => m.Groups[1].Value)];
        foreach (string verb in Required.Keys) { Assert.Contains(verb, listed); }
    }

    [Theory]
    [InlineData("nosuchverb")]
    [InlineData("info", "x", "--nosuchoption")]
    [InlineData("generate")]
    [InlineData("info", "a", "b")]
    [InlineData("info", "x", "--json", "maybe")]
    public void WrongWordsAreUsageErrors(params string[] args)
    {
        CliResult result = CliProcess.Run(args);
        Assert.Equal(2, result.ExitCode);
        Assert.Empty(result.Out);
        string[] lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.InRange(lines.Length, 2, 4);
        Assert.All(lines, line => Assert.StartsWith("i2m: ", line));
        Assert.All(lines, line => Assert.InRange(line.Length, 5, 200));
    }

    /// <summary>Every option that takes a number, found in the help, refuses the value in one line of its own.</summary>
    [Theory, MemberData(nameof(WrongNumbers))]
    public void WrongNumbersAreUsageErrors(string verb, string value)
    {
        string[] options = [.. Regex.Matches(CliProcess.Run(verb, "--help").Out, @"(--[a-z-]+) <number>").Select(m => m.Groups[1].Value).Where(o => !Allowed.Contains((o, value)))];
        Assert.NotEmpty(Regex.Matches(CliProcess.Run(verb, "--help").Out, "<number>"));
        if (options.Length == 0) { return; }
        CliResult result = CliProcess.Run([verb, .. Required[verb], .. options.SelectMany(o => new[] { o, value })]);
        Assert.Equal(2, result.ExitCode);
        string[] lines = [.. result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        foreach (string option in options) { Assert.Single(lines, l => l.StartsWith($"i2m: {option} {value}: expected a ", StringComparison.Ordinal)); }
        Assert.Equal(options.Length + 1, lines.Length);
    }
}
