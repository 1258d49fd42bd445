using I2M.Autograd;

namespace I2M.Model.Audio;

/// <summary>Turns log-mels into speech.</summary>
public interface IVocoder : IDisposable
{
    /// <summary>What it is, for the user.</summary>
    string Name { get; }

    /// <summary>The mels that it expects.</summary>
    MelSettings Settings { get; }

    /// <summary>Decodes one log-mel.</summary>
    /// <param name="mel">[bands, frames], natural logarithm, not normalised.</param>
    /// <param name="frames">Number of frames.</param>
    /// <returns>The waveform at the settings' sample rate.</returns>
    float[] Decode(ReadOnlySpan<float> mel, int frames);

    /// <summary>Decodes log-mels [batch, bands, frames] on the vocoder's backend into waveforms [batch, samples] there, each as if it were alone.</summary>
    /// <param name="mels">Natural logarithm, not normalised.</param>
    Tensor Decode(Tensor mels);
}
