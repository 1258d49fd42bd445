using I2M.Kernels;
using I2M.Model.Benchmarks.Cases;
using I2M.Model.Diffusion;
using I2M.Model.Dit;
using I2M.Model.Training;
using I2M.Model.Vocos;
using I2M.Model.Vocos.Training;

namespace I2M.Model.Benchmarks;

/// <summary>The cases by device. Shapes are those of the full model: 768 wide, 12 heads of 64, 875 mel tokens, 1024 image tokens.</summary>
public static class BenchmarkCatalog
{
    private const int Hidden = 768, MlpHidden = 3072, Heads = 12, HeadDim = 64, MelTokens = 875, ImageTokens = 1024, ManyRows = 7000;
    /// <summary>33.5 million weights: with gradients and moments 512 MiB, beyond any cache.</summary>
    private const long ArenaLength = 32L << 20;
    /// <summary>2.997 s at 24 kHz and hop 256.</summary>
    private const int MelFrames = 282;

    private static readonly BenchmarkEntry[] s_cases =
    [
        new("gemm_256", b => Square(b, 256)),
        new("gemm_768", b => Square(b, 768)),
        new("gemm_1536", b => Square(b, 1536)),
        new("linear_875x768x3072_gelu", b => new LinearGeluCase(b, MelTokens, Hidden, MlpHidden)),
        new("attention_self_fwd", b => new AttentionCase(b, Attention(MelTokens), AttentionPasses.Forward)),
        new("attention_cross_fwd", b => new AttentionCase(b, Attention(ImageTokens), AttentionPasses.Forward)),
        new("attention_self_fwd_bwd", b => new AttentionCase(b, Attention(MelTokens), AttentionPasses.Both)),
        new("layer_norm_7000x768", b => new LayerNormCase(b, ManyRows, Hidden)),
        new("adamw", b => new AdamWCase(b, ArenaLength)),
        new("vocos_decode_3s", b => new VocosCase(b, MelFrames)),
        new("vocos_small_decode_3s", b => new VocosCase(b, MelFrames, config: VocoderConfig.Small)),
        new("train_step_small_b8", b => new TrainStepCase(b, SmallCompat, inDouble: true)),
        new("train_step_full_b1", b => new TrainStepCase(b, Full, inDouble: false)),
        new("ddim_step_full_cfg", b => new DdimStepCase(b, DitPresets.Get("full"))),
    ];

    /// <summary>Those that a GPU runs beside its own: whole steps.</summary>
    private static readonly string[] s_steps = ["vocos_decode_3s", "train_step_full_b1", "ddim_step_full_cfg"];

    /// <summary>The processor's cases.</summary>
    public static BenchmarkSuite Host { get; } = new("host", s_cases, [.. s_cases.Select(c => c.Name)]);

    /// <summary>The processor's cases by name.</summary>
    public static IReadOnlyList<string> Names => Host.Names;

    /// <summary>What a backend can run: on a GPU G0 to G13 at the sizes that suit it, then the processor's cases. An OpenCL driver for processors leaves out whole steps unless asked.</summary>
    public static BenchmarkSuite For(IBackend backend) => For(backend, DeviceSizes.For(backend));

    /// <summary>As above, at given sizes.</summary>
    public static BenchmarkSuite For(IBackend backend, DeviceSizes sizes)
    {
        if (backend is not IDeviceProbe probe) { return Host; }
        BenchmarkEntry[] own = [.. DeviceCatalog.Cases(probe, sizes)];
        IEnumerable<string> standard = own.Select(c => c.Name);
        return new BenchmarkSuite(backend.Name, [.. own, .. s_cases], [.. probe.IsProcessor ? standard : standard.Concat(s_steps)]);
    }

    private static GemmCase Square(IBackend backend, int n) => new(backend, new GemmShape(GemmLayout.NN, n, n, n));

    private static AttentionShape Attention(int keys) => new(1, Heads, MelTokens, keys, HeadDim, 0.125f);

    /// <summary>The original's network with 350 mel tokens of 80 values, 64 image tokens of 192 values, 256 wide, 4 layers, 4 heads; batch 8.</summary>
    private static TrainConfig SmallCompat => new()
    {
        Model = new DitConfig { CompatSeed = true, MelPatchBands = 10, MelPatchFrames = 8, ImageSize = 64, ImagePatch = 8, Hidden = 256, Layers = 4, Heads = 4 },
        Diffusion = DiffusionConfig.CompatSeed,
        BatchSize = 8,
        WarmupSteps = 0,
    };

    private static TrainConfig Full => TrainPresets.Get("full") with { BatchSize = 1, WarmupSteps = 0 };
}
