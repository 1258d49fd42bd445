namespace I2M.KernelGenerator.Flash;

/// <summary>Second backward pass: a block keeps a tile of queries and dO and walks over tiles of keys and values.</summary>
internal sealed class FlashBackwardQueries
{
    private readonly FlashShape _shape;
    private readonly FlashStages _stages;

    private FlashBackwardQueries(int headDim, int warpTiles, int columns, int minGroups) =>
        _stages = new FlashStages(_shape = new FlashShape(headDim, warpTiles, columns, true, minGroups, 2));

    /// <summary>One file for each width of a head.</summary>
    public static IEnumerable<GeneratedFile> Files() =>
    [
        new FlashBackwardQueries(32, 2, 32, 3).File(),
        new FlashBackwardQueries(64, 2, 32, 2).File(),
        new FlashBackwardQueries(96, 1, 64, 2).File(),
        new FlashBackwardQueries(128, 1, 32, 2).File(),
    ];

    private int RowSets => 2 * _shape.WarpTiles;

    private GeneratedFile File()
    {
        FlashShape s = _shape;
        int scores = s.WarpTiles * s.ScoreTiles * 4, sums = s.WarpTiles * s.ChannelTiles * 4, held = s.WarpTiles * s.ChannelSteps * 4;
        var file = new KernelFile(nameof(FlashBackwardQueries), $"FlashBackwardQueries{s.HeadDim}Kernels",
            $"Backward attention in bfloat16 on tensor cores, dq, for heads of up to {s.HeadDim} channels: blocks of {s.Rows} queries, tiles of {s.Columns} keys.");
        file.Stage("Registers", "S scores, then P; D dP, then dS; P the latter in bfloat16; G the sums of dq; Q and O fragments of queries and dO; E and R −log2 e · lse and rowsum(dO∘o) of this lane's rows.",
                _stages.Registers($".f32 S<{scores}>", $".f32 D<{scores}>", $".f32 G<{sums}>", $".b32 P<{scores / 2}>", $".b32 Q<{held}>", $".b32 O<{held}>", $".f32 E<{RowSets}>, R<{RowSets}>", ".f32 sc, scale"))
            .Stage("Places", "See FlashStages in the generator for the names.", _stages.Places())
            .Stage("Sources", "The thread's part of the copies of keys and values.", _stages.Sources())
            .Stage("CopyLeft", "The block's queries and dO on their way to shared memory; rows and channels that do not exist become zero.", _stages.CopyLeft())
            .Stage("CopyTiles", "The next keys and values on their way to the stage at wr.", _stages.CopyTiles())
            .Stage("Arrive", "The tile to read is there for all threads, and all are done with the other stage.", FlashStages.Arrive())
            .Stage("Advance", "On to the other stage.", FlashStages.Advance())
            .Stage("HoldQueries", "The warp's queries as left fragments.", _stages.HoldLeft("Q", 0))
            .Stage("HoldOutputs", "The warp's dO as left fragments.", _stages.HoldLeft("O", 1))
            .Stage("Statistics", "%0 address of the statistics of this lane's first row, %1 scale · log2 e.", Statistics())
            .Stage("Scores", "S = queries · keysᵀ.", _stages.Scores("S", 0, 0, "Q"))
            .Stage("Mask", "Columns from the last key on become −∞; %0 is their number from this lane's first column.", Mask())
            .Stage("Products", "D = dO · valuesᵀ.", _stages.Scores("D", 1, 1, "O"))
            .Stage("Gradients", "D = 2^(sc·S − log2 e · lse) ∘ (D − rowsum(dO∘o)).", Gradients())
            .Stage("Pack", "P = D in bfloat16, as left fragments.", _stages.Pack("D"))
            .Stage("SumQueries", "G += P · keys.", _stages.Accumulate("G", 0))
            .Stage("Store", "G · scale as bfloat16.", _stages.StoreRows("G", 0, _ => "scale"));
        return file.Method("dq for a tile of queries of one head; see <see cref=\"IBackend.AttentionBackward\"/>. Addresses are bytes; tiles is the number of query tiles, padded the rows of statistics of a head.",
                s.Bounds, "Queries(long q, long k, long v, long dOut, long statistics, long dq, AttentionShape s, int tiles, int padded)",
            FlashBody.Start(s, "s.Queries", "s.Keys", [("q", "s.StrideQ"), ("dOut", "s.StrideO")], [("k", "s.StrideK"), ("v", "s.StrideV")]) + $$"""
            CudaAsm.Emit(CopyTiles);
            CudaAsm.Emit(Statistics, statistics + (((long)sample * s.Heads + head) * padded + first + warpRow + (lane >> 2)) * 8, s.Scale * 1.44269504f);
            CudaAsm.Emit(Arrive);
            CudaAsm.Emit(HoldQueries);
            CudaAsm.Emit(HoldOutputs);

            int count = (s.Keys + {{s.Columns - 1}}) / {{s.Columns}}, full = s.Keys / {{s.Columns}};
            for (int j = 0; j < full; j++)
            {
                CudaAsm.Emit(Arrive);
                if (j + 1 < count) { CudaAsm.Emit(CopyTiles); }
                CudaAsm.Emit(Scores);
                CudaAsm.Emit(Products);
                CudaAsm.Emit(Gradients);
                CudaAsm.Emit(Pack);
                CudaAsm.Emit(SumQueries);
                CudaAsm.Emit(Advance);
            }
            if (full < count)
            {
                CudaAsm.Emit(Arrive);
                CudaAsm.Emit(Scores);
                CudaAsm.Emit(Mask, s.Keys - full * {{s.Columns}} - ((lane & 3) << 1));
                CudaAsm.Emit(Products);
                CudaAsm.Emit(Gradients);
                CudaAsm.Emit(Pack);
                CudaAsm.Emit(SumQueries);
            }

            CudaAsm.Emit("mov.f32 scale, %0;", s.Scale);

            """ + FlashBody.StorePlaces(s) + FlashBody.Store(s, "Store", "s.Queries", "dq", "s.StrideQ") + FlashBody.KeepShared);
    }

    private PtxBlock Statistics()
    {
        PtxBlock ptx = new PtxBlock().Add("mov.f32 sc, %1;");
        for (int i = 0; i < RowSets; i++) { ptx.Add($"ld.global.v2.f32 {{E{i},R{i}}}, [%0+{64 * i}];"); }
        foreach (string line in FlashStages.Clear("G", _shape.WarpTiles * _shape.ChannelTiles * 4).Lines) { ptx.Add(line); }
        return ptx;
    }

    private PtxBlock Mask()
    {
        PtxBlock ptx = new PtxBlock().Open(".pred p, q");
        for (int n = 0; n < _shape.ScoreTiles; n++)
        {
            ptx.Add($"setp.gt.s32 p, %0, {8 * n}; setp.gt.s32 q, %0, {8 * n + 1};");
            for (int i = 0; i < RowSets; i++)
            {
                int c = (i / 2 * _shape.ScoreTiles + n) * 4 + i % 2 * 2;
                ptx.Add($"selp.f32 S{c}, S{c}, 0fFF800000, p; selp.f32 S{c + 1}, S{c + 1}, 0fFF800000, q;");
            }
        }
        return ptx.Close();
    }

    private PtxBlock Gradients()
    {
        var ptx = new PtxBlock();
        for (int i = 0; i < RowSets; i++)
        {
            for (int n = 0; n < _shape.ScoreTiles; n++)
            {
                int c = (i / 2 * _shape.ScoreTiles + n) * 4 + i % 2 * 2;
                ptx.Add($"fma.rn.f32 S{c}, S{c}, sc, E{i}; fma.rn.f32 S{c + 1}, S{c + 1}, sc, E{i}; ex2.approx.ftz.f32 S{c}, S{c}; ex2.approx.ftz.f32 S{c + 1}, S{c + 1};");
                ptx.Add($"sub.f32 D{c}, D{c}, R{i}; sub.f32 D{c + 1}, D{c + 1}, R{i}; mul.f32 D{c}, D{c}, S{c}; mul.f32 D{c + 1}, D{c + 1}, S{c + 1};");
            }
        }
        return ptx;
    }
}
