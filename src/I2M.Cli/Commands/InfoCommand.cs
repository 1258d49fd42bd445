using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using I2M.Cli.Inspection;

namespace I2M.Cli.Commands;

/// <summary><c>i2m info</c>: what a file or folder is.</summary>
internal static class InfoCommand
{
    private const int MaxLines = 40;
    private static readonly Argument<string> Input = new("path") { Description = "Checkpoint, run folder, safetensors, .pt/.bin, pairs.json, settings, WAV, picture or Vocos folder." };
    private static readonly Option<bool> All = new("--all") { Description = $"Print everything, not just {MaxLines} lines." };
    private static readonly Option<bool> Json = CommonOptions.Json();
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static Command Create()
    {
        var command = new Command("info", "Say what a file or folder is; reads headers alone, writes nothing.\n\nExamples:\n  i2m info run\n  i2m info model.safetensors --all\n  i2m info pairs.json --json") { Input, All, Json };
        command.SetAction(int (ParseResult parse) => Run(parse.GetRequiredValue(Input), parse.GetValue(All), parse.GetValue(Json)));
        return command;
    }

    private static int Run(string path, bool all, bool json)
    {
        FileReport report = FileInspector.Inspect(path);
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { path, kind = report.Kind, facts = report.Facts.ToDictionary(f => f.Name, f => f.Value), entries = report.Entries }, s_json));
            return 0;
        }
        string[] lines = [$"{path}: {report.Kind}", .. report.Lines()];
        bool cut = !all && lines.Length > MaxLines;
        foreach (string line in cut ? lines[..(MaxLines - 1)] : lines) { Console.WriteLine(line); }
        if (cut) { Console.WriteLine($"  … {lines.Length - MaxLines + 1} more lines: --all"); }
        return 0;
    }
}
