using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data.Speech;

namespace I2M.Model.Data.Building;

/// <summary>A text that does not fit into a clip.</summary>
/// <param name="Class">The class.</param>
/// <param name="Text">The words.</param>
/// <param name="Speaker">The slowest speaker that was to say it.</param>
/// <param name="Seconds">Its length at the lowest speed.</param>
public sealed record LongText(string Class, string Text, string Speaker, double Seconds);

/// <summary>Every text as each speaker says it, trimmed and at one loudness; kept on disk while a data set is built, so that memory does not grow with it.</summary>
/// <param name="folder">Where.</param>
/// <param name="options">Speakers and sample rate.</param>
internal sealed class SpeechStore(string folder, BuildOptions options)
{
    private const float Peak = 0.8f, Audible = 0.01f * Peak, Silent = 1e-4f;
    private const double Lead = 0.02, Tail = 0.05; // seconds kept around what is audible: soft consonants begin and end below the threshold

    /// <summary>Speaks what is not there yet.</summary>
    public void Prepare(IReadOnlyCollection<(int Speaker, string Text)> wanted, Action<BuildProgress>? progress, CancellationToken cancel)
    {
        (int Speaker, string Text)[] missing = [.. wanted.Where(w => !File.Exists(PathOf(w.Speaker, w.Text)))];
        int done = 0;
        // Pieces are handed out one by one: an utterance takes long, and a kill should lose few.
        ParallelEach.Run(missing, options.Parallel(cancel), w =>
        {
            WavFile.Write(PathOf(w.Speaker, w.Text), Speak(w.Speaker, w.Text));
            int n = Interlocked.Increment(ref done);
            progress?.Invoke(new("speaking", wanted.Count - missing.Length + n, wanted.Count, n));
        });
    }

    /// <summary>What was said.</summary>
    public AudioClip Load(int speaker, string text) => WavFile.Read(PathOf(speaker, text));

    /// <summary>Its length in seconds, from the header.</summary>
    public double Seconds(int speaker, string text) => (double)WavFile.ReadInfo(PathOf(speaker, text)).Frames / options.SampleRate;

    private string PathOf(int speaker, string text)
    {
        Speaker s = options.Speakers[speaker];
        return Path.Combine(folder, Fingerprint.OfText($"{s.Synthesizer.Name}\n{s.Voice}\n{text}")[..32] + ".wav");
    }

    private AudioClip Speak(int speaker, string text)
    {
        Speaker s = options.Speakers[speaker];
        AudioClip spoken = Resampler.Resample(s.Synthesizer.Speak(text, new SpeechStyle(s.Voice)), options.SampleRate);
        return Trim(spoken, Lead, Tail) ?? throw new I2MException($"speaker {s.Name}: said nothing for the text '{text}'");
    }

    /// <summary>The audible part with a margin, at full loudness; null for silence.</summary>
    internal static AudioClip? Trim(AudioClip clip, double lead, double tail)
    {
        float peak = clip.Samples.Length == 0 ? 0 : clip.Samples.Max(MathF.Abs);
        if (!(peak > Silent)) { return null; }
        float gain = Peak / peak;
        int first = Array.FindIndex(clip.Samples, x => MathF.Abs(x) * gain > Audible), last = Array.FindLastIndex(clip.Samples, x => MathF.Abs(x) * gain > Audible);
        int from = Math.Max(0, first - (int)(lead * clip.SampleRate)), to = Math.Min(clip.Samples.Length, last + 1 + (int)(tail * clip.SampleRate));
        return clip with { Samples = [.. clip.Samples[from..to].Select(x => x * gain)] };
    }
}

/// <summary>Parallel loops whose first failure comes out as itself.</summary>
internal static class ParallelEach
{
    public static void Run<T>(IEnumerable<T> items, ParallelOptions options, Action<T> body)
    {
        try
        {
            Parallel.ForEach(System.Collections.Concurrent.Partitioner.Create(items, System.Collections.Concurrent.EnumerablePartitionerOptions.NoBuffering), options, body);
        }
        catch (AggregateException e)
        {
            Exception first = e.Flatten().InnerExceptions[0];
            throw first is I2MException ? new I2MException(first.Message, first) : first;
        }
    }
}
