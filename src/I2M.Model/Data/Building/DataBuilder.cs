using I2M.Kernels;
using I2M.Model.Io;

namespace I2M.Model.Data.Building;

/// <summary>
/// Makes a data set: pictures by class in, unique spoken clips and a leak-free list of pairs out. Everything follows from the inputs and the seed, so a run that
/// was killed goes on where it stopped and ends with the bytes of an undisturbed one.
/// </summary>
/// <remarks>
/// The folder: <c>build.json</c> says what it is built from, <c>audio/CLASS/NNNNN.wav</c> are the clips, <c>pairs.json</c> and <c>meta_file.json</c> the lists,
/// <c>refused.json</c> what was left out and why; <c>pairs.json</c> is written last. <c>.speech</c> is there meanwhile.
/// </remarks>
public sealed class DataBuilder
{
    private readonly BuildOptions _options;
    private readonly Action<BuildProgress>? _progress;
    private readonly CancellationToken _cancel;
    private readonly DataFolder _folder;
    private readonly List<RefusedFile> _refused = [];
    private readonly List<LongText> _long = [];
    private readonly List<string> _nameOnly = [];

    private DataBuilder(BuildOptions options, Action<BuildProgress>? progress, CancellationToken cancel)
    {
        (_options, _progress, _cancel) = (options.Validated(), progress, cancel);
        _folder = new DataFolder(options.Out);
    }

    /// <summary>Builds, or goes on building.</summary>
    /// <param name="options">From what and how.</param>
    /// <param name="progress">Called for every piece, from several threads.</param>
    /// <param name="cancel">Stops between two pieces; what is there stays.</param>
    /// <exception cref="I2MException">Nothing usable in the inputs, no voice, another data set in the folder, or the disk is full.</exception>
    public static BuildReport Build(BuildOptions options, Action<BuildProgress>? progress = null, CancellationToken cancel = default) =>
        new DataBuilder(options, progress, cancel).Run();

    private BuildReport Run()
    {
        List<PictureClass> classes = _options.Images is null ? [] : PictureFolder.Read(_options, _refused, _progress, _cancel);
        string[][] texts = [.. ReadTexts(classes)];
        IReadOnlyList<Pair> own = _options.OwnPairs is { } list ? OwnPairs.Read(list) : [];
        _folder.Claim(BuildSettings.Describe(_options, classes, texts, own), _options.Force);
        List<PreparedPair> prepared = [.. BuildClips(classes, texts), .. ConvertOwn(own)];
        if (prepared.Count == 0) { throw new I2MException("data build: no pair can be used: " + (_refused.Count > 0 ? $"{_refused[0].Path}: {_refused[0].Reason}" : "the list is empty")); }
        IReadOnlyList<Pair> pairs = PairSplitter.Split(prepared, _options);
        _folder.Finish(pairs, _refused, _long);
        return BuildReport.Of(_folder.PairsPath, pairs, _refused, _long, _nameOnly);
    }

    private IEnumerable<string[]> ReadTexts(List<PictureClass> classes)
    {
        ClassTexts descriptions = ClassTexts.Load(_options.Descriptions);
        foreach (PictureClass c in classes)
        {
            var (texts, nameOnly) = descriptions.Of(c);
            if (nameOnly) { _nameOnly.Add(c.Name); }
            yield return texts;
        }
    }

    private IEnumerable<PreparedPair> BuildClips(List<PictureClass> classes, string[][] texts)
    {
        if (classes.Count == 0) { return []; }
        var speech = new SpeechStore(_folder.SpeechPath, _options);
        AtomicDirectory.RemoveLeftovers(_folder.SpeechPath, "*");
        ClipPlan plan = PlanWhatFits(classes, texts, speech);
        var clips = new ClipStore(_options, classes, texts, plan, speech);
        string[] hashes = clips.Build(_progress, _cancel);
        return plan.Clips.Select((p, i) =>
        {
            PictureClass c = classes[p.Class];
            Picture picture = c.Pictures[p.Picture];
            var (speed, semitones) = clips.VariationOf(i);
            return new PreparedPair(new Pair(picture.Path, clips.PathOf(i), c.Name, texts[p.Class][p.Text], _options.Speakers[p.Speaker].Name,
                new Variation(speed, semitones).ToJson(), picture.Hash, hashes[i]), picture.Look);
        });
    }

    /// <summary>
    /// Speaks what the plan needs; a text that would not fit at the lowest speed is left out and the rest planned anew, until all fits. No clip is ever cut.
    /// </summary>
    private ClipPlan PlanWhatFits(List<PictureClass> classes, string[][] texts, SpeechStore speech)
    {
        while (true)
        {
            var plan = new ClipPlan(_options, [.. classes.Select(c => c.Pictures.Count)], [.. texts.Select(t => t.Length)]);
            (int Class, int Speaker, int Text)[] needed = [.. plan.Clips.Select(p => (p.Class, p.Speaker, p.Text)).Distinct()];
            speech.Prepare([.. needed.Select(n => (n.Speaker, texts[n.Class][n.Text])).Distinct()], _progress, _cancel);
            var tooLong = needed.Select(n => (n.Class, n.Text, n.Speaker, Seconds: speech.Seconds(n.Speaker, texts[n.Class][n.Text]) / _options.MinSpeed))
                .Where(n => n.Seconds > _options.Seconds).GroupBy(n => (n.Class, n.Text)).Select(g => g.MaxBy(n => n.Seconds)).ToList();
            if (tooLong.Count == 0) { return plan; }
            foreach (var n in tooLong) { _long.Add(new LongText(classes[n.Class].Name, texts[n.Class][n.Text], _options.Speakers[n.Speaker].Name, n.Seconds)); }
            for (int c = 0; c < texts.Length; c++)
            {
                texts[c] = [.. texts[c].Where((_, t) => !tooLong.Exists(n => n.Class == c && n.Text == t))];
                if (texts[c].Length == 0) { throw new I2MException(FormattableString.Invariant($"class {classes[c].Name}: no text fits into {_options.Seconds} s at speed {_options.MinSpeed}: '{_long.Last(l => l.Class == classes[c].Name).Text}' takes {_long.Last(l => l.Class == classes[c].Name).Seconds:F2} s: expected a shorter one")); }
            }
        }
    }

    private List<PreparedPair> ConvertOwn(IReadOnlyList<Pair> own)
    {
        var prepared = new PreparedPair?[own.Count];
        var reasons = new RefusedFile?[own.Count];
        int done = 0;
        ParallelEach.Run(Enumerable.Range(0, own.Count), _options.Parallel(_cancel), i =>
        {
            string current = own[i].Image;
            try
            {
                Picture picture = PictureFolder.ReadPicture(current);
                current = own[i].Audio;
                string clip = _folder.OwnClip(i);
                OwnPairs.Convert(current, clip, _options);
                prepared[i] = new PreparedPair(own[i] with { Audio = clip, ImageHash = picture.Hash, AudioHash = Fingerprint.OfFile(clip) }, picture.Look);
            }
            catch (BadFileException e)
            {
                reasons[i] = new RefusedFile(current, PictureFolder.Reason(e, current));
            }
            int n = Interlocked.Increment(ref done);
            _progress?.Invoke(new("own pairs", n, own.Count, n));
        });
        _refused.AddRange(reasons.OfType<RefusedFile>());
        return [.. prepared.OfType<PreparedPair>()];
    }
}
