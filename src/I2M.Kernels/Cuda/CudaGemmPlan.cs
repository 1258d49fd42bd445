namespace I2M.Kernels.Ilgpu;

/// <summary>The tiles of the generated products (eng/kernel-generator, GemmFamily).</summary>
internal enum CudaGemmTile
{
    /// <summary>64×64, 4 warps of 32×32, 48 KB: few rows or columns.</summary>
    Tile64x64,
    /// <summary>128×128, 4 warps of 64×64, 64 bytes of k a stage, 48 KB: devices with little shared memory.</summary>
    Tile128x128,
    /// <summary>128×128, 4 warps of 64×64, 128 bytes of k a stage, 96 KB.</summary>
    Tile128x128Deep,
    /// <summary>128×256, 8 warps of 64×64, 64 bytes of k a stage, 96 KB: a third less to read for the same work.</summary>
    Tile128x256,
}

/// <summary>Which kernels a product takes.</summary>
internal enum CudaGemmPath
{
    /// <summary>The generated kernels on tensor cores.</summary>
    TensorCores,
    /// <summary>float32 in full by the generated kernels of 128×128; an activation is a pass of its own.</summary>
    Simt,
    /// <summary>float32 in full by the portable kernels.</summary>
    Portable,
    /// <summary>bfloat16 views widened into scratch, then <see cref="Simt"/> or <see cref="Portable"/>.</summary>
    Widened,
}

/// <summary>How a product runs on CUDA.</summary>
/// <param name="Path">Its kernels.</param>
/// <param name="Tile">The tile on tensor cores.</param>
/// <param name="SplitDepth">Steps of k a part when the sum is split, a multiple of <see cref="SplitStep"/>; else 0.</param>
/// <param name="Reason">Why, in a few words.</param>
internal readonly record struct CudaGemmPlan(CudaGemmPath Path, CudaGemmTile Tile, int SplitDepth, string Reason)
{
    /// <summary>Parts of a split sum begin at multiples of so many steps: whole stages of every tile.</summary>
    public const int SplitStep = 64;

    /// <summary>Groups that keep a large GPU busy: two on each of 132 multiprocessors.</summary>
    private const int TargetGroups = 264;

    /// <summary>Shortest part of a split sum: below it the second pass costs more than it saves.</summary>
    private const int MinSplitDepth = 512;

    /// <summary>
    /// The longest sum that the float32 product adds up in one accumulator; a longer one is closed there and added to c. Rounding errors of random sums grow like
    /// the root of their length, to about 1e-6 of the result's norm at this one.
    /// </summary>
    public const int SimtDepth = 4096;

    /// <summary>Shared memory of the tiles with 128 bytes of k or 256 columns.</summary>
    private const int LargeSharedBytes = 96 * 1024;

    /// <summary>The choice, by types, alignment and sizes.</summary>
    public static CudaGemmPlan For(BufferView a, BufferView b, in GemmShape shape, int sharedBytes)
    {
        bool narrow = a.Type == ElementType.BFloat16;
        if (!narrow && shape.Precision == MatmulPrecision.Float32) { return Float32(shape, "full float32 precision is wanted"); }
        string? obstacle = shape.Layout == GemmLayout.TT ? "there is no tensor-core kernel for two transposed factors"
            : !IsAligned(a, shape.LeadingA, shape.StrideA, shape.Batch) ? "rows of a do not start at multiples of 16 bytes"
            : !IsAligned(b, shape.LeadingB, shape.StrideB, shape.Batch) ? "rows of b do not start at multiples of 16 bytes" : null;
        if (obstacle is not null) { return narrow ? new(CudaGemmPath.Widened, default, 0, obstacle) : Float32(shape, obstacle); }
        return Default(a.Type, shape, sharedBytes);
    }

    /// <summary>The tile by sizes, for aligned factors that have tensor-core kernels.</summary>
    public static CudaGemmPlan Default(ElementType type, in GemmShape shape, int sharedBytes)
    {
        bool narrow = type == ElementType.BFloat16, large = sharedBytes >= LargeSharedBytes;
        if (shape.M <= 64 || shape.N <= 64) { return Split(CudaGemmTile.Tile64x64, 64, 64, shape, "few rows or columns"); }
        if (!large && !narrow) { return Split(CudaGemmTile.Tile64x64, 64, 64, shape, "tf32 with little shared memory"); }
        if (!large) { return Split(CudaGemmTile.Tile128x128, 128, 128, shape, "little shared memory"); }
        if (narrow && shape.N >= 256 && Groups(shape, 128, 256) >= TargetGroups) { return new(CudaGemmPath.TensorCores, CudaGemmTile.Tile128x256, 0, "enough tiles of 128×256"); }
        CudaGemmPlan deep = Split(CudaGemmTile.Tile128x128Deep, 128, 128, shape, "tiles of 128×128");
        bool idle = deep.SplitDepth == 0 && Groups(shape, 128, 128) < TargetGroups / 2;
        return idle ? Split(CudaGemmTile.Tile64x64, 64, 64, shape, "too few tiles of 128×128 to fill the device") : deep;
    }

    /// <summary>A given tile, for tuning.</summary>
    public static CudaGemmPlan With(CudaGemmTile tile, in GemmShape shape, string reason) => tile switch
    {
        CudaGemmTile.Tile64x64 => Split(tile, 64, 64, shape, reason),
        CudaGemmTile.Tile128x256 => Split(tile, 128, 256, shape, reason),
        _ => Split(tile, 128, 128, shape, reason),
    };

    /// <summary>The choice for float32 in full.</summary>
    public static CudaGemmPlan Float32(in GemmShape shape, string reason)
    {
        if (shape.M <= 64 || shape.N <= 64) { return new(CudaGemmPath.Portable, default, 0, reason); }
        CudaGemmPlan plan = Split(CudaGemmTile.Tile128x128, 128, 128, shape, reason) with { Path = CudaGemmPath.Simt };
        if (plan.SplitDepth == 0 && Groups(shape, 128, 128) < TargetGroups / 4) { return new(CudaGemmPath.Portable, default, 0, reason); }
        return plan with { SplitDepth = Math.Min(plan.SplitDepth, SimtDepth) };
    }

    /// <summary>The tile, with the sum split into parts where there are too few tiles and the sum is long, as in weight gradients.</summary>
    private static CudaGemmPlan Split(CudaGemmTile tile, int rows, int columns, in GemmShape shape, string reason)
    {
        long parts = Math.Min(TargetGroups / Math.Max(1, Groups(shape, rows, columns)), shape.K / MinSplitDepth);
        if (parts < 2) { return new(CudaGemmPath.TensorCores, tile, 0, reason); }
        int depth = (int)((shape.K + parts - 1) / parts);
        return new(CudaGemmPath.TensorCores, tile, (depth + SplitStep - 1) / SplitStep * SplitStep, reason);
    }

    private static long Groups(in GemmShape shape, int rows, int columns) =>
        (long)((shape.M + rows - 1) / rows) * ((shape.N + columns - 1) / columns) * shape.Batch;

    /// <summary>Whether every row of a factor starts at a multiple of 16 bytes (memory itself starts at one of 256).</summary>
    public static bool IsAligned(BufferView view, long leading, long stride, int batch)
    {
        int unit = view.Type == ElementType.BFloat16 ? 8 : 4;
        return view.Offset % 4 == 0 && leading % unit == 0 && (batch == 1 || stride % unit == 0);
    }
}
