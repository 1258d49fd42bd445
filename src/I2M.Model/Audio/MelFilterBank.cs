namespace I2M.Model.Audio;

/// <summary>Triangular filters on the HTK mel scale without area normalisation, as torchaudio.functional.melscale_fbanks(norm=None, mel_scale="htk").</summary>
public static class MelFilterBank
{
    /// <summary>Frequency in Hz → mel.</summary>
    public static double HzToMel(double hz) => 2595 * Math.Log10(1 + hz / 700);

    /// <summary>Mel → frequency in Hz.</summary>
    public static double MelToHz(double mel) => 700 * (Math.Pow(10, mel / 2595) - 1);

    /// <summary>Filters from 0 Hz to half the sample rate.</summary>
    /// <param name="bins">Frequency bins, n_fft/2 + 1.</param>
    /// <param name="bands">Mel bands.</param>
    /// <param name="sampleRate">Samples per second.</param>
    /// <returns>[bins, bands]</returns>
    public static float[] Create(int bins, int bands, int sampleRate)
    {
        double top = HzToMel(sampleRate / 2.0);
        var edges = new double[bands + 2];
        for (int i = 0; i < edges.Length; i++) { edges[i] = MelToHz(top * i / (bands + 1)); }
        var filters = new float[bins * bands];
        for (int bin = 0; bin < bins; bin++)
        {
            double hz = sampleRate / 2.0 * bin / (bins - 1);
            for (int band = 0; band < bands; band++)
            {
                double rising = (hz - edges[band]) / (edges[band + 1] - edges[band]);
                double falling = (edges[band + 2] - hz) / (edges[band + 2] - edges[band + 1]);
                filters[bin * bands + band] = (float)Math.Max(0, Math.Min(rising, falling));
            }
        }
        return filters;
    }
}
