namespace I2M.KernelGenerator;

/// <summary>
/// First backward pass: a block keeps a tile of keys and values and walks over tiles of queries and dO. Scores are transposed (rows are keys), so that
/// Pᵀ and dSᵀ are left fragments as they come out of the products.
/// </summary>
internal sealed class FlashBackwardKeys
{
    private readonly FlashShape _shape;
    private readonly FlashStages _stages;

    private FlashBackwardKeys(int headDim, int warpTiles, int columns, int minGroups) =>
        _stages = new FlashStages(_shape = new FlashShape(headDim, warpTiles, columns, false, minGroups, 2, 8 * columns));

    /// <summary>One file for each width of a head.</summary>
    public static IEnumerable<KernelFile> Files() =>
    [
        new FlashBackwardKeys(32, 2, 32, 3).File(),
        new FlashBackwardKeys(64, 2, 32, 2).File(),
        new FlashBackwardKeys(96, 1, 64, 2).File(),
        new FlashBackwardKeys(128, 1, 32, 2).File(),
    ];

    private KernelFile File()
    {
        FlashShape s = _shape;
        int scores = s.WarpTiles * s.ScoreTiles * 4, sums = s.WarpTiles * s.ChannelTiles * 4;
        var file = new KernelFile(nameof(FlashBackwardKeys), $"FlashBackwardKeys{s.HeadDim}Kernels",
            $"Backward attention in bfloat16 on tensor cores, dk and dv, for heads of up to {s.HeadDim} channels: blocks of {s.Rows} keys, tiles of {s.Columns} queries.");
        file.Stage("Registers", "S scores, then P; D dP, then dS; P both in bfloat16; V and K the sums of dv and dk; sp, to, first: the copies of statistics.",
                _stages.Registers($".f32 S<{scores}>", $".f32 D<{scores}>", $".f32 V<{sums}>", $".f32 K<{sums}>", $".b32 P<{scores / 2}>", ".f32 sc, scale, one", ".b32 to, sa", ".b64 sp", ".pred first"))
            .Stage("Places", "See FlashStages in the generator for the names.", _stages.Places())
            .Stage("Sources", "The thread's part of the copies of queries and dO.", _stages.Sources())
            .Stage("CopyLeft", "The block's keys and values on their way to shared memory; rows and channels that do not exist become zero.", _stages.CopyLeft())
            .Stage("CopyTiles", "The next queries, dO and statistics on their way to the stage at wr.", _stages.CopyTiles())
            .Stage("Arrive", "The tile to read is there for all threads, and all are done with the other stage.", FlashStages.Arrive())
            .Stage("Advance", "On to the other stage.", FlashStages.Advance())
            .Stage("Statistics", "%0 address of this thread's statistics, %1 its number, %2 its first column's place, %3 scale.", Statistics())
            .Stage("Scores", "S = keys · queriesᵀ.", _stages.Scores("S", 0, 0, ""))
            .Stage("Probabilities", "S = 2^(sc·S − log2 e · lse); a lane's two columns have their (−log2 e · lse, D) side by side.", Probabilities())
            .Stage("Pack", "P = S in bfloat16, as left fragments.", _stages.Pack("S"))
            .Stage("SumValues", "V += P · dO.", _stages.Accumulate("V", 1))
            .Stage("Products", "D = values · dOᵀ.", _stages.Scores("D", 1, 1, ""))
            .Stage("Gradients", "D = S ∘ (D − rowsum(dO∘o)).", Gradients())
            .Stage("PackGradients", "P = D in bfloat16, as left fragments.", _stages.Pack("D"))
            .Stage("SumKeys", "K += P · queries.", _stages.Accumulate("K", 0))
            .Stage("StoreKeys", "K · scale as bfloat16.", _stages.StoreRows("K", 0, _ => "scale"))
            .Stage("StoreValues", "V as bfloat16.", _stages.StoreRows("V", 1, _ => "one"))
            .Method("dk and dv for a tile of keys of one head; see <see cref=\"IBackend.AttentionBackward\"/>. Addresses are bytes; tiles is the number of key tiles, padded the rows of statistics of a head.",
                s.Bounds, "Keys(long q, long k, long v, long dOut, long statistics, long dk, long dv, AttentionShape s, int tiles, int padded)");
        return file.Body(FlashBody.Start(s, "s.Keys", "s.Queries", [("k", "s.StrideK"), ("v", "s.StrideV")], [("q", "s.StrideQ"), ("dOut", "s.StrideO")]) + $$"""
            CudaAsm.Emit(Statistics, statistics + ((long)sample * s.Heads + head) * padded * 8 + thread * 16, thread, (lane & 3) << 4, s.Scale);
            CudaAsm.Emit(CopyTiles);
            int count = (s.Queries + {{s.Columns - 1}}) / {{s.Columns}};
            for (int j = 0; j < count; j++)
            {
                CudaAsm.Emit(Arrive);
                if (j + 1 < count) { CudaAsm.Emit(CopyTiles); }
                CudaAsm.Emit(Scores);
                CudaAsm.Emit(Probabilities);
                CudaAsm.Emit(Pack);
                CudaAsm.Emit(SumValues);
                CudaAsm.Emit(Products);
                CudaAsm.Emit(Gradients);
                CudaAsm.Emit(PackGradients);
                CudaAsm.Emit(SumKeys);
                CudaAsm.Emit(Advance);
            }

            """ + FlashBody.StorePlaces(s) + FlashBody.Store(s, "StoreKeys", "s.Keys", "dk", "s.StrideK") + FlashBody.Store(s, "StoreValues", "s.Keys", "dv", "s.StrideV") + FlashBody.KeepShared);
    }

    private PtxBlock Statistics()
    {
        int sums = _shape.WarpTiles * _shape.ChannelTiles * 4;
        PtxBlock ptx = new PtxBlock().Add($"mov.b64 sp, %0; shl.b32 to, %1, 4; setp.lt.u32 first, %1, {_shape.StatisticsBytes / 16}; mov.b32 sa, %2;")
            .Add("mov.f32 scale, %3; mul.f32 sc, scale, 0f3FB8AA3B; mov.f32 one, 0f3F800000;");
        foreach (string line in FlashStages.Clear("V", sums).Lines.Concat(FlashStages.Clear("K", sums).Lines)) { ptx.Add(line); }
        return ptx;
    }

    private PtxBlock Probabilities()
    {
        PtxBlock ptx = new PtxBlock().Open(".b32 r", ".f32 l0, d0, l1, d1").Add($"add.u32 r, rd, sa;");
        for (int n = 0; n < _shape.ScoreTiles; n++)
        {
            ptx.Add($"ld.shared.v4.f32 {{l0,d0,l1,d1}}, [r+{2 * _shape.TileBytes + 64 * n}];");
            for (int i = 0; i < 2 * _shape.WarpTiles; i++)
            {
                int c = (i / 2 * _shape.ScoreTiles + n) * 4 + i % 2 * 2;
                ptx.Add($"fma.rn.f32 S{c}, S{c}, sc, l0; fma.rn.f32 S{c + 1}, S{c + 1}, sc, l1; ex2.approx.ftz.f32 S{c}, S{c}; ex2.approx.ftz.f32 S{c + 1}, S{c + 1};");
            }
        }
        return ptx.Close();
    }

    private PtxBlock Gradients()
    {
        PtxBlock ptx = new PtxBlock().Open(".b32 r", ".f32 l0, d0, l1, d1").Add($"add.u32 r, rd, sa;");
        for (int n = 0; n < _shape.ScoreTiles; n++)
        {
            ptx.Add($"ld.shared.v4.f32 {{l0,d0,l1,d1}}, [r+{2 * _shape.TileBytes + 64 * n}];");
            for (int i = 0; i < 2 * _shape.WarpTiles; i++)
            {
                int c = (i / 2 * _shape.ScoreTiles + n) * 4 + i % 2 * 2;
                ptx.Add($"sub.f32 D{c}, D{c}, d0; sub.f32 D{c + 1}, D{c + 1}, d1; mul.f32 D{c}, D{c}, S{c}; mul.f32 D{c + 1}, D{c + 1}, S{c + 1};");
            }
        }
        return ptx.Close();
    }
}
