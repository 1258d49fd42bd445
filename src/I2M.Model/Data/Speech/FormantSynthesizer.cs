namespace I2M.Model.Data.Speech;

/// <summary>
/// Source and filter: a glottal pulse train and noise through four resonators in cascade, plus frication noise through one resonator in parallel.
/// Source: Klatt, "Software for a cascade/parallel formant synthesizer", JASA 67, 1980; pulse shape: Klatt and Klatt, JASA 87, 1990.
/// </summary>
internal sealed class FormantSynthesizer(float pitchHz, float formantScale, float breathiness)
{
    public const int SampleRate = 24_000;
    private const int FrameLength = SampleRate / 200;

    /// <summary>Waveform of a sequence of sounds.</summary>
    /// <param name="sounds">The sounds with their lengths.</param>
    /// <param name="stretch">Multiplies every length: 1 is normal, 2 half the speed.</param>
    public float[] Synthesize(IReadOnlyList<Phoneme> sounds, float stretch)
    {
        Phoneme[] frames = Smooth(Frames(sounds, stretch));
        float[] samples = new float[frames.Length * FrameLength];
        Resonator[] tract = [new(), new(), new(), new()];
        Resonator constriction = new();
        Random noise = new(20_071);
        float phase = 0, before = 0;
        for (int f = 0; f < frames.Length; f++)
        {
            Phoneme frame = frames[f];
            Tune(tract, constriction, frame);
            float pitch = Pitch(f, frames.Length);
            for (int i = 0; i < FrameLength; i++)
            {
                phase += pitch / SampleRate;
                phase -= MathF.Floor(phase);
                float white = noise.NextSingle() * 2 - 1;
                // Turbulence comes with the open part of the cycle.
                float source = frame.Voice * (Pulse(phase) + breathiness * white * (phase < 0.6f ? 1 : 0)) + frame.Breath * white * 0.35f;
                foreach (Resonator resonator in tract)
                    source = resonator.Next(source);
                // First difference with leak: the lips radiate high frequencies better, and the upper formants carry the vowel.
                samples[f * FrameLength + i] = 2.2f * (source - 0.9f * before) + frame.Hiss * constriction.Next(white) * 0.6f;
                before = source;
            }
        }
        return samples;
    }

    /// <summary>Derivative of the glottal flow t² − t³ over an open phase of 60 % of the cycle.</summary>
    private static float Pulse(float phase)
    {
        float t = phase / 0.6f;
        return t < 1 ? 2 * t - 3 * t * t : 0;
    }

    /// <summary>The voice falls over the utterance, with a slow wave for life, and most at its end.</summary>
    private float Pitch(int frame, int count)
    {
        float t = (float)frame / Math.Max(1, count - 1);
        return pitchHz * (1.12f - 0.2f * t + 0.05f * MathF.Sin(frame * 0.09f) - (t > 0.8f ? (t - 0.8f) * 0.5f : 0));
    }

    private void Tune(Resonator[] tract, Resonator constriction, in Phoneme frame)
    {
        tract[0].Tune(frame.F1 * formantScale, 60);
        tract[1].Tune(frame.F2 * formantScale, 80);
        tract[2].Tune(frame.F3 * formantScale, 120);
        tract[3].Tune(3600 * formantScale, 220);
        constriction.Tune(Math.Min(frame.HissHz, 9000), frame.HissWidth, unitPeak: true);
    }

    private static List<Phoneme> Frames(IReadOnlyList<Phoneme> sounds, float stretch)
    {
        List<Phoneme> frames = [];
        float end = 0;
        foreach (Phoneme sound in sounds)
        {
            end += sound.Milliseconds * stretch / 5;
            while (frames.Count < end)
                frames.Add(sound);
        }
        return frames;
    }

    /// <summary>Coarticulation: formants glide over 45 ms, amplitudes over 15 ms; the place of frication does not move.</summary>
    private static Phoneme[] Smooth(List<Phoneme> frames)
    {
        Phoneme[] smooth = new Phoneme[frames.Count];
        for (int f = 0; f < smooth.Length; f++)
            smooth[f] = frames[f] with
            {
                F1 = Mean(frames, f, 4, p => p.F1),
                F2 = Mean(frames, f, 4, p => p.F2),
                F3 = Mean(frames, f, 4, p => p.F3),
                Voice = Mean(frames, f, 1, p => p.Voice),
                Breath = Mean(frames, f, 1, p => p.Breath),
                Hiss = Mean(frames, f, 1, p => p.Hiss),
            };
        return smooth;
    }

    private static float Mean(List<Phoneme> frames, int centre, int reach, Func<Phoneme, float> value)
    {
        int from = Math.Max(0, centre - reach), to = Math.Min(frames.Count - 1, centre + reach);
        float sum = 0;
        for (int i = from; i <= to; i++)
            sum += value(frames[i]);
        return sum / (to - from + 1);
    }

    /// <summary>Two poles: y[n] = a·x[n] + b·y[n−1] + c·y[n−2].</summary>
    private sealed class Resonator
    {
        private float a, b, c, last, beforeLast;

        /// <param name="hertz">Centre.</param>
        /// <param name="width">Bandwidth in Hz.</param>
        /// <param name="unitPeak">Gain 1 at the centre (noise) instead of at 0 Hz (formants in cascade).</param>
        public void Tune(float hertz, float width, bool unitPeak = false)
        {
            float radius = MathF.Exp(-MathF.PI * width / SampleRate);
            c = -radius * radius;
            b = 2 * radius * MathF.Cos(2 * MathF.PI * hertz / SampleRate);
            a = unitPeak ? 1 - radius * radius : 1 - b - c;
        }

        public float Next(float input)
        {
            float output = a * input + b * last + c * beforeLast;
            (beforeLast, last) = (last, output);
            return output;
        }
    }
}
