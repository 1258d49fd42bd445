namespace I2M.KernelGenerator.Flash;

/// <summary>A kernel's tiles and its file.</summary>
/// <param name="Shape">The tiles.</param>
/// <param name="File">The file; its class is named as the file.</param>
internal sealed record FlashKernel(FlashShape Shape, GeneratedFile File);

/// <summary>
/// Attention on tensor cores, forward and in two passes backward, for heads of 32, 64, 96 and 128 channels, and the table by which the backend finds the
/// kernels.
/// </summary>
internal static class FlashFamily
{
    private const string Addresses = "long, long, long, long, long";

    /// <summary>The family's files.</summary>
    public static IEnumerable<GeneratedFile> Files()
    {
        FlashKernel[] forward = [.. FlashForward.Kernels()], keys = [.. FlashBackwardKeys.Kernels()], queries = [.. FlashBackwardQueries.Kernels()];
        return [.. forward.Concat(keys).Concat(queries).Select(kernel => kernel.File), Table(forward, keys, queries)];
    }

    private static GeneratedFile Table(FlashKernel[] forward, FlashKernel[] keys, FlashKernel[] queries)
    {
        var w = new SourceWriter("Flash/FlashFamily.cs");
        w.Line("/// <summary>The generated kernels of attention, by width of a head and rows of a block.</summary>");
        w.Open("internal static class FlashTable");
        Map(w, "The forward pass.", "Forward", $"Action<{Addresses}, AttentionShape, int>", forward);
        Map(w.Line(), "The backward pass of keys and values.", "Keys", $"Action<{Addresses}, long, long, AttentionShape, int, int>", keys);
        Map(w.Line(), "The backward pass of queries.", "Queries", $"Action<{Addresses}, long, AttentionShape, int, int>", queries);
        w.Close();
        return new GeneratedFile("FlashTable.cs", w.ToString());
    }

    private static void Map(SourceWriter w, string summary, string method, string action, FlashKernel[] kernels)
    {
        w.Line($"/// <summary>{summary}</summary>");
        w.Line($"public static IReadOnlyDictionary<(int Width, FlashTile Tile), {action}> {method} {{ get; }} = new Dictionary<(int, FlashTile), {action}>");
        w.Line("{");
        foreach (FlashKernel kernel in kernels)
        {
            w.Line($"    [({kernel.Shape.HeadDim}, FlashTile.Rows{kernel.Shape.Rows})] = {Path.GetFileNameWithoutExtension(kernel.File.Name)}.{method},");
        }
        w.Line("};");
    }
}
