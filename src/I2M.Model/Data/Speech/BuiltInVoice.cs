using I2M.Kernels;
using I2M.Model.Audio;

namespace I2M.Model.Data.Speech;

/// <summary>
/// A small formant synthesiser that needs nothing installed: robotic, but each word has its own sound. 24 kHz. Use espeak-ng where it exists.
/// </summary>
public sealed class BuiltInVoice : ISpeechSynthesizer
{
    private static readonly Dictionary<string, (float Pitch, float Formants, float Breath)> Speakers = new()
    {
        ["man"] = (115, 1.0f, 0.02f),
        ["woman"] = (205, 1.16f, 0.04f),
        ["deep"] = (85, 0.92f, 0.02f),
        ["light"] = (150, 1.06f, 0.03f),
        ["child"] = (270, 1.28f, 0.03f),
        ["hoarse"] = (125, 1.02f, 0.16f),
    };

    /// <inheritdoc/>
    public string Name => "built-in voice";

    /// <inheritdoc/>
    public IReadOnlyList<string> Voices { get; } = [.. Speakers.Keys];

    /// <inheritdoc/>
    public AudioClip Speak(string text, SpeechStyle style)
    {
        SpeechStyle.Check(this, text, style);
        List<string> symbols = Pronunciation.Of(text);
        if (!symbols.Exists(s => s is not (" " or ",")))
            throw new I2MException($"{Name}: nothing was spoken: the text has no letter from a to z and no digit");
        (float pitch, float formants, float breath) = Speakers[style.Voice];
        // Pitch 0 to 99 spans an octave around the speaker's own.
        FormantSynthesizer synthesizer = new(pitch * MathF.Pow(2, (style.Pitch - 50) / 100f), formants, breath);
        float[] samples = synthesizer.Synthesize(Sounds(symbols), 175f / style.WordsPerMinute);
        Normalize(samples);
        return new(samples, FormantSynthesizer.SampleRate);
    }

    /// <summary>The sounds between two short silences; the last vowel is drawn out, as speakers do before a pause.</summary>
    private static List<Phoneme> Sounds(List<string> symbols)
    {
        Phoneme silence = Phoneme.Inventory[" "][0];
        int last = symbols.FindLastIndex(Phoneme.IsVowel);
        List<Phoneme> sounds = [silence with { Milliseconds = 30 }];
        for (int i = 0; i < symbols.Count; i++)
            foreach (Phoneme sound in Phoneme.Inventory[symbols[i]])
                sounds.Add(i == last ? sound with { Milliseconds = sound.Milliseconds * 1.35f } : sound);
        sounds.Add(silence with { Milliseconds = 90 });
        return sounds;
    }

    private static void Normalize(float[] samples)
    {
        float peak = Math.Max(1e-6f, samples.Max(MathF.Abs));
        for (int i = 0; i < samples.Length; i++)
            samples[i] *= 0.8f / peak;
    }
}
