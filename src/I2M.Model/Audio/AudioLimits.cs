namespace I2M.Model.Audio;

/// <summary>What the audio readers accept; anything beyond is refused from the header.</summary>
public static class AudioLimits
{
    /// <summary>Lowest sample rate, in Hz: below it a small file would blow up when resampled.</summary>
    public const int MinSampleRate = 1_000;

    /// <summary>Highest sample rate, in Hz.</summary>
    public const int MaxSampleRate = 768_000;

    /// <summary>Longest clip, in seconds (two hours).</summary>
    public const double MaxSeconds = 7_200;
}
