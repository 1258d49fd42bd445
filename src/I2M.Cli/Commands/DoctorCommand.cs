using System.CommandLine;
using System.Text.Json;
using I2M.Kernels;
using I2M.Kernels.Ilgpu;
using I2M.Model.Diagnostics;

namespace I2M.Cli.Commands;

/// <summary><c>i2m doctor</c>: what is here, whether it computes rightly, what is wrong and how to mend it.</summary>
internal static class DoctorCommand
{
    private static readonly Option<string> Device = new("--device", "-d") { Description = "Check this device alone: host, opencl or cuda. Without it all that are here.", HelpName = "device", DefaultValueFactory = _ => "all" };
    private static readonly Option<int> Threads = CommonOptions.Threads();
    private static readonly Option<bool> Json = CommonOptions.Json();

    public static Command Create()
    {
        var command = new Command("doctor", "Check this installation: lists devices, drivers and versions, compares every kernel family of every device with the host on small random data, measures bandwidth and floating-point rates, and says what is wrong and how to mend it. Fails when something that is needed is broken. The output names no user, computer or path and can be pasted into an issue.\n\nExamples:\n  i2m doctor\n  i2m doctor --device cuda --json")
        {
            Device, Threads, Json,
        };
        command.SetAction(Run);
        return command;
    }

    private static Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        int threads = parse.GetValue(Threads) is > 0 and var given ? given : Environment.ProcessorCount;
        SystemFacts facts = SystemFacts.Gather();
        using var progress = new ProgressLine();
        List<DeviceReport> devices = [];
        using IBackend host = BackendSelector.Open("host", threads, out _);
        foreach (var (option, index, name) in Listed(parse.GetValue(Device)!))
        {
            cancel.ThrowIfCancellationRequested();
            progress.Show($"doctor: checking {option}: {name}");
            devices.Add(Examine(option, index, name, host, threads));
        }
        progress.Clear();
        IReadOnlyList<Finding> findings = Doctor.Diagnose(facts, devices);
        if (parse.GetValue(Json)) { Console.WriteLine(JsonSerializer.Serialize(new { facts, devices = devices.Select(AsJson), findings = findings.Select(f => new { level = f.Level.ToString().ToLowerInvariant(), what = f.What, mend = f.Mend }) }, s_json)); }
        else { Print(facts, devices, findings); }
        return Task.FromResult(findings.Any(f => f.Level == FindingLevel.Broken) ? CommandRunner.Failure : 0);
    }

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    /// <summary>Every device that is here under a name, numbered within it; a name without any is looked for all the same, as opening it says what is missing.</summary>
    private static IEnumerable<(string Option, int Index, string Name)> Listed(string device)
    {
        string wanted = device.ToLowerInvariant();
        if (wanted != "all" && (wanted == "auto" || !BackendSelector.Names.Contains(wanted))) { throw new I2MException($"--device {device}: expected host, opencl, cuda or all"); }
        var found = BackendSelector.List().GroupBy(d => d.Option).SelectMany(g => g.Select((d, i) => (d.Option, Index: i, d.Info.Name)))
            .Where(d => wanted == "all" || d.Option == wanted).ToList();
        return found.Count > 0 ? found : [(wanted, 0, "not here")];
    }

    /// <summary>A device that does not open is a report, too.</summary>
    private static DeviceReport Examine(string option, int index, string name, IBackend host, int threads)
    {
        if (option == "host") { return DeviceReport.Make(option, host, host, threads); }
        try
        {
            using IBackend device = Open(option, index, threads);
            return DeviceReport.Make(option, device, host, threads);
        }
        catch (I2MException e)
        {
            return new DeviceReport(option, $"{name}, does not open", [new FamilyReport("opening", double.NaN, e.Message)], null, null, null);
        }
    }

    private static IBackend Open(string option, int index, int threads) => (option, index) switch
    {
        ("cuda", > 0) => IlgpuBackend.Cuda(index),
        ("opencl", > 0) => IlgpuBackend.OpenCl(index),
        _ => BackendSelector.Open(option, threads, out _),
    };

    private static void Print(SystemFacts f, List<DeviceReport> devices, IReadOnlyList<Finding> findings)
    {
        (string, string)[] rows =
        [
            ("i2m", f.Program), ("runtime", f.Runtime), ("system", f.System), ("processor", $"{f.Processor}, {f.Cores} logical"), ("memory", Units.Bytes(f.MemoryBytes)),
            ("free disk", $"{Disk(f.FreeDiskBytes)} here, {Disk(f.FreeTemporaryBytes)} for temporary files"), ("ILGPU", f.Ilgpu),
            ("OpenCL", f.OpenClPlatforms.Count > 0 ? string.Join(", ", f.OpenClPlatforms) : f.OpenClLoader ? "no driver" : "none"),
            ("CUDA driver", f.CudaLibrary ? $"{f.CudaVersion ?? "unknown"}{(f.CudaError == 0 ? "" : $", error {f.CudaError}")}" : "none"), ("NVIDIA cards", $"{f.NvidiaCards}"),
            ("libsndfile", f.SoundFile ?? "none"), ("espeak-ng", f.Espeak ?? "none"), ("fonts", f.Fonts),
        ];
        foreach (var (name, value) in rows) { Console.WriteLine($"{name,-14}{value}"); }
        foreach (DeviceReport d in devices)
        {
            Console.WriteLine();
            Console.WriteLine($"{d.Option}: {d.Name}");
            Console.WriteLine($"  kernels   {string.Join(", ", d.Families.Select(x => x.Problem is null ? $"{x.Family} ok" : $"{x.Family} BROKEN"))}");
            if (d.Gflops is { } gflops) { Console.WriteLine($"  measured  product {Units.Flops(1e9 * gflops, "/s")}, peak {(d.PeakGflops is { } peak ? Units.Flops(1e9 * peak, "/s") : "not measured")}, copy {Units.Number(d.CopyGbs!.Value, "F1")} GB/s"); }
        }
        Console.WriteLine();
        foreach (Finding finding in findings.OrderByDescending(x => x.Level)) { Console.WriteLine($"{(finding.Level == FindingLevel.Broken ? "BROKEN" : "note")}: {finding.What}: {finding.Mend}"); }
        Console.WriteLine(findings.Any(x => x.Level == FindingLevel.Broken) ? "something that is needed is broken" : "everything that is needed works");
    }

    private static object AsJson(DeviceReport d) => new
    {
        option = d.Option,
        name = d.Name,
        works = d.Works,
        families = d.Families.Select(x => new { name = x.Family, errorOfLimit = CommonOptions.Finite(x.ErrorOfLimit), problem = x.Problem }),
        gflops = d.Gflops,
        peakGflops = d.PeakGflops,
        copyGbs = d.CopyGbs,
    };

    private static string Disk(long? bytes) => bytes is { } b ? Units.Bytes(b) : "unknown";
}
