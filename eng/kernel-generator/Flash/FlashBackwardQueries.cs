namespace I2M.KernelGenerator.Flash;

/// <summary>Second backward pass: a block keeps a tile of queries and dO and walks over tiles of keys and values.</summary>
internal sealed class FlashBackwardQueries
{
    private readonly FlashShape _shape;
    private readonly FlashStages _stages;

    private FlashBackwardQueries(FlashShape shape) => (_shape, _stages) = (shape, new FlashStages(shape));

    /// <summary>The kernels of every width of a head; wide ones have no registers for blocks of 128 queries.</summary>
    public static IEnumerable<FlashKernel> Kernels() =>
    [
        Kernel(32, 4, 2, 32, 3), Kernel(32, 4, 1, 32, 4), Kernel(32, 2, 1, 32, 8),
        Kernel(64, 4, 2, 32, 2), Kernel(64, 4, 1, 32, 3), Kernel(64, 2, 1, 32, 6),
        Kernel(96, 4, 1, 64, 2), Kernel(96, 2, 1, 64, 2),
        Kernel(128, 4, 1, 32, 2), Kernel(128, 2, 1, 32, 3),
    ];

    private static FlashKernel Kernel(int headDim, int warps, int warpTiles, int columns, int minGroups)
    {
        var shape = new FlashShape(headDim, warps, warpTiles, columns, true, minGroups, 2);
        return new FlashKernel(shape, new FlashBackwardQueries(shape).File());
    }

    private GeneratedFile File()
    {
        FlashShape s = _shape;
        var file = new KernelFile(nameof(FlashBackwardQueries), $"FlashBackwardQueries{s.Name}Kernels",
            $"Backward attention in bfloat16 on tensor cores, dq, for heads of up to {s.HeadDim} channels: blocks of {s.Rows} queries, tiles of {s.Columns} keys.");
        _stages.AddCopies(file, "queries and dO", "keys and values",
            "S scores, then P; D dP, then dS; P the latter in bfloat16; G the sums of dq; Q and O fragments of queries and dO; E and R −log2 e · lse and rowsum(dO∘o) of this lane's rows.",
            $".f32 S<{s.Scores}>", $".f32 D<{s.Scores}>", $".f32 G<{s.Sums}>", $".b32 P<{s.Scores / 2}>", $".b32 Q<{s.Fragments}>", $".b32 O<{s.Fragments}>", $".f32 E<{s.RowSets}>, R<{s.RowSets}>", ".f32 sc, scale");
        file.Stage("HoldQueries", "The warp's queries as left fragments.", _stages.HoldLeft("Q", 0))
            .Stage("HoldOutputs", "The warp's dO as left fragments.", _stages.HoldLeft("O", 1))
            .Stage("Statistics", "%0 address of the statistics of this lane's first row, %1 scale · log2 e.", Statistics())
            .Stage("Scores", "S = queries · keysᵀ.", _stages.Scores("S", 0, 0, "Q"))
            .Stage("Mask", "Columns from the last key on become −∞; %0 is their number from this lane's first column.", _stages.Mask())
            .Stage("Products", "D = dO · valuesᵀ.", _stages.Scores("D", 1, 1, "O"))
            .Stage("Gradients", "D = 2^(sc·S − log2 e · lse) ∘ (D − rowsum(dO∘o)).", Gradients())
            .Stage("Pack", "P = D in bfloat16, as left fragments.", _stages.Pack("D"))
            .Stage("SumQueries", "G += P · keys.", _stages.Accumulate("G", 0))
            .Stage("Store", "G · scale as bfloat16.", _stages.StoreRows("G", 0, _ => "scale"));
        return file.Method("dq for a tile of queries of one head; see <see cref=\"IBackend.AttentionBackward\"/>. Addresses are bytes; tiles is the number of query tiles, padded the rows of statistics of a head.",
                s.Bounds, "Queries(long q, long k, long v, long dOut, long statistics, long dq, AttentionShape s, int tiles, int padded)", Body());
    }

    private string Body()
    {
        FlashShape s = _shape;
        return FlashBody.Start(s, "s.Queries", "s.Keys", [("q", "s.StrideQ"), ("dOut", "s.StrideO")], [("k", "s.StrideK"), ("v", "s.StrideV")]) + FlashBody.Stages(["CopyTiles"])
            + "CudaAsm.Emit(Statistics, statistics + (((long)sample * s.Heads + head) * padded + first + warpRow + (lane >> 2)) * 8, s.Scale * 1.44269504f);\n"
            + FlashBody.Stages(["Arrive", "HoldQueries", "HoldOutputs"])
            + FlashBody.OverKeys(s, _ => FlashBody.Stages(["Products", "Gradients", "Pack", "SumQueries"])) + """

            CudaAsm.Emit("mov.f32 scale, %0;", s.Scale);

            """ + FlashBody.StorePlaces(s) + FlashBody.Store(s, "Store", "s.Queries", "dq", "s.StrideQ") + FlashBody.KeepShared;
    }

    private PtxBlock Statistics()
    {
        PtxBlock ptx = new PtxBlock().Add("mov.f32 sc, %1;");
        for (int i = 0; i < _shape.RowSets; i++) { ptx.Add($"ld.global.v2.f32 {{E{i},R{i}}}, [%0+{64 * i}];"); }
        foreach (string line in FlashStages.Clear("G", _shape.Sums).Lines) { ptx.Add(line); }
        return ptx;
    }

    private PtxBlock Gradients()
    {
        var ptx = new PtxBlock();
        for (int i = 0; i < _shape.RowSets; i++)
        {
            for (int n = 0; n < _shape.ScoreTiles; n++)
            {
                int c = _shape.Score(i, n);
                ptx.Add($"fma.rn.f32 S{c}, S{c}, sc, E{i}; fma.rn.f32 S{c + 1}, S{c + 1}, sc, E{i}; ex2.approx.ftz.f32 S{c}, S{c}; ex2.approx.ftz.f32 S{c + 1}, S{c + 1};");
                ptx.Add($"sub.f32 D{c}, D{c}, R{i}; sub.f32 D{c + 1}, D{c + 1}, R{i}; mul.f32 D{c}, D{c}, S{c}; mul.f32 D{c + 1}, D{c + 1}, S{c + 1};");
            }
        }
        return ptx;
    }
}
