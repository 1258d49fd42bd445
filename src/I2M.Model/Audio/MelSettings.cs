namespace I2M.Model.Audio;

/// <summary>Where the analysis windows lie.</summary>
public enum FramePadding
{
    /// <summary>Frame f is centred on sample f·hop; the ends are mirrored: 1 + ⌊samples/hop⌋ frames.</summary>
    Center,
    /// <summary>(n_fft − hop)/2 mirrored samples at each end: ⌊samples/hop⌋ frames.</summary>
    Same,
}

/// <summary>How frequency becomes pitch.</summary>
public enum MelScale
{
    /// <summary>2595·log₁₀(1 + f/700), Vocos' own.</summary>
    Htk,
    /// <summary>Linear below 1 kHz, logarithmic above (Slaney's auditory toolbox), as librosa's default.</summary>
    Slaney,
}

/// <summary>
/// The contract between speech, the diffusion model and the vocoder: Vocos' log-mel features. It is stored with every set of weights and compared
/// before they are used together.
/// </summary>
public sealed record MelSettings
{
    /// <summary>Samples per second.</summary>
    public int SampleRate { get; init; } = 24000;
    /// <summary>Samples per window.</summary>
    public int FftSize { get; init; } = 1024;
    /// <summary>Samples between two windows.</summary>
    public int HopLength { get; init; } = 256;
    /// <summary>Mel bands.</summary>
    public int Bands { get; init; } = 100;
    /// <summary>Where the filters' edges are evenly spaced.</summary>
    public MelScale Scale { get; init; } = MelScale.Htk;
    /// <summary>True divides every filter by half its width in Hz, so that all have the same area.</summary>
    public bool AreaNormalized { get; init; }
    /// <summary>Lower edge of the lowest filter in Hz.</summary>
    public double LowFrequency { get; init; }
    /// <summary>Upper edge of the highest filter in Hz; null is half the sample rate.</summary>
    public double? HighFrequency { get; init; }
    /// <summary>Where the windows lie.</summary>
    public FramePadding Padding { get; init; } = FramePadding.Center;
    /// <summary>Smallest magnitude before the logarithm.</summary>
    public float Floor { get; init; } = 1e-7f;

    /// <summary>ln(floor), the value of silence: −16.118 for 1e-7.</summary>
    public float SilenceLevel => MathF.Log(Floor);

    /// <summary>Upper edge of the highest filter in Hz.</summary>
    public double TopFrequency => HighFrequency ?? SampleRate / 2.0;

    /// <summary>Frequency bins of the spectrum.</summary>
    public int Bins => FftSize / 2 + 1;

    /// <summary>Mirrored samples before the first one.</summary>
    public int Pad => Padding == FramePadding.Center ? FftSize / 2 : (FftSize - HopLength) / 2;

    /// <summary>Frames of a clip of so many samples.</summary>
    public int FrameCount(int samples) => Padding == FramePadding.Center ? 1 + samples / HopLength : samples / HopLength;

    /// <summary>Samples that the inverse transform of so many frames gives.</summary>
    public int SampleCount(int frames) => Padding == FramePadding.Center ? (frames - 1) * HopLength : frames * HopLength;

    /// <summary>The first setting that cannot be computed with, in words, or null when all can.</summary>
    public string? FindProblem()
    {
        if (!int.IsPow2(FftSize) || FftSize is < 4 or > 4096) { return $"fftSize {FftSize}: expected a power of two from 4 to 4096"; }
        if (HopLength < 1 || HopLength > FftSize / 2) { return $"hopLength {HopLength}: expected 1 to half of fftSize {FftSize}"; }
        if (SampleRate is < 1000 or > 768_000) { return $"sampleRate {SampleRate}: expected 1000 to 768000"; }
        if (Bands is < 1 or > 1024) { return $"bands {Bands}: expected 1 to 1024"; }
        if (!(Floor > 0) || !float.IsFinite(Floor)) { return $"floor {Floor}: expected a positive number"; }
        if (!Enum.IsDefined(Scale)) { return $"scale {Scale}: expected htk or slaney"; }
        if (!(TopFrequency <= SampleRate / 2.0)) { return $"highFrequency {TopFrequency}: expected at most half of sampleRate {SampleRate}"; }
        if (!(LowFrequency >= 0 && LowFrequency < TopFrequency)) { return $"lowFrequency {LowFrequency}: expected 0 to below highFrequency {TopFrequency}"; }
        return Enum.IsDefined(Padding) ? null : $"padding {Padding}: expected center or same";
    }

    /// <summary>
    /// The first difference to other settings in words, these first, or null when mels of the one can be decoded as mels of the other. The padding is not compared: it
    /// moves all frames by half a hop and changes none.
    /// </summary>
    public string? DifferenceTo(MelSettings other)
    {
        if (SampleRate != other.SampleRate) { return $"sample rate {SampleRate} against {other.SampleRate}"; }
        if (FftSize != other.FftSize) { return $"FFT size {FftSize} against {other.FftSize}"; }
        if (HopLength != other.HopLength) { return $"hop length {HopLength} against {other.HopLength}"; }
        if (Bands != other.Bands) { return $"{Bands} mel bands against {other.Bands}"; }
        if (Scale != other.Scale) { return $"mel scale {Scale} against {other.Scale}"; }
        if (AreaNormalized != other.AreaNormalized) { return $"area normalisation of the mel filters {AreaNormalized} against {other.AreaNormalized}"; }
        if (LowFrequency != other.LowFrequency) { return $"lowest mel frequency {LowFrequency} Hz against {other.LowFrequency} Hz"; }
        if (TopFrequency != other.TopFrequency) { return $"highest mel frequency {TopFrequency} Hz against {other.TopFrequency} Hz"; }
        return Floor != other.Floor ? $"mel floor {Floor} against {other.Floor}" : null;
    }
}
