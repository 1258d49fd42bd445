using I2M.Kernels;
using I2M.Model.Data.Speech;

namespace I2M.Model.Data.Building;

/// <summary>One who speaks.</summary>
/// <param name="Name">The name in the list of pairs, unique within a data set.</param>
/// <param name="Synthesizer">What speaks.</param>
/// <param name="Voice">One of the synthesiser's voices.</param>
public sealed record Speaker(string Name, ISpeechSynthesizer Synthesizer, string Voice)
{
    /// <summary>The first voices of several synthesisers in turn, each under its own name.</summary>
    /// <param name="synthesizers">What speaks.</param>
    /// <param name="count">How many speakers at most.</param>
    public static IReadOnlyList<Speaker> Of(IReadOnlyList<ISpeechSynthesizer> synthesizers, int count)
    {
        var speakers = new List<Speaker>();
        int most = synthesizers.Max(s => s.Voices.Count);
        for (int v = 0; v < most; v++)
        {
            foreach (ISpeechSynthesizer s in synthesizers.Where(s => v < s.Voices.Count))
            {
                string voice = s.Voices[v], name = speakers.Exists(o => o.Name == voice) ? $"{Path.GetFileNameWithoutExtension(s.Name)} {voice}" : voice;
                speakers.Add(new Speaker(name, s, voice));
            }
        }
        return [.. speakers.Take(count)];
    }
}

/// <summary>What a data set is built from, and how.</summary>
/// <param name="Images">Folder that holds a folder for each class; null where there are own pairs alone.</param>
/// <param name="Out">Folder of the data set.</param>
/// <param name="Speakers">Who speaks.</param>
public sealed record BuildOptions(string? Images, string Out, IReadOnlyList<Speaker> Speakers)
{
    /// <summary>JSON or CSV file of texts by class; null takes built-in ones and class names.</summary>
    public string? Descriptions { get; init; }

    /// <summary>CSV or JSON list of own pictures and sounds, in addition to or instead of <see cref="Images"/>.</summary>
    public string? OwnPairs { get; init; }

    /// <summary>What becomes of own sounds that are longer than a clip.</summary>
    public LongSound LongSounds { get; init; }

    /// <summary>Pairs of each class; 0 takes one for every picture. Pictures repeat when there are fewer.</summary>
    public int PerClass { get; init; }

    /// <summary>Length of every clip, in seconds.</summary>
    public double Seconds { get; init; } = 3;

    /// <summary>Samples per second of every clip, in Hz.</summary>
    public int SampleRate { get; init; } = 24_000;

    /// <summary>Slowest speech, as a multiple of the speaker's own speed.</summary>
    public double MinSpeed { get; init; } = 0.75;

    /// <summary>Fastest speech.</summary>
    public double MaxSpeed { get; init; } = 1.35;

    /// <summary>Pitch is shifted by up to so many semitones either way.</summary>
    public double Semitones { get; init; } = 4;

    /// <summary>Share of every class that is held out.</summary>
    public double EvalFraction { get; init; } = 0.1;

    /// <summary>Seed of every choice.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Threads; 0 takes one for each processor.</summary>
    public int Threads { get; init; }

    /// <summary>Replace a data set that was built otherwise.</summary>
    public bool Force { get; init; }

    /// <summary>Samples of a clip.</summary>
    internal int ClipSamples => (int)Math.Round(Seconds * SampleRate);

    internal ParallelOptions Parallel(CancellationToken cancel) =>
        new() { CancellationToken = cancel, MaxDegreeOfParallelism = Threads > 0 ? Threads : Environment.ProcessorCount };

    /// <exception cref="I2MException">A value is out of range.</exception>
    internal BuildOptions Validated()
    {
        if (Images is null && OwnPairs is null) throw new I2MException("data build: nothing to build from: expected --images, --pairs or both");
        if (Images is not null && Speakers.Count == 0) throw new I2MException("data build: no speaker, expected at least one");
        if (Speakers.DistinctBy(s => s.Name).Count() < Speakers.Count) throw new I2MException("data build: two speakers of one name");
        if (!(Seconds is >= 0.5 and <= 60)) throw new I2MException($"data build: {Seconds} s, expected 0.5 to 60");
        if (!(MinSpeed is >= 0.25 and <= 4 && MaxSpeed >= MinSpeed && MaxSpeed <= 4)) throw new I2MException($"data build: speed {MinSpeed} to {MaxSpeed}, expected 0.25 to 4, the lower first");
        if (!(Semitones is >= 0 and <= 12)) throw new I2MException($"data build: pitch ±{Semitones} semitones, expected 0 to 12");
        return this;
    }
}

/// <summary>How far a build is.</summary>
/// <param name="What">The work in words.</param>
/// <param name="Done">Pieces done, those of an earlier run included.</param>
/// <param name="Total">Pieces in all.</param>
/// <param name="New">Pieces done by this run: what a rate can be measured by.</param>
public sealed record BuildProgress(string What, int Done, int Total, int New);

/// <summary>A file that was left out.</summary>
/// <param name="Path">The file.</param>
/// <param name="Reason">Why, in one line.</param>
public sealed record RefusedFile(string Path, string Reason);
