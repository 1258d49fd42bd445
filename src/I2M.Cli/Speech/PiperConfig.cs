using System.Text;
using System.Text.Json;
using I2M.Kernels;

namespace I2M.Cli.Speech;

/// <summary>What a Piper voice's <c>.onnx.json</c> says.</summary>
/// <param name="SampleRate">Of its speech, in Hz.</param>
/// <param name="Language">espeak-ng's voice for the phonemes.</param>
/// <param name="LengthScale">Normal speed; larger is slower.</param>
/// <param name="PhonemeIds">Numbers of each phoneme; a phoneme is one code point.</param>
/// <param name="Speakers">Names and numbers, one of them for a voice with one speaker.</param>
internal sealed record PiperConfig(int SampleRate, string Language, float LengthScale, IReadOnlyDictionary<string, long[]> PhonemeIds, IReadOnlyList<(string Name, long Id)> Speakers)
{
    private const string Start = "^", End = "$", Pad = "_";

    /// <summary>Reads the file.</summary>
    /// <exception cref="BadFileException">A field is missing or of another kind.</exception>
    public static PiperConfig Load(string path)
    {
        if (!File.Exists(path)) { throw new BadFileException(path, "no such file: a Piper voice is VOICE.onnx with VOICE.onnx.json"); }
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            JsonElement root = document.RootElement;
            int rate = Field(path, Field(path, root, "audio"), "sample_rate").GetInt32();
            if (rate is < 8000 or > 192_000) { throw new BadFileException(path, $"audio.sample_rate: {rate}, expected 8000 to 192000"); }
            var ids = Field(path, root, "phoneme_id_map").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.EnumerateArray().Select(id => id.GetInt64()).ToArray());
            if (new[] { Start, End, Pad }.FirstOrDefault(s => !ids.ContainsKey(s)) is { } missing) { throw new BadFileException(path, $"phoneme_id_map: no {missing}"); }
            string language = root.TryGetProperty("espeak", out JsonElement espeak) && espeak.TryGetProperty("voice", out JsonElement voice) ? voice.GetString()! : "en-us";
            float length = root.TryGetProperty("inference", out JsonElement inference) && inference.TryGetProperty("length_scale", out JsonElement scale) ? scale.GetSingle() : 1;
            return new PiperConfig(rate, language, length, ids, ReadSpeakers(root));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentException or IOException)
        {
            throw new BadFileException(path, "is no description of a Piper voice: " + e.Message.ReplaceLineEndings(" "), e);
        }
    }

    /// <summary>A sentence as the model reads it: ^ _ p _ p _ … $; phonemes that the voice does not know are skipped.</summary>
    public long[] Encode(string phonemes)
    {
        List<long> ids = [.. PhonemeIds[Start], .. PhonemeIds[Pad]];
        foreach (Rune rune in phonemes.EnumerateRunes())
        {
            if (PhonemeIds.TryGetValue(rune.ToString(), out long[]? known)) { ids.AddRange([.. known, .. PhonemeIds[Pad]]); }
        }
        return [.. ids, .. PhonemeIds[End]];
    }

    private static List<(string, long)> ReadSpeakers(JsonElement root)
    {
        int count = root.TryGetProperty("num_speakers", out JsonElement number) ? number.GetInt32() : 1;
        if (count <= 1) { return [("", 0)]; }
        var names = root.TryGetProperty("speaker_id_map", out JsonElement map) ? map.EnumerateObject().ToDictionary(p => p.Value.GetInt64(), p => p.Name) : [];
        return [.. Enumerable.Range(0, count).Select(id => (names.GetValueOrDefault(id, $"{id}"), (long)id))];
    }

    private static JsonElement Field(string path, JsonElement from, string name) =>
        from.TryGetProperty(name, out JsonElement value) ? value : throw new BadFileException(path, $"{name}: is missing");
}
