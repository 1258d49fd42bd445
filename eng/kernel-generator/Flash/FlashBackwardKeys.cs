namespace I2M.KernelGenerator.Flash;

/// <summary>
/// First backward pass: a block keeps a tile of keys and values and walks over tiles of queries and dO. Scores are transposed (rows are keys), so that
/// Pᵀ and dSᵀ are left fragments as they come out of the products.
/// </summary>
internal sealed class FlashBackwardKeys
{
    /// <summary>r = place of the statistics of this lane's first columns, before the offset of the statistics in the stage.</summary>
    private const string StatisticsPlace = "mov.u32 r, %%laneid; and.b32 r, r, 3; shl.b32 r, r, 4; add.u32 r, rd, r;";

    private readonly FlashShape _shape;
    private readonly FlashStages _stages;

    private FlashBackwardKeys(FlashShape shape) => (_shape, _stages) = (shape, new FlashStages(shape));

    /// <summary>The kernels of every width of a head; wide ones have no registers for blocks of 128 keys.</summary>
    public static IEnumerable<FlashKernel> Kernels() =>
    [
        Kernel(32, 4, 2, 32, 3), Kernel(32, 4, 1, 32, 4), Kernel(32, 2, 1, 32, 8),
        Kernel(64, 4, 2, 32, 2), Kernel(64, 4, 1, 32, 3), Kernel(64, 2, 1, 32, 6),
        Kernel(96, 4, 1, 64, 2), Kernel(96, 2, 1, 64, 2),
        Kernel(128, 4, 1, 32, 2), Kernel(128, 2, 1, 32, 3),
    ];

    private static FlashKernel Kernel(int headDim, int warps, int warpTiles, int columns, int minGroups)
    {
        var shape = new FlashShape(headDim, warps, warpTiles, columns, false, minGroups, 2, 8 * columns);
        return new FlashKernel(shape, new FlashBackwardKeys(shape).File());
    }

    private GeneratedFile File()
    {
        FlashShape s = _shape;
        var file = new KernelFile(nameof(FlashBackwardKeys), $"FlashBackwardKeys{s.Name}Kernels",
            $"Backward attention in bfloat16 on tensor cores, dk and dv, for heads of up to {s.HeadDim} channels: blocks of {s.Rows} keys, tiles of {s.Columns} queries.");
        _stages.AddCopies(file, "keys and values", "queries and dO",
            "S scores, then P; D dP; P the probabilities and then dS in bfloat16; V and K the sums of dv and dk; sp and first: the copies of statistics.",
            $".f32 S<{s.Scores}>", $".f32 D<{s.Scores}>", $".f32 V<{s.Sums}>", $".f32 K<{s.Sums}>", $".b32 P<{s.Scores / 2}>", ".f32 sc, scale, one", ".b64 sp", ".pred first");
        file.Stage("Statistics", "%0 address of the statistics that this thread copies, %1 its number, %2 scale · log2 e.", Statistics())
            .Stage("Scores", "S = keys · queriesᵀ.", _stages.Scores("S", 0, 0, ""))
            .Stage("Probabilities", "S = 2^(sc·S − log2 e · lse); a lane's two columns have their (−log2 e · lse, D) side by side.", Probabilities())
            .Stage("Pack", "P = S in bfloat16, as left fragments.", _stages.Pack("S"))
            .Stage("SumValues", "V += P · dO.", _stages.Accumulate("V", 1))
            .Stage("Products", "D = values · dOᵀ.", _stages.Scores("D", 1, 1, ""))
            .Stage("Gradients", "P = P ∘ (D − rowsum(dO∘o)) in bfloat16, as left fragments.", Gradients())
            .Stage("SumKeys", "K += P · queries.", _stages.Accumulate("K", 0))
            .Stage("StoreKeys", "K · scale as bfloat16.", _stages.StoreRows("K", 0, _ => "scale"))
            .Stage("StoreValues", "V as bfloat16.", _stages.StoreRows("V", 1, _ => "one"));
        return file.Method("dk and dv for a tile of keys of one head; see <see cref=\"IBackend.AttentionBackward\"/>. Addresses are bytes; tiles is the number of key tiles, padded the rows of statistics of a head.",
                s.Bounds, "Keys(long q, long k, long v, long dOut, long statistics, long dk, long dv, AttentionShape s, int tiles, int padded)",
            FlashBody.Start(s, "s.Keys", "s.Queries", [("k", "s.StrideK"), ("v", "s.StrideV")], [("q", "s.StrideQ"), ("dOut", "s.StrideO")]) + $$"""
            CudaAsm.Emit(Statistics, statistics + ((long)sample * s.Heads + head) * padded * 8 + thread * 16, thread, s.Scale * 1.44269504f);
            CudaAsm.Emit(CopyTiles);
            int count = (s.Queries + {{s.Columns - 1}}) / {{s.Columns}};
            for (int j = 0; j < count; j++)
            {
                CudaAsm.Emit(Arrive);
                if (j + 1 < count) { CudaAsm.Emit(CopyTiles); }
            {{FlashBody.Indented(FlashBody.Stages(["Scores", "Probabilities", "Pack", "SumValues", "Products", "Gradients", "SumKeys", "Advance"]))}}
            }

            CudaAsm.Emit("mov.f32 scale, %0; mov.f32 one, 0f3F800000;", s.Scale);

            """ + FlashBody.StorePlaces(s) + FlashBody.Store(s, "StoreKeys", "s.Keys", "dk", "s.StrideK") + FlashBody.Store(s, "StoreValues", "s.Keys", "dv", "s.StrideV") + FlashBody.KeepShared);
    }

    private PtxBlock Statistics()
    {
        int sums = _shape.Sums;
        PtxBlock ptx = new PtxBlock().Add($"mov.b64 sp, %0; setp.lt.u32 first, %1, {_shape.StatisticsBytes / 16}; mov.f32 sc, %2;");
        foreach (string line in FlashStages.Clear("V", sums).Lines.Concat(FlashStages.Clear("K", sums).Lines)) { ptx.Add(line); }
        return ptx;
    }

    private PtxBlock Probabilities()
    {
        PtxBlock ptx = new PtxBlock().Open(".b32 r", ".f32 l0, d0, l1, d1").Add(StatisticsPlace);
        for (int n = 0; n < _shape.ScoreTiles; n++)
        {
            ptx.Add($"ld.shared.v4.f32 {{l0,d0,l1,d1}}, [r+{2 * _shape.TileBytes + 64 * n}];");
            for (int i = 0; i < _shape.RowSets; i++)
            {
                int c = _shape.Score(i, n);
                ptx.Add($"fma.rn.f32 S{c}, S{c}, sc, l0; fma.rn.f32 S{c + 1}, S{c + 1}, sc, l1; ex2.approx.ftz.f32 S{c}, S{c}; ex2.approx.ftz.f32 S{c + 1}, S{c + 1};");
            }
        }
        return ptx.Close();
    }

    /// <summary>P comes back from bfloat16, as dv saw it: keeping the float32 beside dP would cost the registers of a second score tile.</summary>
    private PtxBlock Gradients()
    {
        PtxBlock ptx = new PtxBlock().Open(".b32 r, u, w", ".f32 l0, d0, l1, d1, a, b").Add(StatisticsPlace);
        for (int n = 0; n < _shape.ScoreTiles; n++)
        {
            ptx.Add($"ld.shared.v4.f32 {{l0,d0,l1,d1}}, [r+{2 * _shape.TileBytes + 64 * n}];");
            for (int i = 0; i < _shape.RowSets; i++)
            {
                int c = _shape.Score(i, n), p = c / 2;
                ptx.Add($"shl.b32 u, P{p}, 16; and.b32 w, P{p}, 0xffff0000; mov.b32 a, u; mov.b32 b, w; sub.f32 D{c}, D{c}, d0; sub.f32 D{c + 1}, D{c + 1}, d1; " +
                    $"mul.f32 a, a, D{c}; mul.f32 b, b, D{c + 1}; cvt.rn.bf16x2.f32 P{p}, b, a;");
            }
        }
        return ptx.Close();
    }
}
