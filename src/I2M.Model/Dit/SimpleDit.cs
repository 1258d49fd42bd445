using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;

namespace I2M.Model.Dit;

/// <summary>
/// The original Python program's model, key for key: AdaLN by time only, raw image patches as context, zeros as the null condition. Its
/// checkpoints load here and give its numbers.
/// </summary>
public sealed class SimpleDit : DitModel
{
    private const float Eps = 1e-6f;
    /// <summary>Modulations of a norm, scale and shift, and of a block's three norms.</summary>
    private const int NormChunks = 2, BlockChunks = 3 * NormChunks;
    private readonly Parameter _melPositions, _imagePositions;
    private readonly Linear _melProjection, _imageProjection, _finalLinear;
    private readonly TimestepEmbedding _time;
    private readonly ModuleList<Block> _blocks;
    private readonly AdaptiveNorm _finalNorm;

    /// <param name="config">Sizes.</param>
    public SimpleDit(DitConfig config) : base(config)
    {
        int hidden = config.Hidden;
        _melPositions = AddParameter("pos_embed_mel", [1, config.MelTokens, hidden], Initializers.Zeros, decay: false);
        _imagePositions = AddParameter("pos_embed_img", [1, config.ImageTokens, hidden], Initializers.Zeros, decay: false);
        _melProjection = AddModule("mel_proj", NewLinear(config.MelTokenLength, hidden));
        _imageProjection = AddModule("img_proj", NewLinear(config.ImageTokenLength, hidden));
        _time = AddModule("time_embed", new TimestepEmbedding(hidden, compatSeed: true));
        _blocks = AddModule("blocks", new ModuleList<Block>(Enumerable.Range(0, config.Layers).Select(i => new Block(config, i * BlockChunks))));
        _finalNorm = AddModule("final_norm", new AdaptiveNorm(hidden, config.Layers * BlockChunks));
        _finalLinear = AddModule("final_linear", NewLinear(hidden, config.MelTokenLength));
        Modulation = Linear.Stack([.. _blocks.Items.SelectMany(block => block.ModulationLayers), _finalNorm.Layer]);
    }

    /// <inheritdoc/>
    public override ImageCondition EncodeImage(Tensor imageTokens, Tensor keep)
    {
        using Tensor nothing = Tensor.Full(imageTokens.Backend, 0, Config.ImageTokens, Config.ImageTokenLength);
        using Tensor kept = imageTokens.MixRows(keep, nothing);                    // [batch, imageTokens, imageTokenLength]
        using Tensor projected = ProjectTokens(_imageProjection, kept);            // [batch, imageTokens, hidden]
        using Tensor context = projected.AddBroadcast(_imagePositions.Value);      // [batch, imageTokens, hidden]
        using Tensor factor = context.As(Precision.Activations());                 // [batch, imageTokens, hidden]
        return new ImageCondition([.. _blocks.Items.Select(b => b.ProjectContext(factor))], null, null);
    }

    internal override IReadOnlyList<IBlock> Blocks => _blocks.Items;

    private protected override Linear Modulation { get; }

    private protected override Tensor Activate(Tensor timestepFeatures, ImageCondition condition)
    {
        using Tensor t = _time.Forward(timestepFeatures);                          // [rows, hidden]
        return t.Silu();                                                           // [rows, hidden]
    }

    private protected override Tensor DenoiseModulated(Tensor x, Tensor modulation, ImageCondition condition)
    {
        using Tensor projected = ProjectTokens(_melProjection, x);                 // [batch, melTokens, hidden]
        using Tensor h = RunBlocks(projected.AddBroadcast(_melPositions.Value), modulation, condition);
        using Tensor normed = _finalNorm.Forward(h, modulation);                   // [batch, melTokens, hidden]
        return _finalLinear.Forward(normed, result: ElementType.Float32);          // [batch, melTokens, melTokenLength]
    }

    private static Linear NewLinear(int inputs, int outputs) => new(inputs, outputs, Initializers.KaimingUniform, Initializers.UniformBias(inputs));

    /// <summary>AdaLN with its own linear layer: scale first, then shift.</summary>
    private sealed class AdaptiveNorm : Module
    {
        private readonly int _first;

        public Linear Layer { get; }

        /// <param name="hidden">Channels.</param>
        /// <param name="first">Number of the norm's first chunk in the modulation of all norms.</param>
        public AdaptiveNorm(int hidden, int first)
        {
            _first = first;
            Layer = AddModule("linear", NewLinear(hidden, NormChunks * hidden));
        }

        public Tensor Forward(Tensor x, Tensor modulation) => x.AdaLayerNorm(modulation, scaleChunk: _first, shiftChunk: _first + 1, Eps, Precision.Activations());
    }

    private sealed class Block : Module, IBlock
    {
        private readonly AdaptiveNorm _norm1, _norm2, _norm3;
        private readonly MultiHeadAttention _self, _cross;
        private readonly Mlp _mlp;

        /// <param name="config">Sizes.</param>
        /// <param name="first">Number of the block's first chunk in the modulation of all norms.</param>
        public Block(DitConfig config, int first)
        {
            int hidden = config.Hidden;
            Recomputed = inputs => Forward(inputs[0], inputs[1], inputs[2]);
            _norm1 = AddModule("norm1", new AdaptiveNorm(hidden, first));
            _self = AddModule("attn1", new MultiHeadAttention(hidden, config.Heads, Initializers.KaimingUniform));
            _norm2 = AddModule("norm2", new AdaptiveNorm(hidden, first + NormChunks));
            _cross = AddModule("attn2", new MultiHeadAttention(hidden, config.Heads, Initializers.KaimingUniform));
            _norm3 = AddModule("norm3", new AdaptiveNorm(hidden, first + 2 * NormChunks));
            _mlp = AddModule("mlp", new Mlp(hidden, 4 * hidden, config.GeluTanh, Initializers.KaimingUniform, Initializers.UniformBias));
        }

        public Func<IReadOnlyList<Tensor>, Tensor> Recomputed { get; }

        public IEnumerable<Linear> ModulationLayers => [_norm1.Layer, _norm2.Layer, _norm3.Layer];

        public Tensor ProjectContext(Tensor context) => _cross.ProjectContext(context);

        public Tensor Forward(Tensor x, Tensor modulation, Tensor kv)
        {
            using Tensor n1 = _norm1.Forward(x, modulation);
            using Tensor x1 = _self.AddSelf(n1, x);
            using Tensor n2 = _norm2.Forward(x1, modulation);
            using Tensor x2 = _cross.ForwardProjected(n2, kv, x1);
            using Tensor n3 = _norm3.Forward(x2, modulation);
            return _mlp.Forward(n3, x2);
        }
    }
}
