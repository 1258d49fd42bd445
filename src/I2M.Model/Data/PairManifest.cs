using System.Text.Encodings.Web;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Io;

namespace I2M.Model.Data;

/// <summary>One training example: a picture and the sound that describes it.</summary>
/// <param name="Image">Full path of the picture.</param>
/// <param name="Audio">Full path of the sound.</param>
/// <param name="Class">What the picture shows, null when unknown.</param>
/// <param name="Text">The spoken words.</param>
/// <param name="Speaker">Who speaks.</param>
/// <param name="Augmentation">How the sound was varied: a name, or the JSON text of an object.</param>
/// <param name="ImageHash">SHA-256 of the picture file when the list was made, 64 hexadecimal digits.</param>
/// <param name="AudioHash">SHA-256 of the sound file when the list was made.</param>
/// <param name="Group">Pairs of one group belong into one part: their pictures are near-duplicates.</param>
/// <param name="Split">"train" or "eval"; null leaves the choice to training.</param>
public sealed record Pair(
    string Image, string Audio, string? Class = null, string? Text = null, string? Speaker = null, string? Augmentation = null,
    string? ImageHash = null, string? AudioHash = null, string? Group = null, string? Split = null)
{
    /// <summary>The two values of <see cref="Split"/>.</summary>
    public const string Train = "train", Eval = "eval";
}

/// <summary>
/// A <c>pairs.json</c>: a list of objects with <c>image</c> and <c>audio</c> and, where known, <c>class</c>, <c>text</c>,
/// <c>speaker</c>, <c>augmentation</c>, <c>image_sha256</c>, <c>audio_sha256</c>, <c>group</c> and <c>split</c>. Paths are absolute or relative to the file; other fields are ignored.
/// The original program's <c>meta_file.json</c> has the first five; it is read as a list or as objects one after another.
/// </summary>
public sealed class PairManifest
{
    private const int MaxBytes = 512 << 20;

    /// <param name="path">Where the list lies or will lie.</param>
    /// <param name="pairs">The examples, with full paths.</param>
    public PairManifest(string path, IReadOnlyList<Pair> pairs) => (Path, Pairs) = (path, pairs);

    /// <summary>The file, as the user named it.</summary>
    public string Path { get; }

    /// <summary>The examples in the order of the file.</summary>
    public IReadOnlyList<Pair> Pairs { get; }

    /// <summary>Reads and checks a list; whether the named files exist is left to <see cref="CheckFiles"/>.</summary>
    /// <exception cref="BadFileException">Not JSON, not a list, empty, or an entry without a usable field: names entry and field.</exception>
    public static PairManifest Load(string path)
    {
        var bytes = InputStream.ReadAll(path, MaxBytes);
        ReadOnlyMemory<byte> json = bytes;
        if (json.Span is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [_, 0, ..] or [0, _, ..])
            throw new BadFileException(path, "is UTF-16 text, expected UTF-8");
        if (json.Span.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) json = json[3..];
        try
        {
            if (ReadSequence(json.Span, path) is { } sequence) return new PairManifest(path, sequence);
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return new PairManifest(path, ReadList(document.RootElement, path));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter: text that is not UTF-8
        {
            throw new BadFileException(path, "is not valid JSON: " + e.Message.ReplaceLineEndings(" "), e);
        }
    }

    /// <summary>Writes the list; files inside its folder are named relative to it, so that the folder can be moved.</summary>
    /// <exception cref="I2MException">The file cannot be written.</exception>
    public void Save() => AtomicFile.Write(Path, stream =>
    {
        using var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartArray();
        foreach (var pair in Pairs) WritePair(writer, pair);
        writer.WriteEndArray();
    });

    /// <summary>Refuses a list that names files which are not there.</summary>
    /// <exception cref="BadFileException">Says how many are missing and names the first.</exception>
    public void CheckFiles()
    {
        var known = new Dictionary<string, bool>();
        bool Exists(string file) => known.TryGetValue(file, out var exists) ? exists : known[file] = File.Exists(file);
        var (missing, first) = (0, "");
        for (var i = 0; i < Pairs.Count; i++)
            foreach (var (field, file) in new[] { ("image", Pairs[i].Image), ("audio", Pairs[i].Audio) })
                if (!Exists(file) && missing++ == 0) first = $"entry {i + 1}: {field}: {file}";
        if (missing > 0) throw new BadFileException(Path, $"{missing} of {2 * Pairs.Count} files do not exist, the first is {first}");
    }

    private static List<Pair> ReadList(JsonElement root, string path)
    {
        if (root.ValueKind != JsonValueKind.Array) throw new BadFileException(path, $"holds {Describe(root)}, expected a list of pairs");
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        var pairs = new List<Pair>(root.GetArrayLength());
        foreach (var entry in root.EnumerateArray()) pairs.Add(new EntryReader(path, folder, pairs.Count + 1).Read(entry));
        return pairs.Count > 0 ? pairs : throw new BadFileException(path, "is an empty list, expected at least one pair");
    }

    /// <summary>Objects one after another, as a <c>meta_file.json</c> may be written; null where the first is no object with an image.</summary>
    private static List<Pair>? ReadSequence(ReadOnlySpan<byte> json, string path)
    {
        if (!json.TrimStart(" \t\r\n"u8).StartsWith("{"u8)) return null;
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { AllowMultipleValues = true });
        var pairs = new List<Pair>();
        while (reader.Read())
        {
            using var entry = JsonDocument.ParseValue(ref reader);
            if (pairs.Count == 0 && !entry.RootElement.TryGetProperty("image", out _)) return null;
            pairs.Add(new EntryReader(path, folder, pairs.Count + 1).Read(entry.RootElement));
        }
        return pairs;
    }

    private void WritePair(Utf8JsonWriter writer, Pair pair)
    {
        writer.WriteStartObject();
        writer.WriteString("image", Portable(Path, pair.Image));
        writer.WriteString("audio", Portable(Path, pair.Audio));
        if (pair.Class is not null) writer.WriteString("class", pair.Class);
        if (pair.Text is not null) writer.WriteString("text", pair.Text);
        if (pair.Speaker is not null) writer.WriteString("speaker", pair.Speaker);
        if (pair.Augmentation is { } augmentation)
        {
            writer.WritePropertyName("augmentation");
            if (IsJsonObject(augmentation)) writer.WriteRawValue(augmentation);
            else writer.WriteStringValue(augmentation);
        }
        foreach (var (name, value) in new[] { ("image_sha256", pair.ImageHash), ("audio_sha256", pair.AudioHash), ("group", pair.Group), ("split", pair.Split) })
            if (value is not null) writer.WriteString(name, value);
        writer.WriteEndObject();
    }

    /// <summary>A file as a list at <paramref name="list"/> names it: relative where it lies in the list's folder.</summary>
    internal static string Portable(string list, string file)
    {
        var relative = System.IO.Path.GetRelativePath(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(list))!, file);
        var outside = relative.StartsWith("..", StringComparison.Ordinal) || System.IO.Path.IsPathRooted(relative);
        return outside ? file : relative.Replace('\\', '/');
    }

    private static bool IsJsonObject(string text)
    {
        if (!text.StartsWith('{')) return false;
        try
        {
            using var document = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };

    /// <summary>Reads one entry and names it in every message.</summary>
    private readonly struct EntryReader(string path, string folder, int number)
    {
        public Pair Read(JsonElement entry)
        {
            if (entry.ValueKind != JsonValueKind.Object) throw Bad($"is {Describe(entry)}, expected an object with image and audio");
            return new Pair(File(entry, "image"), File(entry, "audio"), Text(entry, "class", JsonValueKind.Number), Text(entry, "text"),
                Text(entry, "speaker", JsonValueKind.Number), Text(entry, "augmentation", JsonValueKind.Object),
                Text(entry, "image_sha256"), Text(entry, "audio_sha256"), Text(entry, "group", JsonValueKind.Number), Part(entry));
        }

        private string File(JsonElement entry, string field)
        {
            var text = Text(entry, field);
            if (string.IsNullOrWhiteSpace(text)) throw Bad($"{field}: is missing or empty, expected a path");
            if (text.AsSpan().IndexOfAnyInRange('\0', '\x1F') >= 0) throw Bad($"{field}: holds a control character, expected a path");
            return System.IO.Path.GetFullPath(text, folder);
        }

        private string? Part(JsonElement entry) =>
            Text(entry, "split") is not { } part || part is Pair.Train or Pair.Eval ? Text(entry, "split") : throw Bad($"split: \"{InputFile.OneLine(part)}\", expected \"{Pair.Train}\" or \"{Pair.Eval}\"");

        /// <summary>A text field; a value of kind <paramref name="also"/> is kept as its JSON text.</summary>
        private string? Text(JsonElement entry, string field, JsonValueKind also = JsonValueKind.String)
        {
            if (!entry.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null) return null;
            if (value.ValueKind == JsonValueKind.String) return value.GetString();
            return value.ValueKind == also ? value.GetRawText() : throw Bad($"{field}: is {Describe(value)}, expected a text");
        }

        private BadFileException Bad(string problem) => new(path, $"entry {number}: {problem}");
    }
}
