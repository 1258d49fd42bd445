using I2M.Kernels;
using I2M.Model.Vocos;

namespace I2M.Model.Audio;

/// <summary>Opens the vocoder that a user names.</summary>
public static class Vocoders
{
    /// <summary>Opens Vocos weights, or Griffin-Lim.</summary>
    /// <param name="backend">Where to compute.</param>
    /// <param name="path">Vocos weights as <see cref="VocosLoader.Load"/> takes them; null or "griffin-lim" is Griffin-Lim.</param>
    /// <param name="mel">The mels to decode; null takes the vocoder's own.</param>
    /// <exception cref="I2MException">Weights that cannot be used, or that expect other mels.</exception>
    public static IVocoder Open(IBackend backend, string? path, MelSettings? mel)
    {
        if (path is null or "griffin-lim") { return new GriffinLim(backend, mel ?? new MelSettings()); }
        IVocoder vocoder = VocosLoader.Load(backend, path);
        if (mel is not null && vocoder.Settings.DifferenceTo(mel) is { } difference)
        {
            vocoder.Dispose();
            throw new I2MException($"--vocoder {path}: decodes other mels than the model makes: {difference}");
        }
        return vocoder;
    }
}
