using I2M.Kernels;
using I2M.Model.Io;

namespace I2M.Model.Vocos;

/// <summary>
/// The vocoder that speaks unless another one is asked for. Its weights, bfloat16, lie in this assembly, so that programs, packages and bundles have it wherever they
/// are copied to; the file beside them says how they were made.
/// </summary>
public static class ShippedVocoder
{
    /// <summary>The weights' file.</summary>
    public const string FileName = "vocos-espeak.safetensors";

    private static readonly Lazy<VocosConfig?> s_config = new(() =>
    {
        if (!IsPresent) { return null; }
        using SafetensorsFile file = Open();
        return VocosLoader.ReadOwnConfig(FileName, file);
    });

    /// <summary>Whether this build has it.</summary>
    public static bool IsPresent { get; } = typeof(ShippedVocoder).Assembly.GetManifestResourceInfo(FileName) is not null;

    /// <summary>Its sizes and mels; null where this build lacks it.</summary>
    public static VocosConfig? Config => s_config.Value;

    /// <summary>Loads it.</summary>
    /// <param name="backend">Where to compute.</param>
    /// <exception cref="I2MException">This build lacks it.</exception>
    public static VocosVocoder Load(IBackend backend)
    {
        if (!IsPresent) { throw new I2MException($"vocoder: this build lacks {FileName}"); }
        using SafetensorsFile file = Open();
        return VocosLoader.LoadOwn(backend, FileName, file, "built in");
    }

    private static SafetensorsFile Open()
    {
        using Stream stream = typeof(ShippedVocoder).Assembly.GetManifestResourceStream(FileName)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return SafetensorsFile.FromBytes(FileName, bytes);
    }
}
