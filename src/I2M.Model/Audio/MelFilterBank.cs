namespace I2M.Model.Audio;

/// <summary>Triangular mel filters, as torchaudio.functional.melscale_fbanks.</summary>
public static class MelFilterBank
{
    /// <summary>Slaney's scale: 200/3 Hz a mel up to 1 kHz, then a factor of 6.4 in 27 mels.</summary>
    private const double LinearHz = 200.0 / 3, KneeHz = 1000, KneeMel = KneeHz / LinearHz;
    private static readonly double s_logStep = Math.Log(6.4) / 27;

    /// <summary>Frequency in Hz → mel.</summary>
    public static double HzToMel(double hz, MelScale scale = MelScale.Htk)
    {
        if (scale == MelScale.Htk) { return 2595 * Math.Log10(1 + hz / 700); }
        return hz < KneeHz ? hz / LinearHz : KneeMel + Math.Log(hz / KneeHz) / s_logStep;
    }

    /// <summary>Mel → frequency in Hz.</summary>
    public static double MelToHz(double mel, MelScale scale = MelScale.Htk)
    {
        if (scale == MelScale.Htk) { return 700 * (Math.Pow(10, mel / 2595) - 1); }
        return mel < KneeMel ? mel * LinearHz : KneeHz * Math.Exp(s_logStep * (mel - KneeMel));
    }

    /// <summary>The filters of an analysis.</summary>
    /// <returns>[bins, bands]</returns>
    public static float[] Create(MelSettings settings)
    {
        int bins = settings.Bins, bands = settings.Bands;
        double bottom = HzToMel(settings.LowFrequency, settings.Scale), top = HzToMel(settings.TopFrequency, settings.Scale);
        var edges = new double[bands + 2];
        for (int i = 0; i < edges.Length; i++) { edges[i] = MelToHz(bottom + (top - bottom) * i / (bands + 1), settings.Scale); }
        var filters = new float[bins * bands];
        for (int bin = 0; bin < bins; bin++)
        {
            double hz = settings.SampleRate / 2.0 * bin / (bins - 1);
            for (int band = 0; band < bands; band++)
            {
                double rising = (hz - edges[band]) / (edges[band + 1] - edges[band]);
                double falling = (edges[band + 2] - hz) / (edges[band + 2] - edges[band + 1]);
                double area = settings.AreaNormalized ? 2 / (edges[band + 2] - edges[band]) : 1;
                filters[bin * bands + band] = (float)(area * Math.Max(0, Math.Min(rising, falling)));
            }
        }
        return filters;
    }
}
