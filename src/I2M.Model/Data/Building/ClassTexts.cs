using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Data.Speech;
using I2M.Model.Io;

namespace I2M.Model.Data.Building;

/// <summary>
/// What is said about each class: from a file, else built in, else the class's name in a few phrases. The file is JSON, <c>{"tench": ["a tench", …]}</c>, or
/// CSV with the columns class and text; a class is named by its folder, its WordNet id or its name.
/// </summary>
internal sealed class ClassTexts
{
    private const int MaxBytes = 64 << 20;
    private readonly Dictionary<string, string[]> _texts;

    private ClassTexts(Dictionary<string, string[]> texts) => _texts = texts;

    /// <summary>Reads a file; null gives the built-in texts.</summary>
    /// <exception cref="BadFileException">Neither JSON of that form nor such a CSV.</exception>
    public static ClassTexts Load(string? path)
    {
        if (path is null) { return new ClassTexts([]); }
        byte[] bytes = InputStream.ReadAll(path, MaxBytes);
        int first = bytes.AsSpan().IndexOfAnyExcept(" \t\r\n\uFEFF"u8);
        return new ClassTexts(first >= 0 && bytes[first] == '{' ? ReadJson(path, bytes) : ReadCsv(path));
    }

    /// <summary>The texts of a class and whether they are only its name.</summary>
    public (string[] Texts, bool NameOnly) Of(PictureClass c)
    {
        foreach (string? key in new[] { c.Folder, c.Synset, c.Name })
        {
            if (key is not null && _texts.TryGetValue(key, out string[]? given)) { return (given, false); }
        }
        return c.Synset is not null && BuiltInClasses.BySynset.TryGetValue(c.Synset, out var known) ? (known.Texts, false) : (BuiltInClasses.TextsFor(c.Name), true);
    }

    private static Dictionary<string, string[]> ReadJson(string path, byte[] bytes)
    {
        try
        {
            var texts = new Dictionary<string, string[]>(StringComparer.OrdinalIgnoreCase);
            using var document = JsonDocument.Parse(bytes.AsMemory(bytes.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? 3 : 0), new JsonDocumentOptions { AllowDuplicateProperties = false });
            foreach (JsonProperty c in document.RootElement.EnumerateObject()) { texts[c.Name] = Checked(path, c.Name, Strings(c.Value)); }
            return texts;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new BadFileException(path, "is not {\"class\": [\"text\", …], …}: " + InputFile.OneLine(e.Message), e);
        }
    }

    private static IEnumerable<string> Strings(JsonElement value) => value.ValueKind == JsonValueKind.String ? [value.GetString()!] : [.. value.EnumerateArray().Select(t => t.GetString() ?? "")];

    private static Dictionary<string, string[]> ReadCsv(string path) =>
        CsvFile.Read(path, ["class", "text"]).GroupBy(row => row.Get("class"), StringComparer.OrdinalIgnoreCase)
            .ToDictionary(g => g.Key, g => Checked(path, g.Key, g.Select(row => row.Get("text"))), StringComparer.OrdinalIgnoreCase);

    private static string[] Checked(string path, string name, IEnumerable<string> texts)
    {
        string[] distinct = [.. texts.Select(t => t.Trim()).Distinct()];
        if (distinct.Length == 0 || distinct.Any(t => t.Length == 0)) { throw new BadFileException(path, $"class {InputFile.OneLine(name)}: an empty text, expected something to say"); }
        if (distinct.FirstOrDefault(t => t.Length > SpeechStyle.MaxTextLength) is { } endless) { throw new BadFileException(path, $"class {InputFile.OneLine(name)}: a text of {endless.Length} characters, expected at most {SpeechStyle.MaxTextLength}"); }
        return distinct;
    }
}
