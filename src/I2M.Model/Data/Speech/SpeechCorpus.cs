using System.Globalization;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Io;
using I2M.Model.Training;

namespace I2M.Model.Data.Speech;

/// <summary>What was spoken.</summary>
/// <param name="Clips">Sound files.</param>
/// <param name="Seconds">Their length together.</param>
/// <param name="Voices">Different voices.</param>
public sealed record SpeechCorpusResult(int Clips, double Seconds, int Voices);

/// <summary>
/// Speech of many voices, speeds and pitches, made by espeak-ng here and therefore free to be shipped as weights: sound files in a folder with a list of who
/// said what. The same minutes and seed give the same files.
/// </summary>
public static class SpeechCorpus
{
    /// <summary>Languages whose rules read the sentences, each with sounds of its own.</summary>
    private static readonly string[] s_languages = ["en-us", "en", "en-gb-scotland", "en-029", "de", "fr-fr", "es", "it", "pt-br", "nl", "pl", "sv", "tr", "fi", "cs", "hu"];
    private static readonly string[] s_variants = ["", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m7", "+f1", "+f2", "+f3", "+f4", "+Alex", "+Andy", "+Annie", "+belinda", "+linda", "+Lee", "+Gene", "+Jacky", "+steph", "+victor", "+norbert", "+edward", "+grandpa", "+Denis"];

    /// <summary>Voices that train: every language with every variant.</summary>
    public static IReadOnlyList<string> TrainingVoices { get; } = [.. s_languages.SelectMany(l => s_variants.Select(v => l + v))];

    /// <summary>Voices that no training corpus has, of other languages and other variants, to judge by.</summary>
    public static IReadOnlyList<string> HeldOutVoices { get; } = [.. from language in new[] { "en-gb-x-rp", "en-gb-x-gbclan", "ro", "da" } from variant in new[] { "+f5", "+m8", "+Mario", "+anika", "+robert", "+aunty" } select language + variant];

    /// <summary>Speaks until the clips are long enough together.</summary>
    /// <param name="folder">A new folder; it appears when it is complete.</param>
    /// <param name="program">The espeak-ng executable.</param>
    /// <param name="minutes">How much.</param>
    /// <param name="seed">Seed of voices, manners and sentences.</param>
    /// <param name="heldOut">True speaks with <see cref="HeldOutVoices"/>.</param>
    /// <param name="progress">Called with (seconds done, seconds in all).</param>
    /// <param name="cancel">Stops between two clips; nothing stays behind.</param>
    /// <exception cref="I2MException">The folder exists, or espeak-ng failed.</exception>
    public static SpeechCorpusResult Build(string folder, string program, double minutes, ulong seed, bool heldOut, Action<int, int>? progress, CancellationToken cancel)
    {
        var synthesizer = new EspeakSynthesizer(program) { Voices = heldOut ? HeldOutVoices : TrainingVoices };
        double seconds = 0, wanted = 60 * minutes;
        var lines = new List<string>();
        var voices = new HashSet<string>();
        AtomicDirectory.Write(folder, temporary =>
        {
            for (int i = 0; seconds < wanted; i++)
            {
                cancel.ThrowIfCancellationRequested();
                var random = new PhiloxRandom(seed, RandomStreams.Speech + (ulong)i);
                var style = new SpeechStyle(synthesizer.Voices[random.Next(synthesizer.Voices.Count)], 110 + random.Next(141), 10 + random.Next(81));
                string text = SentenceWriter.Write(ref random), name = string.Create(CultureInfo.InvariantCulture, $"{i:D5}.wav");
                AudioClip clip = synthesizer.Speak(text, style);
                WavFile.Write(Path.Combine(temporary, name), clip);
                seconds += clip.Seconds;
                voices.Add(style.Voice);
                lines.Add(JsonSerializer.Serialize(new { audio = name, voice = style.Voice, wordsPerMinute = style.WordsPerMinute, pitch = style.Pitch, text }));
                progress?.Invoke((int)Math.Min(seconds, wanted), (int)wanted);
            }
            File.WriteAllLines(Path.Combine(temporary, "speech.jsonl"), lines);
        });
        return new SpeechCorpusResult(lines.Count, seconds, voices.Count);
    }
}
