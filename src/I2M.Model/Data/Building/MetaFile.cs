using System.Text.Encodings.Web;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Io;

namespace I2M.Model.Data.Building;

/// <summary>
/// The original program's <c>meta_file.json</c>. Written: a list of objects with <c>image_path</c>, <c>audio_path</c>, <c>class_name</c>, <c>text</c>,
/// <c>speaker</c>, <c>speed</c> and <c>pitch</c>. Read: such a list, a list within an object, or an object of such objects by id, under these and other usual
/// names of the fields.
/// </summary>
public static class MetaFile
{
    private const int MaxBytes = 512 << 20;
    private static readonly string[] ImageNames = ["image_path", "image", "image_file", "img_path", "img"], AudioNames = ["audio_path", "audio", "audio_file", "wav_path", "wav"],
        ClassNames = ["class_name", "class", "label", "category", "synset"], TextNames = ["text", "description", "caption", "transcript"], SpeakerNames = ["speaker", "voice", "speaker_id", "speaker_name"];

    /// <summary>Reads a file in any of these forms.</summary>
    /// <exception cref="BadFileException">Not JSON, or an entry names no image or no audio.</exception>
    public static PairManifest Read(string path)
    {
        byte[] bytes = InputStream.ReadAll(path, MaxBytes);
        try
        {
            using var document = JsonDocument.Parse(bytes);
            string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            List<Pair> pairs = [.. Entries(path, document.RootElement).Select((e, i) => ReadPair(path, folder, i + 1, e))];
            return pairs.Count > 0 ? new PairManifest(path, pairs) : throw new BadFileException(path, "is empty, expected at least one pair");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new BadFileException(path, "is not valid JSON: " + InputFile.OneLine(e.Message), e);
        }
    }

    /// <summary>Writes pairs; files inside its folder are named relative to it.</summary>
    /// <exception cref="I2MException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<Pair> pairs) => AtomicFile.Write(path, stream =>
    {
        using var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartArray();
        foreach (Pair pair in pairs)
        {
            writer.WriteStartObject();
            writer.WriteString("image_path", PairManifest.Portable(path, pair.Image));
            writer.WriteString("audio_path", PairManifest.Portable(path, pair.Audio));
            if (pair.Class is not null) { writer.WriteString("class_name", pair.Class); }
            if (pair.Text is not null) { writer.WriteString("text", pair.Text); }
            if (pair.Speaker is not null) { writer.WriteString("speaker", pair.Speaker); }
            if (Variation.Parse(pair.Augmentation) is { } v)
            {
                writer.WriteNumber("speed", v.Speed);
                writer.WriteNumber("pitch", v.Semitones);
            }
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    });

    private static IEnumerable<JsonElement> Entries(string path, JsonElement root) => root.ValueKind switch
    {
        JsonValueKind.Array => root.EnumerateArray(),
        JsonValueKind.Object when root.EnumerateObject().FirstOrDefault(p => p.Value.ValueKind == JsonValueKind.Array) is { Value.ValueKind: JsonValueKind.Array } list => list.Value.EnumerateArray(),
        JsonValueKind.Object => root.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Object).Select(p => p.Value),
        _ => throw new BadFileException(path, "is neither a list nor an object, expected pairs"),
    };

    private static Pair ReadPair(string path, string folder, int number, JsonElement entry)
    {
        if (entry.ValueKind != JsonValueKind.Object) { throw new BadFileException(path, $"entry {number}: expected an object"); }
        string image = Find(entry, ImageNames) ?? throw new BadFileException(path, $"entry {number}: image_path: is missing, expected a path");
        string audio = Find(entry, AudioNames) ?? throw new BadFileException(path, $"entry {number}: audio_path: is missing, expected a path");
        if ((image + audio).Any(char.IsControl)) { throw new BadFileException(path, $"entry {number}: a path holds a control character"); }
        Variation? variation = Number(entry, "speed") is { } speed && Number(entry, "pitch") is { } pitch ? new Variation(speed, pitch) : null;
        return new Pair(Path.GetFullPath(image, folder), Path.GetFullPath(audio, folder), Find(entry, ClassNames), Find(entry, TextNames), Find(entry, SpeakerNames), variation?.ToJson());
    }

    private static string? Find(JsonElement entry, string[] names)
    {
        foreach (string name in names)
        {
            if (!entry.TryGetProperty(name, out JsonElement value)) { continue; }
            if (value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text) { return text; }
            if (value.ValueKind == JsonValueKind.Number) { return value.GetRawText(); }
        }
        return null;
    }

    private static double? Number(JsonElement entry, string name) => entry.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
}
