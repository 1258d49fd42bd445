using System.Globalization;
using I2M.Model.Audio;
using I2M.Model.Io;

namespace I2M.Model.Data.Building;

/// <summary>
/// The clips of a data set: <c>audio/CLASS/00042.wav</c>, or <c>00042-1.wav</c> where the first attempt came out as another clip. A file is there whole or not
/// at all, and its name says all of what is in it, so what a killed run left is used as it is.
/// </summary>
internal sealed class ClipStore(BuildOptions options, IReadOnlyList<PictureClass> classes, IReadOnlyList<string[]> texts, ClipPlan plan, SpeechStore speech)
{
    private const int MaxAttempts = 20;
    private const int WavHeaderBytes = 44;
    private int[] _attempts = [];

    /// <summary>The file of a clip.</summary>
    public string PathOf(int clip) => PathOf(clip, _attempts[clip]);

    /// <summary>Speed and pitch of a clip.</summary>
    public (double Speed, double Semitones) VariationOf(int clip) => plan.Variation(plan.Clips[clip], _attempts[clip]);

    /// <summary>Makes every clip that is not there; gives the hashes of all.</summary>
    public string[] Build(Action<BuildProgress>? progress, CancellationToken cancel)
    {
        foreach (PictureClass c in classes) { AtomicDirectory.RemoveLeftovers(FolderOf(c), "*"); }
        _attempts = new int[plan.Clips.Count];
        var hashes = new string[plan.Clips.Count];
        int done = 0, made = 0;
        ParallelEach.Run(Enumerable.Range(0, hashes.Length), options.Parallel(cancel), i =>
        {
            _attempts[i] = NewestAttempt(i);
            if (!IsWhole(PathOf(i)))
            {
                Render(i);
                Interlocked.Increment(ref made);
            }
            hashes[i] = Fingerprint.OfFile(PathOf(i));
            progress?.Invoke(new("making clips", Interlocked.Increment(ref done), hashes.Length, made));
        });
        MakeUnique(hashes);
        return hashes;
    }

    /// <summary>Clips that came out as an earlier one are made again at another speed and pitch.</summary>
    private void MakeUnique(string[] hashes)
    {
        HashSet<string> known = [];
        int[] repeated = [.. Enumerable.Range(0, hashes.Length).Where(i => !known.Add(hashes[i]))];
        foreach (int i in repeated)
        {
            do
            {
                if (_attempts[i] == MaxAttempts) { throw new Kernels.I2MException($"{PathOf(i)}: equals another clip however it is spoken: expected speakers and texts that differ, or a range of speeds or pitches"); }
                string before = PathOf(i);
                _attempts[i]++;
                Render(i);
                File.Delete(before);
                hashes[i] = Fingerprint.OfFile(PathOf(i));
            }
            while (!known.Add(hashes[i]));
        }
    }

    /// <summary>Speech first, silence after it: varied, then padded, never cut.</summary>
    private void Render(int clip)
    {
        PlannedClip p = plan.Clips[clip];
        var (speed, semitones) = VariationOf(clip);
        AudioClip varied = PitchShift.Apply(speech.Load(p.Speaker, texts[p.Class][p.Text]), speed, semitones);
        float[] samples = varied.Samples;
        float peak = samples.Max(MathF.Abs);
        for (int i = 0; peak > 1 && i < samples.Length; i++) { samples[i] /= peak; }
        Array.Resize(ref samples, options.ClipSamples);
        WavFile.Write(PathOf(clip), new AudioClip(samples, options.SampleRate));
    }

    private int NewestAttempt(int clip)
    {
        int newest = 0;
        // A later attempt exists only after the one before was whole; both are there when a run was killed between writing and deleting.
        for (int attempt = MaxAttempts; attempt > 0 && newest == 0; attempt--)
        {
            if (File.Exists(PathOf(clip, attempt))) { newest = attempt; }
        }
        for (int attempt = 0; attempt < newest; attempt++) { File.Delete(PathOf(clip, attempt)); }
        return newest;
    }

    private bool IsWhole(string path) => File.Exists(path) && new FileInfo(path).Length == WavHeaderBytes + 2L * options.ClipSamples;

    private string PathOf(int clip, int attempt)
    {
        PlannedClip p = plan.Clips[clip];
        string name = p.Number.ToString("D5", CultureInfo.InvariantCulture) + (attempt == 0 ? "" : $"-{attempt}") + ".wav";
        return Path.Combine(FolderOf(classes[p.Class]), name);
    }

    private string FolderOf(PictureClass c) => Path.Combine(Path.GetFullPath(options.Out), "audio", c.Key);
}
