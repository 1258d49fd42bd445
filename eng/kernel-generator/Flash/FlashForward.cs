namespace I2M.KernelGenerator.Flash;

/// <summary>Forward attention: a block keeps a tile of queries and walks over tiles of keys and values.</summary>
internal sealed class FlashForward
{
    /// <summary>Raises the running maximum only when it grows by more than this power of two: below, no probability exceeds it, and no digit is lost.</summary>
    private const string LazyGrowth = "0f41000000";

    private readonly FlashShape _shape;
    private readonly FlashStages _stages;

    private FlashForward(FlashShape shape) => (_shape, _stages) = (shape, new FlashStages(shape));

    /// <summary>The kernels of every width of a head: blocks of 128 queries, and of fewer for short sequences and small batches.</summary>
    public static IEnumerable<FlashKernel> Kernels() =>
    [
        Kernel(new FlashShape(32, 4, 2, 64, true, 3, 1)), Kernel(new FlashShape(32, 4, 1, 64, true, 4, 1)), Kernel(new FlashShape(32, 2, 1, 64, true, 8, 1)),
        Kernel(new FlashShape(64, 4, 2, 64, true, 2, 1)), Kernel(new FlashShape(64, 4, 1, 64, true, 3, 1)), Kernel(new FlashShape(64, 2, 1, 64, true, 4, 1)),
        Kernel(new FlashShape(96, 4, 2, 64, false, 2, 1)), Kernel(new FlashShape(96, 4, 1, 64, true, 2, 1)), Kernel(new FlashShape(96, 2, 1, 64, true, 2, 1)),
        Kernel(new FlashShape(128, 4, 2, 32, false, 2, 1)), Kernel(new FlashShape(128, 4, 1, 32, true, 2, 1)), Kernel(new FlashShape(128, 2, 1, 32, true, 4, 1)),
    ];

    private static FlashKernel Kernel(FlashShape shape) => new(shape, new FlashForward(shape).File());

    private GeneratedFile File()
    {
        FlashShape s = _shape;
        var file = new KernelFile(nameof(FlashForward), $"FlashForward{s.Name}Kernels",
            $"Forward attention in bfloat16 on tensor cores for heads of up to {s.HeadDim} channels: blocks of {s.Rows} queries, tiles of {s.Columns} keys.");
        _stages.AddCopies(file, "queries", "keys and values",
            "S scores, then probabilities; O sums; P probabilities in bfloat16; M running maxima, L sums, N new maxima of this lane's rows.",
            [$".f32 S<{s.Scores}>", $".f32 O<{s.Sums}>", $".b32 P<{s.Scores / 2}>", $".f32 M<{s.RowSets}>, L<{s.RowSets}>, N<{s.RowSets}>", ".f32 sc", ".pred grow",
                .. s.Held ? new[] { $".b32 Q<{s.Fragments}>" } : []]);
        if (s.Held) { file.Stage("HoldQueries", "The warp's queries as left fragments.", _stages.HoldLeft("Q", 0)); }
        file.Stage("Begin", "%0 is scale · log2 e.", Begin())
            .Stage("Scores", "S = queries · keysᵀ.", _stages.Scores("S", 0, 0, "Q"))
            .Stage("Mask", "Columns from the last key on become −∞; %0 is their number from this lane's first column.", _stages.Mask())
            .Stage("Maxima", "N = max(M, S) of each row over its four lanes; grow: some row's maximum rose by more than 2^8 times.", Maxima())
            .Stage("Rescale", "M = N; O and L of the rows on the new scale.", Rescale())
            .Stage("Exponentials", "S = 2^(sc·(S − M)), each one FMA and one ex2; L += S.", Exponentials())
            .Stage("Pack", "P = S in bfloat16, as left fragments.", _stages.Pack("S"))
            .Stage("Weighted", "O += P · values.", _stages.Accumulate("O", 1))
            .Stage("Finish", "L = 1 / Σ over the row's four lanes; %0 address of lse of the lane's first row, %1 rows that remain from there.", Finish())
            .Stage("Store", "O · L as bfloat16.", _stages.StoreRows("O", 0, i => $"L{i}"));
        return file.Method("o and lse for a tile of queries of one head; see <see cref=\"IBackend.Attention\"/>. Addresses are bytes; tiles is the number of query tiles.",
                s.Bounds, "Forward(long q, long k, long v, long o, long lse, AttentionShape s, int tiles)", Body());
    }

    private string Body()
    {
        FlashShape s = _shape;
        return FlashBody.Start(s, "s.Queries", "s.Keys", [("q", "s.StrideQ")], [("k", "s.StrideK"), ("v", "s.StrideV")])
            + FlashBody.Stages(["CopyTiles"]) + "CudaAsm.Emit(Begin, s.Scale * 1.44269504f);\n" + FlashBody.Stages(s.Held ? ["Arrive", "HoldQueries"] : [])
            + FlashBody.OverKeys(s, label => FlashBody.Stages(["Maxima"]) + $"CudaAsm.Emit(\"@!grow bra.uni {label};\");\n" + FlashBody.Stages(["Rescale"]) + $"CudaAsm.Emit(\"{label}:\");\n"
                + FlashBody.Stages(["Exponentials", "Pack", "Weighted"])) + """

            int query = first + warpRow + (lane >> 2);
            CudaAsm.Emit(Finish, lse + 4 * (((long)sample * s.Heads + head) * s.Queries + query), (lane & 3) == 0 ? s.Queries - query : 0);

            """ + FlashBody.StorePlaces(s) + FlashBody.Store(s, "Store", "s.Queries", "o", "s.StrideO") + FlashBody.KeepShared;
    }

    private PtxBlock Begin()
    {
        PtxBlock ptx = new PtxBlock().Add("mov.f32 sc, %0;");
        for (int i = 0; i < _shape.RowSets; i++) { ptx.Add($"mov.f32 M{i}, 0fFF800000; mov.f32 L{i}, zero;"); }
        foreach (string line in FlashStages.Clear("O", _shape.Sums).Lines) { ptx.Add(line); }
        return ptx;
    }

    private PtxBlock Maxima()
    {
        PtxBlock ptx = new PtxBlock().Open(".f32 t, d", ".b32 u, w").Add("mov.f32 d, zero;");
        for (int i = 0; i < _shape.RowSets; i++)
        {
            ptx.Add($"mov.f32 N{i}, M{i};");
            for (int n = 0; n < _shape.ScoreTiles; n++) { ptx.Add($"max.f32 t, S{_shape.Score(i, n)}, S{_shape.Score(i, n) + 1}; max.f32 N{i}, N{i}, t;"); }
            foreach (int step in new[] { 1, 2 }) { ptx.Add($"mov.b32 u, N{i}; shfl.sync.bfly.b32 w, u, {step}, 31, 0xffffffff; mov.b32 t, w; max.f32 N{i}, N{i}, t;"); }
            ptx.Add($"sub.f32 t, N{i}, M{i}; max.f32 d, d, t;");
        }
        return ptx.Add($"mul.f32 d, d, sc; setp.gt.f32 grow, d, {LazyGrowth}; vote.sync.any.pred grow, grow, 0xffffffff;").Close();
    }

    private PtxBlock Rescale()
    {
        PtxBlock ptx = new PtxBlock().Open(".f32 f");
        for (int i = 0; i < _shape.RowSets; i++)
        {
            ptx.Add($"sub.f32 f, M{i}, N{i}; mul.f32 f, f, sc; ex2.approx.ftz.f32 f, f; mul.f32 L{i}, L{i}, f; mov.f32 M{i}, N{i};");
            for (int n = 0; n < _shape.ChannelTiles; n++)
            {
                int o = _shape.Sum(i, n);
                ptx.Add($"mul.f32 O{o}, O{o}, f; mul.f32 O{o + 1}, O{o + 1}, f;");
            }
        }
        return ptx.Close();
    }

    private PtxBlock Exponentials()
    {
        PtxBlock ptx = new PtxBlock().Open(".f32 t, m");
        for (int i = 0; i < _shape.RowSets; i++)
        {
            ptx.Add($"mul.f32 m, M{i}, sc; neg.f32 m, m;");
            for (int n = 0; n < _shape.ScoreTiles; n++)
            {
                int c = _shape.Score(i, n);
                ptx.Add($"fma.rn.f32 S{c}, S{c}, sc, m; fma.rn.f32 S{c + 1}, S{c + 1}, sc, m; ex2.approx.ftz.f32 S{c}, S{c}; ex2.approx.ftz.f32 S{c + 1}, S{c + 1}; " +
                    $"add.f32 t, S{c}, S{c + 1}; add.f32 L{i}, L{i}, t;");
            }
        }
        return ptx.Close();
    }

    private PtxBlock Finish()
    {
        PtxBlock ptx = new PtxBlock().Open(".pred p", ".f32 t", ".b32 u, w");
        for (int i = 0; i < _shape.RowSets; i++)
        {
            foreach (int step in new[] { 1, 2 }) { ptx.Add($"mov.b32 u, L{i}; shfl.sync.bfly.b32 w, u, {step}, 31, 0xffffffff; mov.b32 t, w; add.f32 L{i}, L{i}, t;"); }
            // lse = ln 2 · (sc·M + log2 L); the sum was taken with 2^(sc·S − sc·M).
            ptx.Add($"lg2.approx.f32 t, L{i}; fma.rn.f32 t, M{i}, sc, t; mul.f32 t, t, 0f3F317218;");
            ptx.Add($"setp.gt.s32 p, %1, {8 * i}; @p st.global.f32 [%0+{32 * i}], t; rcp.approx.ftz.f32 L{i}, L{i};");
        }
        return ptx.Close();
    }
}
