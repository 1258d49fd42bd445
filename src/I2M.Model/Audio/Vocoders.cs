using I2M.Kernels;
using I2M.Model.Vocos;

namespace I2M.Model.Audio;

/// <summary>Opens the vocoder that a user names.</summary>
public static class Vocoders
{
    /// <summary>The name that asks for <see cref="GriffinLim"/>.</summary>
    public const string GriffinLimName = "griffin-lim";

    /// <summary>Opens the shipped vocoder, other Vocos weights, or Griffin-Lim.</summary>
    /// <param name="backend">Where to compute.</param>
    /// <param name="path">
    /// Vocos weights as <see cref="VocosLoader.Load"/> takes them, or <see cref="GriffinLimName"/>. Null takes <see cref="ShippedVocoder"/> where it decodes these mels, else
    /// Griffin-Lim, whose name then says why.
    /// </param>
    /// <param name="mel">The mels to decode; null takes the vocoder's own.</param>
    /// <exception cref="I2MException">Weights that cannot be used, or that expect other mels.</exception>
    public static IVocoder Open(IBackend backend, string? path, MelSettings? mel)
    {
        if (path is null) { return OpenShipped(backend, mel); }
        if (path == GriffinLimName) { return new GriffinLim(backend, mel ?? new MelSettings()); }
        IVocoder vocoder = VocosLoader.Load(backend, path);
        if (mel is not null && vocoder.Settings.DifferenceTo(mel) is { } difference)
        {
            vocoder.Dispose();
            throw new I2MException($"--vocoder {path}: decodes other mels than it is given: {difference}");
        }
        return vocoder;
    }

    private static IVocoder OpenShipped(IBackend backend, MelSettings? mel)
    {
        if (ShippedVocoder.Config is not { } shipped) { return new GriffinLim(backend, mel ?? new MelSettings()) { Reason = "this build has no vocoder of its own, and no weights were given" }; }
        if (mel is not null && shipped.Mel.DifferenceTo(mel) is { } difference)
        {
            return new GriffinLim(backend, mel) { Reason = $"the built-in vocoder decodes other mels: {difference}" };
        }
        return ShippedVocoder.Load(backend);
    }
}
