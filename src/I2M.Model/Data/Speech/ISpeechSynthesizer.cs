using I2M.Kernels;
using I2M.Model.Audio;

namespace I2M.Model.Data.Speech;

/// <summary>Turns text into speech, to make training targets.</summary>
public interface ISpeechSynthesizer
{
    /// <summary>What speaks, for messages and manifests, such as "espeak-ng".</summary>
    string Name { get; }

    /// <summary>The voices that <see cref="SpeechStyle.Voice"/> may name; the first is the default.</summary>
    IReadOnlyList<string> Voices { get; }

    /// <summary>Speaks the text. The same text and style give the same clip; the clip has the synthesiser's own sample rate.</summary>
    /// <exception cref="I2MException">The text is empty or too long, the style is out of range, the voice is unknown, or the synthesiser failed.</exception>
    AudioClip Speak(string text, SpeechStyle style);
}

/// <summary>How to speak.</summary>
/// <param name="Voice">One of <see cref="ISpeechSynthesizer.Voices"/>.</param>
/// <param name="WordsPerMinute">80 to 450; 175 is normal.</param>
/// <param name="Pitch">0 to 99; 50 is normal.</param>
public sealed record SpeechStyle(string Voice, int WordsPerMinute = 175, int Pitch = 50)
{
    /// <summary>The longest text that a synthesiser accepts, in characters.</summary>
    public const int MaxTextLength = 10_000;

    /// <summary>Refuses what no synthesiser can speak.</summary>
    internal static void Check(ISpeechSynthesizer synthesizer, string text, SpeechStyle style)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(style);
        if (string.IsNullOrWhiteSpace(text))
            throw new I2MException($"{synthesizer.Name}: text: empty, expected something to say");
        if (text.Length > MaxTextLength)
            throw new I2MException($"{synthesizer.Name}: text: {text.Length} characters, expected at most {MaxTextLength}");
        if (style.WordsPerMinute is < 80 or > 450)
            throw new I2MException($"{synthesizer.Name}: words per minute: {style.WordsPerMinute}, expected 80 to 450");
        if (style.Pitch is < 0 or > 99)
            throw new I2MException($"{synthesizer.Name}: pitch: {style.Pitch}, expected 0 to 99");
        if (!synthesizer.Voices.Contains(style.Voice))
            throw new I2MException($"{synthesizer.Name}: voice: '{style.Voice}' is unknown, expected one of {string.Join(", ", synthesizer.Voices)}");
    }
}

/// <summary>Chooses a synthesiser.</summary>
public static class SpeechSynthesizer
{
    /// <summary>espeak-ng when it is installed, else the built-in voice.</summary>
    /// <param name="reason">One line that says what was chosen and why, to be shown to the user.</param>
    public static ISpeechSynthesizer Best(out string reason)
    {
        if (EspeakSynthesizer.TryFind() is { } espeak)
        {
            reason = $"speech: espeak-ng ({espeak.Program}), {espeak.Voices.Count} voices";
            return espeak;
        }
        BuiltInVoice voice = new();
        reason = $"speech: the built-in voice, {voice.Voices.Count} voices; espeak-ng was not found (package espeak-ng), it sounds better";
        return voice;
    }
}
