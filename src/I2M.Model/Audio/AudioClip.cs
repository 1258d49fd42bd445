namespace I2M.Model.Audio;

/// <summary>A mono waveform.</summary>
/// <param name="Samples">Amplitudes, nominally in [-1, 1].</param>
/// <param name="SampleRate">Samples per second, in Hz.</param>
public sealed record AudioClip(float[] Samples, int SampleRate)
{
    /// <summary>Length in seconds.</summary>
    public double Seconds => (double)Samples.Length / SampleRate;
}
