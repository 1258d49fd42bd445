using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;

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
    /// <summary>More rows than any backend's kernel for few rows takes, which is 64 on CUDA.</summary>
    internal const int FewestTableRows = 65;

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

    /// <summary>True keeps the inputs of the transformer blocks only and computes the blocks again in the backward pass: a third more time, far less memory, the same bits.</summary>
    public bool RecomputesBlocks { get; set; }

    /// <summary>Predicts noise, velocity or sample, whatever it was trained for.</summary>
    /// <param name="x">Noisy mel tokens [batch, melTokens, melTokenLength].</param>
    /// <param name="timesteps">One per sample.</param>
    /// <param name="condition">From <see cref="EncodeImage"/>.</param>
    /// <returns>[batch, melTokens, melTokenLength]</returns>
    public Tensor Denoise(Tensor x, ReadOnlySpan<int> timesteps, ImageCondition condition)
    {
        using Tensor features = Features(x.Backend, timesteps);
        return Denoise(x, features, condition);
    }

    /// <summary>The same with the timesteps' features on the device, for recorded steps.</summary>
    /// <param name="x">Noisy mel tokens [batch, melTokens, melTokenLength].</param>
    /// <param name="timestepFeatures">[batch, <see cref="TimestepEmbedding.Features"/>]</param>
    /// <param name="condition">From <see cref="EncodeImage"/>.</param>
    /// <returns>[batch, melTokens, melTokenLength]</returns>
    public Tensor Denoise(Tensor x, Tensor timestepFeatures, ImageCondition condition)
    {
        using Tensor activated = Activate(timestepFeatures, condition);            // [batch, hidden]
        using Tensor modulation = Modulation.Forward(activated);                   // [batch, chunks · hidden]
        return DenoiseModulated(x, modulation, condition);
    }

    /// <summary>The same with modulations that were computed before, for samplers: all samples have the table's timestep number <paramref name="step"/>.</summary>
    /// <param name="x">Noisy mel tokens [batch, melTokens, melTokenLength].</param>
    /// <param name="table">From <see cref="Modulate"/> with the same condition.</param>
    /// <param name="step">0-based place of the timestep in the table.</param>
    /// <param name="condition">From <see cref="EncodeImage"/>.</param>
    /// <returns>[batch, melTokens, melTokenLength]</returns>
    public Tensor Denoise(Tensor x, ModulationTable table, int step, ImageCondition condition)
    {
        using Tensor modulation = table.Of(step);                                  // [batch, chunks · hidden], or one row for all samples
        return DenoiseModulated(x, modulation, condition);
    }

    /// <summary>
    /// All modulations of some timesteps in one product. A product with few rows may add in another order than one with many, so short lists are
    /// filled up: then a timestep's modulation is the same to the bit in every table.
    /// </summary>
    /// <param name="timesteps">The timesteps, in the order in which <see cref="Denoise(Tensor, ModulationTable, int, ImageCondition)"/> counts them.</param>
    /// <param name="condition">From <see cref="EncodeImage"/>.</param>
    public ModulationTable Modulate(ReadOnlySpan<int> timesteps, ImageCondition condition)
    {
        using Tensor features = Tensor.From(condition.KeyValues[0].Backend, FilledFeatures(timesteps), timesteps.Length + FewestTableRows, TimestepEmbedding.Features);
        return ModulatePart(features, 0, timesteps.Length, condition);
    }

    /// <summary>The features of timesteps, [timesteps + <see cref="FewestTableRows"/>, features]: the last one's repeated, so that every short list can be filled up.</summary>
    internal float[] FilledFeatures(ReadOnlySpan<int> timesteps)
    {
        var filled = new int[timesteps.Length + FewestTableRows];
        timesteps.CopyTo(filled);
        filled.AsSpan(timesteps.Length).Fill(timesteps[^1]);
        return TimestepEmbedding.FeaturesOf(filled, Config.CompatSeed);
    }

    /// <summary>The modulations of timesteps first to first + count − 1 of those that <see cref="FilledFeatures"/> was made of.</summary>
    internal ModulationTable ModulatePart(Tensor filledFeatures, int first, int count, ImageCondition condition)
    {
        int perStep = condition.Pooled?.Rows ?? 1, steps = Math.Max(count, (FewestTableRows + perStep - 1) / perStep);
        using Tensor part = filledFeatures.SliceRows(first, steps), features = Tensor.Empty(part.Backend, steps * perStep, part.Columns);
        part.Backend.BroadcastRows(part.View, new ReduceShape(steps, perStep, part.Columns), 1, accumulate: false, features.View);
        using Tensor activated = Activate(features, condition);                    // [steps · perStep, hidden]
        return new ModulationTable(Modulation.Forward(activated), perStep);
    }

    /// <summary>As <see cref="Denoise(Tensor, ModulationTable, int, ImageCondition)"/> with the modulations in place, for recorded work.</summary>
    internal Tensor DenoiseWith(Tensor x, Tensor modulation, ImageCondition condition) => DenoiseModulated(x, modulation, condition);

    /// <summary>
    /// All layers that make shifts, scales and gates out of the activated condition, as one: [rows, hidden] → [rows, chunks · hidden]. A block knows the number
    /// of its first chunk and reads its own in place.
    /// </summary>
    private protected abstract Linear Modulation { get; }

    /// <summary>SiLU of timestep embedding and pooled picture, [rows, hidden], where the condition's samples repeat over the rows.</summary>
    private protected abstract Tensor Activate(Tensor timestepFeatures, ImageCondition condition);

    private protected abstract Tensor DenoiseModulated(Tensor x, Tensor modulation, ImageCondition condition);

    private Tensor Features(IBackend backend, ReadOnlySpan<int> timesteps) =>
        Tensor.From(backend, TimestepEmbedding.FeaturesOf(timesteps, Config.CompatSeed), timesteps.Length, TimestepEmbedding.Features);

    /// <summary>Tokens [batch, tokens, tokenLength] into the residual stream, [batch, tokens, hidden] in float32.</summary>
    private protected Tensor ProjectTokens(Linear projection, Tensor tokens)
    {
        using Tensor factor = tokens.As(Precision.Activations());
        return projection.Forward(factor, result: ElementType.Float32);
    }

    /// <summary>A block that reads x, the modulations of all blocks and the context's keys and values.</summary>
    internal interface IBlock
    {
        /// <summary><see cref="Forward"/> over (x, modulation, keys and values), made once.</summary>
        Func<IReadOnlyList<Tensor>, Tensor> Recomputed { get; }

        Tensor Forward(Tensor x, Tensor modulation, Tensor kv);

        /// <summary>Keys and values of the context [batch, imageTokens, hidden], [batch, imageTokens, 2·hidden].</summary>
        Tensor ProjectContext(Tensor context);
    }

    /// <summary>The blocks in their order.</summary>
    internal abstract IReadOnlyList<IBlock> Blocks { get; }

    /// <summary>Runs the blocks one after another; h [batch, melTokens, hidden] is given back as soon as it was read.</summary>
    private protected Tensor RunBlocks(Tensor h, Tensor modulation, ImageCondition condition)
    {
        for (int i = 0; i < Blocks.Count; i++)
        {
            Tensor next = RecomputesBlocks
                ? Recompute.Run(Blocks[i].Recomputed, h, modulation, condition.KeyValues[i])
                : Blocks[i].Forward(h, modulation, condition.KeyValues[i]);
            h.Dispose();
            h = next;
        }
        return h;
    }
}
