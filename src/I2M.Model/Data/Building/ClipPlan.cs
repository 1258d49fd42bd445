using I2M.Model.Training;

namespace I2M.Model.Data.Building;

/// <summary>One clip to be made, and the picture it belongs to.</summary>
/// <param name="Class">Index of the class.</param>
/// <param name="Number">Position within the class.</param>
/// <param name="Picture">Index of the picture within the class.</param>
/// <param name="Speaker">Index of the speaker.</param>
/// <param name="Text">Index of the text within the class.</param>
/// <param name="Visit">How often this speaker has spoken for the class before.</param>
internal readonly record struct PlannedClip(int Class, int Number, int Picture, int Speaker, int Text, int Visit);

/// <summary>
/// Who says what, how fast and how high, stratified: speakers take turns through all classes, so that any two have spoken equally often give or take one, in
/// all and for each class; a speaker's texts take turns, begun at another one by each speaker; speed and pitch of a speaker's clips are points of a
/// low-discrepancy sequence, evenly spread over the plane for each speaker, for each class and in all.
/// </summary>
/// <remarks>
/// Sequence: u = frac(a + visit/g + speaker·(√2−1)), v = frac(b + visit/g² + speaker·(√3−1)) with g = 1.3247…, the root of g³ = g + 1 (M. Roberts,
/// "The unreasonable effectiveness of quasirandom sequences", 2018), a and b drawn for each class.
/// </remarks>
internal sealed class ClipPlan
{
    private const double Plastic = 1.32471795724474602596;
    private readonly BuildOptions _options;

    /// <param name="options">Seed, ranges and counts.</param>
    /// <param name="pictures">Pictures of each class.</param>
    /// <param name="texts">Texts of each class.</param>
    public ClipPlan(BuildOptions options, IReadOnlyList<int> pictures, IReadOnlyList<int> texts)
    {
        _options = options;
        int speakers = options.Speakers.Count, turn = 0;
        var clips = new List<PlannedClip>();
        for (int c = 0; c < pictures.Count; c++)
        {
            int[] order = Shuffled(pictures[c], c);
            int count = options.PerClass > 0 ? options.PerClass : pictures[c];
            for (int j = 0; j < count; j++, turn++)
            {
                int speaker = turn % speakers, visit = j / speakers, round = j / pictures[c];
                // A picture that repeats meets other speakers: each round is turned by a step.
                int picture = order[(int)((j + 7L * round) % pictures[c])];
                clips.Add(new PlannedClip(c, j, picture, speaker, (visit + speaker) % texts[c], visit));
            }
        }
        Clips = clips;
    }

    /// <summary>All clips, class by class.</summary>
    public IReadOnlyList<PlannedClip> Clips { get; }

    /// <summary>Speed and pitch of a clip.</summary>
    /// <param name="clip">The clip.</param>
    /// <param name="attempt">0, or the number of times that a clip came out as another one.</param>
    public (double Speed, double Semitones) Variation(PlannedClip clip, int attempt)
    {
        var random = new PhiloxRandom(_options.Seed, RandomStreams.Clips + (ulong)clip.Class);
        double a = random.NextDouble(), b = random.NextDouble(), visit = clip.Visit + attempt * 1009.0;
        double u = Fraction(a + visit / Plastic + clip.Speaker * (Math.Sqrt(2) - 1));
        double v = Fraction(b + visit / (Plastic * Plastic) + clip.Speaker * (Math.Sqrt(3) - 1));
        return (Math.Round(_options.MinSpeed + u * (_options.MaxSpeed - _options.MinSpeed), 4), Math.Round((2 * v - 1) * _options.Semitones, 3));
    }

    private int[] Shuffled(int count, int c)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        new PhiloxRandom(_options.Seed, RandomStreams.Pictures + (ulong)c).Shuffle(order);
        return order;
    }

    private static double Fraction(double x) => x - Math.Floor(x);
}
