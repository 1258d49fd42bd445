using System.Globalization;
using System.Text.Json;

namespace I2M.Model.Data.Building;

/// <summary>How a clip differs from what its speaker said.</summary>
/// <param name="Speed">Times as fast, the pitch kept.</param>
/// <param name="Semitones">Semitones higher, the length kept.</param>
public sealed record Variation(double Speed, double Semitones)
{
    /// <summary>The text that <see cref="Pair.Augmentation"/> holds.</summary>
    public string ToJson() => string.Create(CultureInfo.InvariantCulture, $"{{\"speed\":{Speed},\"semitones\":{Semitones}}}");

    /// <summary>Reads such a text; null for any other.</summary>
    public static Variation? Parse(string? augmentation)
    {
        if (augmentation is null || !augmentation.StartsWith('{')) { return null; }
        try
        {
            using var document = JsonDocument.Parse(augmentation);
            return document.RootElement.TryGetProperty("speed", out JsonElement speed) && document.RootElement.TryGetProperty("semitones", out JsonElement semitones)
                && speed.TryGetDouble(out double s) && semitones.TryGetDouble(out double t) ? new Variation(s, t) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
