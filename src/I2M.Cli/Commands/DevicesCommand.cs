using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using I2M.Kernels;

namespace I2M.Cli.Commands;

/// <summary><c>i2m devices</c>: what --device can name here.</summary>
internal static class DevicesCommand
{
    private static readonly Option<bool> Json = CommonOptions.Json();

    public static Command Create()
    {
        var command = new Command("devices", "List the devices that --device can name, and which one auto takes.\n\nExamples:\n  i2m devices\n  i2m devices --json") { Json };
        command.SetAction(int (ParseResult parse) => Run(parse.GetValue(Json)));
        return command;
    }

    private static int Run(bool json)
    {
        IReadOnlyList<(string Option, DeviceInfo Info)> devices = BackendSelector.List();
        string auto = BackendSelector.AutoChoice;
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new
            {
                auto,
                devices = devices.Select(d => new { option = d.Option, name = d.Info.Name, detail = d.Info.Detail, memoryBytes = d.Info.MemoryBytes, computeUnits = d.Info.ComputeUnits }),
            }));
            return 0;
        }
        List<string[]> rows = [["option", "name", "detail", "memory", "units"]];
        rows.AddRange(devices.Select(d => new[]
        {
            d.Option, d.Info.Name, d.Info.Detail, string.Create(CultureInfo.InvariantCulture, $"{d.Info.MemoryBytes / (double)(1L << 30):F1} GiB"), d.Info.ComputeUnits.ToString(CultureInfo.InvariantCulture),
        }));
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(c => rows.Max(r => r[c].Length))];
        foreach (string[] row in rows) { Console.WriteLine(string.Join("  ", row.Select((cell, c) => cell.PadRight(widths[c]))).TrimEnd()); }
        Console.WriteLine($"auto takes {auto}");
        return 0;
    }
}
