namespace I2M.KernelGenerator.Gemm;

/// <summary>The matrix products: which tiles there are, and the table by which the backend finds them.</summary>
internal static class GemmFamily
{
    private static readonly string[] s_layouts = ["NN", "NT", "TN"];

    /// <summary>Layouts with a factor that does not lie along k.</summary>
    private static readonly string[] s_alignedLayouts = ["NN", "TN", "TT"];

    /// <summary>Name in the enumeration CudaGemmTile, and tile. tf32 has half as many elements in the same bytes.</summary>
    private static readonly (string Name, GemmTile Tile, bool Tf32)[] s_tiles =
    [
        ("Tile64x64", new GemmTile(64, 64, 128, 32, 32, 3), true),
        ("Tile128x128", new GemmTile(128, 128, 64, 64, 64, 3), false),
        ("Tile128x128Deep", new GemmTile(128, 128, 128, 64, 64, 3), true),
        ("Tile128x256", new GemmTile(128, 256, 64, 64, 64, 4), false),
    ];

    /// <summary>The family's files.</summary>
    public static IEnumerable<GeneratedFile> Files()
    {
        var kernels = Tensor().ToList();
        foreach (var (_, _, kernel) in kernels) { yield return kernel.File(); }
        string[] layouts = [.. s_layouts, "TT"];
        foreach (string layout in layouts) { yield return new SimtGemm(layout, Aligned: false).File(); }
        foreach (string layout in s_alignedLayouts) { yield return new SimtGemm(layout, Aligned: true).File(); }
        yield return Table(kernels, layouts);
    }

    private static IEnumerable<(string Tile, string Layout, TensorGemm Kernel)> Tensor() =>
        from bf16 in new[] { true, false }
        from tile in s_tiles
        where bf16 || tile.Tf32
        from layout in s_layouts
        select (tile.Name, layout, new TensorGemm(bf16, layout, tile.Tile));

    private static GeneratedFile Table(List<(string Tile, string Layout, TensorGemm Kernel)> kernels, string[] simtLayouts)
    {
        const string action = "Action<long, long, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, CudaGemmSizes>";
        var w = new SourceWriter("Gemm/GemmFamily.cs", "ILGPU");
        w.Line("/// <summary>The generated products.</summary>");
        w.Open("internal static class CudaGemmTable");
        w.Line("/// <summary>On tensor cores, by type of the factors (bfloat16, or float32 as tf32), layout and tile.</summary>");
        w.Line($"public static IReadOnlyDictionary<(ElementType Type, GemmLayout Layout, CudaGemmTile Tile), {action}> Tensor {{ get; }} =");
        w.Line($"    new Dictionary<(ElementType, GemmLayout, CudaGemmTile), {action}>");
        w.Line("    {");
        foreach (var (tile, layout, kernel) in kernels)
        {
            w.Line($"        [(ElementType.{(kernel.Bf16 ? "BFloat16" : "Float32")}, GemmLayout.{layout}, CudaGemmTile.{tile})] = TensorGemmKernels.{kernel.Name},");
        }
        w.Line("    };").Line();
        Simt(w, action, "In full float32, by layout.", "Simt", simtLayouts, aligned: false);
        w.Line();
        Simt(w, action, "As <see cref=\"Simt\"/> where the rows of factors that do not lie along k start at multiples of 16 bytes.", "SimtAligned", s_alignedLayouts, aligned: true);
        w.Close();
        return new GeneratedFile("CudaGemmTable.cs", w.ToString());
    }

    private static void Simt(SourceWriter w, string action, string summary, string name, string[] layouts, bool aligned)
    {
        w.Line($"/// <summary>{summary}</summary>");
        w.Line($"public static IReadOnlyDictionary<GemmLayout, {action}> {name} {{ get; }} = new Dictionary<GemmLayout, {action}>");
        w.Line("    {");
        foreach (string layout in layouts) { w.Line($"        [GemmLayout.{layout}] = SimtGemmKernels.{new SimtGemm(layout, aligned).Name},"); }
        w.Line("    };");
    }
}
