using I2M.Kernels;
using I2M.Model.Benchmarks.Cases;
using I2M.Model.Diffusion;
using I2M.Model.Dit;
using I2M.Model.Training;

namespace I2M.Model.Benchmarks;

/// <summary>The cases by name. Shapes are those of the full model: 768 wide, 12 heads of 64, 875 mel tokens, 1024 image tokens.</summary>
public static class BenchmarkCatalog
{
    private const int Hidden = 768, MlpHidden = 3072, Heads = 12, HeadDim = 64, MelTokens = 875, ImageTokens = 1024, ManyRows = 7000;
    /// <summary>33.5 million weights: with gradients and moments 512 MiB, beyond any cache.</summary>
    private const long ArenaLength = 32L << 20;
    /// <summary>2.997 s at 24 kHz and hop 256.</summary>
    private const int MelFrames = 282;

    private static readonly (string Name, Func<IBackend, BenchmarkCase> Create)[] s_cases =
    [
        ("gemm_256", b => Square(b, 256)),
        ("gemm_768", b => Square(b, 768)),
        ("gemm_1536", b => Square(b, 1536)),
        ("linear_875x768x3072_gelu", b => new LinearGeluCase(b, MelTokens, Hidden, MlpHidden)),
        ("attention_self_fwd", b => new AttentionCase(b, Attention(MelTokens), backward: false)),
        ("attention_cross_fwd", b => new AttentionCase(b, Attention(ImageTokens), backward: false)),
        ("attention_self_fwd_bwd", b => new AttentionCase(b, Attention(MelTokens), backward: true)),
        ("layer_norm_7000x768", b => new LayerNormCase(b, ManyRows, Hidden)),
        ("adamw", b => new AdamWCase(b, ArenaLength)),
        ("vocos_decode_3s", b => new VocosCase(b, MelFrames)),
        ("train_step_small_b8", b => new TrainStepCase(b, SmallCompat, inDouble: true)),
        ("train_step_full_b1", b => new TrainStepCase(b, Full, inDouble: false)),
        ("ddim_step_full_cfg", b => new DdimStepCase(b, DitPresets.Get("full"))),
    ];

    /// <summary>All names, in the order in which they run.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. s_cases.Select(c => c.Name)];

    /// <summary>What an OpenCL device runs unless told otherwise: an OpenCL driver for processors needs minutes for the rest.</summary>
    public static IReadOnlyList<string> Short { get; } = ["gemm_256", "gemm_768", "attention_self_fwd", "layer_norm_7000x768"];

    /// <summary>The cases of a comma-separated list; "all" takes every one, null what suits the device.</summary>
    /// <param name="names">The list.</param>
    /// <param name="device">Backend's name.</param>
    /// <exception cref="I2MException">An unknown name: lists the known ones.</exception>
    public static IReadOnlyList<string> Select(string? names, string device)
    {
        if (names is null) { return device == "opencl" ? Short : Names; }
        string[] chosen = names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string? unknown = chosen.Length == 0 ? names : chosen.FirstOrDefault(n => n != "all" && !Names.Contains(n));
        if (unknown is not null) { throw new I2MException($"--cases {unknown}: expected all or some of {string.Join(",", Names)}"); }
        return chosen.Contains("all") ? Names : [.. chosen.Distinct()];
    }

    /// <summary>Makes a case.</summary>
    /// <exception cref="I2MException">Unknown name.</exception>
    public static Func<IBackend, BenchmarkCase> Get(string name) =>
        s_cases.FirstOrDefault(c => c.Name == name).Create ?? throw new I2MException($"bench: {name}: expected one of {string.Join(",", Names)}");

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
