namespace I2M.Model.Data.Auditing;

/// <summary>
/// A fingerprint of speech that copies keep, louder or softer, saved anew or at another rate, padded otherwise: the mel from the first to the last spoken frame is
/// pooled to 8 × 9 fields of time and pitch, with a bit for each field that is stronger than the one above it. Fingerprints only name candidates;
/// <see cref="Likeness"/> of the mels decides.
/// </summary>
/// <param name="Bits">The 64 bits.</param>
/// <param name="Start">First spoken frame.</param>
/// <param name="Length">Frames from the first to the last spoken one; 0 for silence.</param>
public readonly record struct SoundPrint(ulong Bits, int Start, int Length)
{
    /// <summary>
    /// Mels at least so much alike are the same recording. Copies softened, resampled, moved by half a frame or with noise 38 dB below the peak reach 0.94, the same
    /// words of like voices at nearly one speed and pitch 0.89.
    /// </summary>
    public const double SameRecording = 0.925;

    /// <summary>Fingerprints of copies differ in at most so many bits.</summary>
    public const int NearBits = 10;

    /// <summary>Lengths of copies differ by at most so many frames.</summary>
    public const int LengthSlack = 3;

    private const int Segments = 8, Groups = 9;

    /// <summary>Of 100 bands up to 12 kHz the lower 81 end at 7.3 kHz: what copies at 16 kHz still have.</summary>
    private const double UsedBands = 0.81;

    /// <summary>A frame is spoken when it comes within e^−3.5 (30 dB) of the loudest, so that noise does not count as speech; values count down to e^−6 (52 dB).</summary>
    private const float SpokenRange = 3.5f, ValueRange = 6;

    /// <summary>The fingerprint of a mel.</summary>
    /// <param name="mel">Log-mel, [bands, frames].</param>
    /// <param name="bands">Mel bands.</param>
    /// <param name="silence">The value of silence.</param>
    public static SoundPrint Of(ReadOnlySpan<float> mel, int bands, float silence)
    {
        int frames = mel.Length / bands, used = (int)(UsedBands * bands), first = -1, last = -1;
        float loudest = Loudest(mel[..(used * frames)]);
        if (loudest < silence + ValueRange) { return default; }
        for (int f = 0; f < frames; f++)
        {
            float level = float.NegativeInfinity;
            for (int b = 0; b < used; b++) { level = Math.Max(level, mel[b * frames + f]); }
            if (level < loudest - SpokenRange) { continue; }
            if (first < 0) { first = f; }
            last = f;
        }
        return new SoundPrint(Pool(mel, frames, bands, first, last + 1 - first, loudest - ValueRange), first, last + 1 - first);
    }

    /// <summary>Pearson's correlation of two mels over their spoken part, each against its own loudest value, at the best shift of up to two frames.</summary>
    public static double Likeness(ReadOnlySpan<float> a, SoundPrint printA, ReadOnlySpan<float> b, SoundPrint printB, int bands)
    {
        double best = -1;
        for (int shift = -2; shift <= 2; shift++) { best = Math.Max(best, Correlation(a, printA.Start, b, printB.Start + shift, Math.Min(printA.Length, printB.Length), bands)); }
        return best;
    }

    private static float Loudest(ReadOnlySpan<float> mel)
    {
        float loudest = float.NegativeInfinity;
        foreach (float v in mel) { loudest = Math.Max(loudest, v); }
        return loudest;
    }

    private static ulong Pool(ReadOnlySpan<float> mel, int frames, int bands, int start, int length, float floor)
    {
        int width = (int)(UsedBands * bands) / Groups;
        ulong bits = 0;
        for (int s = 0; s < Segments; s++)
        {
            int from = start + length * s / Segments, to = Math.Max(from + 1, start + length * (s + 1) / Segments);
            double below = 0;
            for (int g = 0; g < Groups; g++)
            {
                double sum = 0;
                for (int b = g * width; b < (g + 1) * width; b++)
                {
                    for (int f = from; f < to; f++) { sum += Math.Max(mel[b * frames + f], floor); }
                }
                if (g > 0) { bits = (bits << 1) | (below > sum ? 1UL : 0); }
                below = sum;
            }
        }
        return bits;
    }

    private static double Correlation(ReadOnlySpan<float> a, int startA, ReadOnlySpan<float> b, int startB, int length, int bands)
    {
        int framesA = a.Length / bands, framesB = b.Length / bands, used = (int)(UsedBands * bands);
        int from = Math.Max(0, -Math.Min(startA, startB)), to = Math.Min(length, Math.Min(framesA - startA, framesB - startB));
        if (to <= from) { return -1; }
        float floorA = Loudest(a[..(used * framesA)]) - ValueRange, floorB = Loudest(b[..(used * framesB)]) - ValueRange;
        double sumA = 0, sumB = 0, squareA = 0, squareB = 0, product = 0, n = (double)used * (to - from);
        for (int band = 0; band < used; band++)
        {
            for (int f = from; f < to; f++)
            {
                double x = Math.Max(a[band * framesA + startA + f] - floorA, 0), y = Math.Max(b[band * framesB + startB + f] - floorB, 0);
                sumA += x;
                sumB += y;
                squareA += x * x;
                squareB += y * y;
                product += x * y;
            }
        }
        double variance = (squareA - sumA * sumA / n) * (squareB - sumB * sumB / n);
        return variance > 0 ? (product - sumA * sumB / n) / Math.Sqrt(variance) : -1;
    }
}
