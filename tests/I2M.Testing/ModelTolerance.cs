namespace I2M.Testing;

/// <summary>The bounds of whole models and processes against PyTorch's numbers, as <see cref="WorstError"/> measures them.</summary>
public static class ModelTolerance
{
    /// <summary>First prediction of SimpleDiT.</summary>
    public const double DitPrediction = 3e-6;
    /// <summary>Its gradients.</summary>
    public const double DitGradients = 3e-5;
    /// <summary>Its losses and gradient norms.</summary>
    public const double DitLosses = 3e-6;
    /// <summary>Its weights after eight optimiser steps.</summary>
    public const double DitWeights = 1e-4;
    /// <summary>Gradients that are zero in exact arithmetic, against the norm of the array that they are a part of.</summary>
    public const double DitZeroGradients = 1e-6;
    /// <summary>Diffusion tables and trajectories in double.</summary>
    public const double Diffusion = 1e-10;
    /// <summary>A perfect denoiser gives the clean sample back.</summary>
    public const double PerfectSampler = 1e-12;
    /// <summary>Log-mel features, absolute.</summary>
    public const double LogMelAbsolute = 1e-4;
    /// <summary>Short-time Fourier transform and its inverse.</summary>
    public const double Stft = 1e-5;
    /// <summary>The window: one rounding.</summary>
    public const double Window = 1e-6;
    /// <summary>The filter bank, which torchaudio computes in float32 from frequencies up to 12,000.</summary>
    public const double FilterBank = 1e-5;
    /// <summary>Vocos' waveform and backbone features.</summary>
    public const double Vocos = 1e-5;
    /// <summary>Vocos' gradients.</summary>
    public const double VocosGradients = 1e-4;
    /// <summary>Analytic gradients against central differences in float32, in units of a parameter's largest gradient.</summary>
    public const double CentralDifferences = 2e-3;
    /// <summary>Slopes of the vocoder's losses along their gradients, against central differences in float32; logarithms and absolute values bend within a step.</summary>
    public const double VocoderSlope = 2e-2;
    /// <summary>Losses of float32 spectra against their values in exact arithmetic, absolute.</summary>
    public const double SpectralLoss = 1e-3;
    /// <summary>The same computed in another batch composition.</summary>
    public const double Rebatched = 1e-6;
}
