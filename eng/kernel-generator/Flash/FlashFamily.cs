namespace I2M.KernelGenerator.Flash;

/// <summary>Attention on tensor cores, forward and in two passes backward, for heads of 32, 64, 96 and 128 channels.</summary>
internal static class FlashFamily
{
    /// <summary>A file for each kernel and width of a head.</summary>
    public static IEnumerable<GeneratedFile> Files() => [.. FlashForward.Files(), .. FlashBackwardKeys.Files(), .. FlashBackwardQueries.Files()];
}
