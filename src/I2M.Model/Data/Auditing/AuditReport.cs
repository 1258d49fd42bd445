using I2M.Model.Data.Building;
using I2M.Model.Diffusion;
using I2M.Model.Training;

namespace I2M.Model.Data.Auditing;

/// <summary>What to examine.</summary>
/// <param name="Path">Folder of a data set, or its list.</param>
public sealed record AuditOptions(string Path)
{
    /// <summary>The training run that the data is for: mel, frames, diffusion, share to hold out.</summary>
    public TrainConfig Config { get; init; } = TrainPresets.Get("nano");

    /// <summary>Threads; 0 takes one for each processor.</summary>
    public int Threads { get; init; }

    internal ParallelOptions Parallel(CancellationToken cancel) =>
        new() { CancellationToken = cancel, MaxDegreeOfParallelism = Threads > 0 ? Threads : Environment.ProcessorCount };
}

/// <summary>Something that is wrong with a data set.</summary>
/// <param name="Kind">A name for scripts, such as "duplicate-sound-across-split".</param>
/// <param name="Count">How often.</param>
/// <param name="Message">What is wrong and what to do, in plain words.</param>
/// <param name="Examples">The first few, bounded.</param>
public sealed record AuditFinding(string Kind, int Count, string Message, IReadOnlyList<string> Examples)
{
    /// <summary>Most examples of a finding.</summary>
    public const int MaxExamples = 20;
}

/// <summary>How often something occurs.</summary>
/// <param name="Name">Class or speaker.</param>
/// <param name="Train">Pairs to learn from.</param>
/// <param name="Eval">Pairs held out.</param>
public sealed record PartCount(string Name, int Train, int Eval)
{
    /// <summary>Pairs in all.</summary>
    public int Pairs => Train + Eval;
}

/// <summary>Log-mels of the training part over frames in which somebody speaks.</summary>
/// <param name="Mean">Mean of all bands: what to subtract.</param>
/// <param name="Deviation">Standard deviation of all bands: what to divide by.</param>
/// <param name="Floor">Lower values are raised to this first.</param>
/// <param name="Highest">Largest value.</param>
/// <param name="SpeechFrames">Frames in which somebody speaks.</param>
/// <param name="Bands">Mean and standard deviation of each band.</param>
public sealed record MelSummary(double Mean, double Deviation, double Floor, double Highest, long SpeechFrames, IReadOnlyList<(double Mean, double Deviation)> Bands);

/// <summary>What the noise leaves for the picture to tell.</summary>
/// <param name="Diffusion">The setting that was examined.</param>
/// <param name="Normalized">Mels of unit variance; false takes the log-mels as they are.</param>
/// <param name="Distance">Root mean square ‖A − B‖ of clips of different classes at the scale that the model sees; d′(t) follows from it.</param>
/// <param name="MeanSquaredError">The same per value of the log-mels as they are.</param>
/// <param name="ClassDistance">‖μ_A − μ_B‖ of the classes' means at the same scale, what chance contributes taken off: 0 when the picture says nothing about the sound.</param>
/// <param name="ClassShare">Share of the squared distance that the class explains.</param>
/// <param name="ClassRatio">Variance between classes over that within them: 1 when the picture says nothing about the sound.</param>
/// <param name="Curve">d′(t).</param>
/// <param name="Share">Share of the training timesteps with d′ of at most 2: those that need the picture.</param>
/// <param name="LossGain">By how much knowing the class can lower the training loss.</param>
/// <param name="Recommended">A setting that needs the picture more; null when this one suffices.</param>
/// <param name="Ladder">Well-known settings on this data.</param>
public sealed record ConditioningReport(DiffusionConfig Diffusion, bool Normalized, double Distance, double MeanSquaredError, double ClassDistance, double ClassShare, double ClassRatio,
    IReadOnlyList<double> Curve, double Share, double LossGain, ConditioningSetting? Recommended, IReadOnlyList<ConditioningSetting> Ladder);

/// <summary>What a data set is like.</summary>
/// <param name="ListPath">The list that was read.</param>
/// <param name="Pairs">Pairs in the list.</param>
/// <param name="Usable">Of them those whose files can both be read.</param>
/// <param name="Pictures">Different pictures by content.</param>
/// <param name="Sounds">Different sounds by content.</param>
/// <param name="Classes">By name.</param>
/// <param name="Speakers">By name.</param>
/// <param name="Silence">Mean share of the model's length in which nobody speaks.</param>
/// <param name="SilenceHistogram">Sounds by tenths of that share.</param>
/// <param name="Mel">Statistics of the log-mels; null without speech.</param>
/// <param name="Distances">Root mean square distance of clips of two classes, per value of the log-mels, in the order of <paramref name="Classes"/>; on the diagonal that of clips of one class.</param>
/// <param name="Conditioning">Null where fewer than two classes are known.</param>
/// <param name="Findings">What is wrong; empty for clean data.</param>
/// <param name="Refused">Files that cannot be read.</param>
/// <param name="Examples">A pair of each of the first classes, and pairs with a finding, to look at and listen to.</param>
public sealed record AuditReport(string ListPath, int Pairs, int Usable, int Pictures, int Sounds, IReadOnlyList<PartCount> Classes, IReadOnlyList<PartCount> Speakers, double Silence,
    IReadOnlyList<int> SilenceHistogram, MelSummary? Mel, double[,] Distances, ConditioningReport? Conditioning, IReadOnlyList<AuditFinding> Findings, IReadOnlyList<RefusedFile> Refused,
    IReadOnlyList<(Pair Pair, string Caption)> Examples)
{
    /// <summary>Most minus fewest pairs of a class, over their mean.</summary>
    public double ClassImbalance => Imbalance(Classes);

    /// <summary>The same of speakers.</summary>
    public double SpeakerImbalance => Imbalance(Speakers);

    private static double Imbalance(IReadOnlyList<PartCount> counts) => counts.Count == 0 ? 0 : (counts.Max(c => c.Pairs) - counts.Min(c => c.Pairs)) / counts.Average(c => c.Pairs);
}
