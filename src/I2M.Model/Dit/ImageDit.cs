using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;

namespace I2M.Model.Dit;

/// <summary>
/// The default model: a DiT (Peebles &amp; Xie 2023) with adaLN-Zero over timestep + picture, and cross-attention to an image tower. What a
/// picture says arrives twice: as tokens for cross-attention and as a pooled vector in every modulation. A learned null context stands in for a
/// dropped picture.
/// </summary>
public sealed class ImageDit : DitModel
{
    private const float Eps = 1e-6f;
    /// <summary>Modulations of a block: shift, scale and gate of three branches.</summary>
    private const int BlockChunks = 9;
    private readonly Parameter _melPositions, _imagePositions, _nullContext;
    private readonly Linear _melProjection, _imageProjection, _poolProjection, _finalLinear;
    private readonly Linear? _classHead;
    private readonly TimestepEmbedding _time;
    private readonly ModuleList<TowerBlock> _tower;
    private readonly LayerNorm _imageNorm;
    private readonly ModuleList<Block> _blocks;

    /// <param name="config">Sizes.</param>
    public ImageDit(DitConfig config) : base(config)
    {
        int hidden = config.Hidden;
        Initializer melPositions = Initializers.SinCos2D(config.MelBands / config.MelPatchBands, config.MelFrames / config.MelPatchFrames);
        Initializer imagePositions = Initializers.SinCos2D(config.ImageSize / config.ImagePatch, config.ImageSize / config.ImagePatch);
        _melPositions = AddParameter("pos_embed_mel", [1, config.MelTokens, hidden], melPositions, decay: false);
        _imagePositions = AddParameter("pos_embed_img", [1, config.ImageTokens, hidden], imagePositions, decay: false);
        _nullContext = AddParameter("null_context", [1, config.ImageTokens, hidden], Initializers.Normal(0.02), decay: false);
        _melProjection = AddModule("mel_proj", new Linear(config.MelTokenLength, hidden, Initializers.XavierUniform));
        _imageProjection = AddModule("img_proj", new Linear(config.ImageTokenLength, hidden, Initializers.XavierUniform));
        _time = AddModule("time_embed", new TimestepEmbedding(hidden, compatSeed: false));
        _tower = AddModule("image_tower", new ModuleList<TowerBlock>(Enumerable.Range(0, config.ImageTowerLayers).Select(_ => new TowerBlock(config))));
        _imageNorm = AddModule("image_norm", new LayerNorm(hidden, Eps));
        _poolProjection = AddModule("pool_proj", new Linear(hidden, hidden, Initializers.Normal(0.02)));
        if (config.ClassCount > 0) { _classHead = AddModule("class_head", new Linear(hidden, config.ClassCount, Initializers.XavierUniform)); }
        _blocks = AddModule("blocks", new ModuleList<Block>(Enumerable.Range(0, config.Layers).Select(i => new Block(config, i * BlockChunks))));
        Linear finalModulation = AddModule("final_modulation", new Linear(hidden, 2 * hidden, Initializers.Zeros));
        _finalLinear = AddModule("final_linear", new Linear(hidden, config.MelTokenLength, Initializers.Zeros));
        Modulation = Linear.Stack([.. _blocks.Items.Select(block => block.Modulation), finalModulation]);
    }

    /// <inheritdoc/>
    public override ImageCondition EncodeImage(Tensor imageTokens, Tensor keep)
    {
        using Tensor projected = ProjectTokens(_imageProjection, imageTokens);     // [batch, imageTokens, hidden]
        Tensor h = projected.AddBroadcast(_imagePositions.Value);                  // [batch, imageTokens, hidden]
        foreach (TowerBlock block in _tower.Items)
        {
            Tensor next = RecomputesBlocks ? Recompute.Run(block.Recomputed, h) : block.Forward(h);
            h.Dispose();
            h = next;
        }
        using Tensor normed = _imageNorm.Forward(h);                               // [batch, imageTokens, hidden]
        h.Dispose();
        using Tensor context = normed.MixRows(keep, _nullContext.Value);           // [batch, imageTokens, hidden]
        using Tensor mean = context.MeanTokens();                                  // [batch, hidden]
        using Tensor factor = context.As(Precision.Activations());                 // [batch, imageTokens, hidden]
        return new ImageCondition([.. _blocks.Items.Select(b => b.ProjectContext(factor))], _poolProjection.Forward(mean), Classify(normed));
    }

    internal override IReadOnlyList<IBlock> Blocks => _blocks.Items;

    private protected override Linear Modulation { get; }

    private protected override Tensor Activate(Tensor timestepFeatures, ImageCondition condition)
    {
        using Tensor t = _time.Forward(timestepFeatures);                          // [rows, hidden]
        using Tensor c = t.Length == condition.Pooled!.Length ? t.Add(condition.Pooled) : t.AddBroadcast(condition.Pooled);
        return c.Silu();                                                           // [rows, hidden]
    }

    private protected override Tensor DenoiseModulated(Tensor x, Tensor modulation, ImageCondition condition)
    {
        using Tensor projected = ProjectTokens(_melProjection, x);                 // [batch, melTokens, hidden]
        using Tensor h = RunBlocks(projected.AddBroadcast(_melPositions.Value), modulation, condition);
        int final = _blocks.Items.Count * BlockChunks;                             // the chunks after the blocks': shift, scale
        using Tensor normed = h.AdaLayerNorm(modulation, scaleChunk: final + 1, shiftChunk: final, Eps, Precision.Activations());
        return _finalLinear.Forward(normed, result: ElementType.Float32);          // [batch, melTokens, melTokenLength]
    }

    private Tensor? Classify(Tensor imageTokens)
    {
        if (_classHead is null) { return null; }
        using Tensor mean = imageTokens.MeanTokens();                              // [batch, hidden]
        return _classHead.Forward(mean);                                           // [batch, classes]
    }

    /// <summary>A pre-norm transformer layer over image tokens.</summary>
    private sealed class TowerBlock : Module
    {
        private readonly LayerNorm _norm1, _norm2;
        private readonly MultiHeadAttention _attention;
        private readonly Mlp _mlp;

        public TowerBlock(DitConfig config)
        {
            Recomputed = inputs => Forward(inputs[0]);
            _norm1 = AddModule("norm1", new LayerNorm(config.Hidden, Eps));
            _attention = AddModule("attn", new MultiHeadAttention(config.Hidden, config.Heads, Initializers.XavierUniform));
            _norm2 = AddModule("norm2", new LayerNorm(config.Hidden, Eps));
            _mlp = AddModule("mlp", new Mlp(config.Hidden, 4 * config.Hidden, config.GeluTanh, Initializers.XavierUniform, static _ => Initializers.Zeros));
        }

        public Func<IReadOnlyList<Tensor>, Tensor> Recomputed { get; }

        public Tensor Forward(Tensor x)
        {
            using Tensor n1 = _norm1.Forward(x, Precision.Activations());
            using Tensor x1 = _attention.AddSelf(n1, x);
            using Tensor n2 = _norm2.Forward(x1, Precision.Activations());
            return _mlp.Forward(n2, x1);
        }
    }

    /// <summary>adaLN-Zero block: self-attention, cross-attention, MLP, each with shift, scale and gate. A branch's end and the next one's norm are one pass.</summary>
    private sealed class Block : Module, IBlock
    {
        private readonly int _first;
        private readonly MultiHeadAttention _self, _cross;
        private readonly Mlp _mlp;

        /// <param name="config">Sizes.</param>
        /// <param name="first">Number of the block's first chunk in the modulation of all blocks.</param>
        public Block(DitConfig config, int first)
        {
            int hidden = config.Hidden;
            _first = first;
            Recomputed = inputs => Forward(inputs[0], inputs[1], inputs[2]);
            Modulation = AddModule("adaLN_modulation", new Linear(hidden, BlockChunks * hidden, Initializers.Zeros));
            _self = AddModule("attn1", new MultiHeadAttention(hidden, config.Heads, Initializers.XavierUniform));
            _cross = AddModule("attn2", new MultiHeadAttention(hidden, config.Heads, Initializers.XavierUniform));
            _mlp = AddModule("mlp", new Mlp(hidden, 4 * hidden, config.GeluTanh, Initializers.XavierUniform, static _ => Initializers.Zeros));
        }

        public Func<IReadOnlyList<Tensor>, Tensor> Recomputed { get; }

        public Linear Modulation { get; }

        public Tensor ProjectContext(Tensor context) => _cross.ProjectContext(context);

        public Tensor Forward(Tensor x, Tensor modulation, Tensor kv)
        {
            ElementType type = Precision.Activations();
            using Tensor n1 = x.AdaLayerNorm(modulation, scaleChunk: _first + 1, shiftChunk: _first, Eps, type);
            using Tensor a1 = _self.Forward(n1);
            using ResidualNorm x1 = x.ResidualAdaLayerNorm(a1, modulation, gateChunk: _first + 2, scaleChunk: _first + 4, shiftChunk: _first + 3, Eps, type);
            using Tensor a2 = _cross.ForwardProjected(x1.Normed, kv);
            using ResidualNorm x2 = x1.Sum.ResidualAdaLayerNorm(a2, modulation, gateChunk: _first + 5, scaleChunk: _first + 7, shiftChunk: _first + 6, Eps, type);
            using Tensor h = _mlp.Forward(x2.Normed);
            return x2.Sum.GatedResidual(h, modulation, chunk: _first + 8);
        }
    }
}
