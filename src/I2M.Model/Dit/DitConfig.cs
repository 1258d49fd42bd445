using I2M.Kernels;

namespace I2M.Model.Dit;

/// <summary>Sizes and variant of a diffusion transformer; stored in every checkpoint.</summary>
public sealed record DitConfig
{
    /// <summary>True builds the original Python program's model (its keys, order and numbers); false the default with adaLN-Zero and an image tower.</summary>
    public bool CompatSeed { get; init; }
    /// <summary>Mel bands.</summary>
    public int MelBands { get; init; } = 100;
    /// <summary>Mel frames; 280 are 2.976 s of speech at 24 kHz and hop 256.</summary>
    public int MelFrames { get; init; } = 280;
    /// <summary>Bands per mel token.</summary>
    public int MelPatchBands { get; init; } = 4;
    /// <summary>Frames per mel token.</summary>
    public int MelPatchFrames { get; init; } = 8;
    /// <summary>Width and height in pixels of the picture that the model sees.</summary>
    public int ImageSize { get; init; } = 512;
    /// <summary>Width and height in pixels of an image token.</summary>
    public int ImagePatch { get; init; } = 16;
    /// <summary>Channels of the residual stream.</summary>
    public int Hidden { get; init; } = 768;
    /// <summary>Transformer blocks.</summary>
    public int Layers { get; init; } = 12;
    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 12;
    /// <summary>Self-attention layers over the image tokens; the compatible model has none.</summary>
    public int ImageTowerLayers { get; init; } = 3;
    /// <summary>Classes of the auxiliary classification head on the image tower; 0 leaves it out.</summary>
    public int ClassCount { get; init; }
    /// <summary>GELU's tanh form instead of the exact one.</summary>
    public bool GeluTanh { get; init; }

    /// <summary>The mel as one "picture" with patches of bands × frames.</summary>
    public PatchShape MelPatches(int batch) => new(batch, 1, MelBands, MelFrames, MelPatchBands, MelPatchFrames);

    /// <summary>The picture's patches.</summary>
    public PatchShape ImagePatches(int batch) => new(batch, 3, ImageSize, ImageSize, ImagePatch, ImagePatch);

    /// <summary>Mel tokens per sample.</summary>
    public int MelTokens => MelPatches(1).Tokens;
    /// <summary>Values per mel token.</summary>
    public int MelTokenLength => MelPatches(1).TokenLength;
    /// <summary>Image tokens per sample.</summary>
    public int ImageTokens => ImagePatches(1).Tokens;
    /// <summary>Values per image token.</summary>
    public int ImageTokenLength => ImagePatches(1).TokenLength;

    /// <summary>Checks that the sizes fit together.</summary>
    /// <exception cref="I2MException">Names the field, its value and what was expected.</exception>
    public DitConfig Validated()
    {
        Require(MelBands > 0 && MelFrames > 0 && MelPatchBands > 0 && MelPatchFrames > 0, "melBands, melFrames and the mel patch are positive");
        Require(MelBands <= 1024 && MelFrames <= 65536, $"melBands {MelBands} is at most 1024 and melFrames {MelFrames} at most 65536");
        Require(ImageSize <= 4096, $"imageSize {ImageSize} is at most 4096");
        Require(Hidden <= 16384, $"hidden {Hidden} is at most 16384");
        Require(Layers <= 512 && ImageTowerLayers <= 512, $"layers {Layers} and imageTowerLayers {ImageTowerLayers} are at most 512");
        Require(MelBands % MelPatchBands == 0, $"melPatchBands {MelPatchBands} divides melBands {MelBands}");
        Require(MelFrames % MelPatchFrames == 0, $"melPatchFrames {MelPatchFrames} divides melFrames {MelFrames}");
        Require(ImagePatch > 0 && ImageSize > 0 && ImageSize % ImagePatch == 0, $"imagePatch {ImagePatch} divides imageSize {ImageSize}");
        Require(Heads > 0 && Hidden > 0 && Hidden % Heads == 0, $"heads {Heads} divides hidden {Hidden}");
        Require(Hidden / Math.Max(1, Heads) <= 128, $"hidden {Hidden} / heads {Heads} is at most 128");
        Require(Hidden % 4 == 0, $"hidden {Hidden} is a multiple of 4, for the two-dimensional positions");
        Require(Layers > 0 && ImageTowerLayers >= 0 && ClassCount >= 0, "layers is positive, imageTowerLayers and classCount are not negative");
        return this;
    }

    private static void Require(bool condition, string expectation)
    {
        if (!condition) { throw new I2MException($"model config: expected that {expectation}"); }
    }
}

/// <summary>The named sizes.</summary>
public static class DitPresets
{
    /// <summary>Preset names from small to large.</summary>
    public static IReadOnlyList<string> Names { get; } = ["nano", "micro", "small", "full", "large"];

    /// <summary>A preset by name.</summary>
    /// <exception cref="I2MException">Unknown name.</exception>
    public static DitConfig Get(string name, bool compatSeed = false) => (name switch
    {
        "nano" => new DitConfig { ImageSize = 64, ImagePatch = 16, MelPatchBands = 100, MelPatchFrames = 8, Hidden = 128, Layers = 3, Heads = 4, ImageTowerLayers = 2 },
        "micro" => new DitConfig { ImageSize = 96, ImagePatch = 8, MelPatchBands = 10, MelPatchFrames = 8, Hidden = 192, Layers = 4, Heads = 6, ImageTowerLayers = 3 },
        "small" => new DitConfig { ImageSize = 224, ImagePatch = 16, MelPatchBands = 10, MelPatchFrames = 8, Hidden = 384, Layers = 8, Heads = 6, ImageTowerLayers = 4 },
        "full" => new DitConfig(),
        "large" => new DitConfig { Hidden = 1024, Layers = 16, Heads = 16, ImageTowerLayers = 4 },
        _ => throw new I2MException($"--preset {name}: expected one of {string.Join(", ", Names)}"),
    }) with
    { CompatSeed = compatSeed };
}
