using I2M.Autograd;
using I2M.Autograd.Modules;

namespace I2M.Model.Dit;

/// <summary>
/// What a picture contributes to denoising. It does not depend on the noisy mel or on the timestep, so a sampler computes it once per picture and
/// uses it at every step.
/// </summary>
/// <param name="KeyValues">Per block, the projected keys and values of the context, [batch, imageTokens, 2·hidden].</param>
/// <param name="Pooled">The mean image vector that joins the timestep embedding, [batch, hidden]; null in the compatible model.</param>
/// <param name="ClassLogits">Logits of the auxiliary classification head, [batch, classes]; null without one.</param>
public sealed record ImageCondition(IReadOnlyList<Tensor> KeyValues, Tensor? Pooled, Tensor? ClassLogits);

/// <summary>A denoiser of mel tokens under a picture: (x_t, t, picture) → prediction.</summary>
public abstract class DitModel : Module
{
    /// <summary>Sizes and variant.</summary>
    public DitConfig Config { get; }

    /// <param name="config">Sizes and variant.</param>
    protected DitModel(DitConfig config) => Config = config;

    /// <summary>The model that a config describes.</summary>
    public static DitModel Create(DitConfig config) => config.Validated().CompatSeed ? new SimpleDit(config) : new ImageDit(config);

    /// <summary>Reads the pictures.</summary>
    /// <param name="imageTokens">[batch, imageTokens, imageTokenLength]</param>
    /// <param name="keep">[batch]: 1 where the picture counts, 0 where the null condition takes its place.</param>
    public abstract ImageCondition EncodeImage(Tensor imageTokens, Tensor keep);

    /// <summary>Predicts noise, velocity or sample, whatever it was trained for.</summary>
    /// <param name="x">Noisy mel tokens [batch, melTokens, melTokenLength].</param>
    /// <param name="timesteps">One per sample.</param>
    /// <param name="condition">From <see cref="EncodeImage"/>.</param>
    /// <returns>[batch, melTokens, melTokenLength]</returns>
    public abstract Tensor Denoise(Tensor x, ReadOnlySpan<int> timesteps, ImageCondition condition);
}
