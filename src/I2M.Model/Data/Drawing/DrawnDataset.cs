using I2M.Model.Audio;
using I2M.Model.Data.Speech;
using I2M.Model.Images;

namespace I2M.Model.Data.Drawing;

/// <summary>Pictures of the ten animals drawn in code, with spoken descriptions: a data set that needs no download.</summary>
public static class DrawnDataset
{
    private const int SampleRate = 24000, PictureSize = 128;

    /// <summary>Draws and speaks. Every class is spoken once by each voice; pictures take the voices in turn.</summary>
    /// <param name="folder">Receives <c>images/</c>, <c>audio/</c> and <c>pairs.json</c>.</param>
    /// <param name="synthesizer">Speaks.</param>
    /// <param name="voices">How many of its voices.</param>
    /// <param name="perClass">Pictures of each class.</param>
    /// <param name="seed">Seed of the drawings.</param>
    /// <param name="progress">Called with (done, total).</param>
    /// <param name="cancel">Stops between two files.</param>
    public static PairManifest Build(string folder, ISpeechSynthesizer synthesizer, int voices, int perClass, ulong seed, Action<int, int>? progress, CancellationToken cancel)
    {
        IReadOnlyList<AnimalClass> classes = AnimalClass.All;
        string[] speakers = [.. synthesizer.Voices.Take(voices)];
        int total = classes.Count * (speakers.Length + perClass), done = 0;
        var pairs = new List<Pair>();
        for (int c = 0; c < classes.Count; c++)
        {
            string name = classes[c].Name.Replace(' ', '_'), text = classes[c].Descriptions[0];
            var clips = new string[speakers.Length];
            for (int v = 0; v < speakers.Length; v++)
            {
                cancel.ThrowIfCancellationRequested();
                clips[v] = Path.Combine(folder, "audio", $"{name}-{v:D2}.wav");
                AudioClip spoken = synthesizer.Speak(text, new SpeechStyle(speakers[v]));
                WavFile.Write(clips[v], TrimLeadingSilence(Resampler.Resample(spoken, SampleRate)));
                progress?.Invoke(++done, total);
            }
            for (int i = 0; i < perClass; i++)
            {
                cancel.ThrowIfCancellationRequested();
                string picture = Path.Combine(folder, "images", $"{name}-{i:D3}.png");
                PngWriter.Write(picture, AnimalPainter.Paint(classes[c], seed + (ulong)i, PictureSize));
                pairs.Add(new Pair(picture, clips[i % clips.Length], classes[c].Name, text, speakers[i % speakers.Length]));
                progress?.Invoke(++done, total);
            }
        }
        var manifest = new PairManifest(Path.Combine(folder, "pairs.json"), pairs);
        manifest.Save();
        return manifest;
    }

    /// <summary>Starts the clip 20 ms before its first audible sample, so that all clips of a text begin together.</summary>
    private static AudioClip TrimLeadingSilence(AudioClip clip)
    {
        const float audible = 0.01f;
        int first = Array.FindIndex(clip.Samples, s => Math.Abs(s) > audible), start = Math.Max(0, first - clip.SampleRate / 50);
        return clip with { Samples = clip.Samples[start..] };
    }
}
