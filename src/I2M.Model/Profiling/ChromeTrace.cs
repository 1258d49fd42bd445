using System.Text.Json;
using I2M.Model.Io;

namespace I2M.Model.Profiling;

/// <summary>Writes a profile in the Trace Event Format that chrome://tracing and ui.perfetto.dev open.</summary>
public static class ChromeTrace
{
    private const int StepTrack = 0, OperationTrack = 1;

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <param name="path">Where.</param>
    /// <param name="profiler">The profile.</param>
    /// <param name="device">Name of the device, for the tracks.</param>
    public static void Write(string path, OperationProfiler profiler, string device)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("displayTimeUnit", "ms");
            json.WriteStartArray("traceEvents");
            WriteName(json, "process_name", StepTrack, $"i2m on {device}");
            WriteName(json, "thread_name", StepTrack, "steps");
            WriteName(json, "thread_name", OperationTrack, profiler.Serialises ? "operations, one after another" : "operations");
            foreach (var (step, start, seconds) in profiler.Steps) { WriteSpan(json, $"step {step + 1}", "step", StepTrack, start, seconds, null); }
            foreach (ProfiledCall call in profiler.Calls) { WriteSpan(json, call.Key.Name, call.Key.Kind.Length > 0 ? "compute" : "memory", OperationTrack, call.Start, call.Seconds, call); }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        AtomicFile.Write(path, buffer.ToArray());
    }

    private static void WriteName(Utf8JsonWriter json, string what, int track, string name)
    {
        json.WriteStartObject();
        json.WriteString("name", what);
        json.WriteString("ph", "M");
        json.WriteNumber("pid", 1);
        json.WriteNumber("tid", track);
        json.WriteStartObject("args");
        json.WriteString("name", name);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>A complete event ("X"); times in microseconds.</summary>
    private static void WriteSpan(Utf8JsonWriter json, string name, string category, int track, double start, double seconds, ProfiledCall? call)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("cat", category);
        json.WriteString("ph", "X");
        json.WriteNumber("pid", 1);
        json.WriteNumber("tid", track);
        json.WriteNumber("ts", Math.Round(1e6 * start, 3));
        json.WriteNumber("dur", Math.Round(1e6 * seconds, 3));
        if (call is { } c)
        {
            json.WriteStartObject("args");
            json.WriteString("sizes", c.Key.Shape);
            json.WriteString("type", c.Key.TypeName);
            json.WriteNumber("flops", c.Flops);
            json.WriteNumber("bytes", c.Bytes);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }
}
