using System.Text.Encodings.Web;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Io;

namespace I2M.Model.Data.Building;

/// <summary>
/// The original program's <c>meta_file.json</c>: objects with <c>image</c>, <c>audio</c>, <c>class</c>, <c>text</c> and <c>speaker</c>, paths relative to its folder.
/// <see cref="PairManifest.Load"/> reads it. Layout: https://github.com/vladimiralbrekhtccr/i2m, tasks_for_z/task_1.md.
/// </summary>
public static class MetaFile
{
    /// <summary>Writes pairs as a list of such objects; what is not known of a pair is left out.</summary>
    /// <exception cref="I2MException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<Pair> pairs) => AtomicFile.Write(path, stream =>
    {
        using var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, IndentSize = 4, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartArray();
        foreach (Pair pair in pairs)
        {
            writer.WriteStartObject();
            writer.WriteString("image", PairManifest.Portable(path, pair.Image));
            writer.WriteString("audio", PairManifest.Portable(path, pair.Audio));
            foreach (var (name, value) in new[] { ("class", pair.Class), ("text", pair.Text), ("speaker", pair.Speaker) })
            {
                if (value is not null) { writer.WriteString(name, value); }
            }
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    });
}
