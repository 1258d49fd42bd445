namespace I2M.KernelGenerator.Flash;

/// <summary>
/// The stages that the three attention kernels share. Registers that live through a kernel: sb shared memory; so this thread's place in a tile that it
/// copies; rd the stage to read, both the sum of the two stages' addresses; ar, ax row and exchanged chunk of a lane for ldmatrix of a left fragment or a
/// transposed right one, br, bx for a right one; la the warp's rows of the first left matrix; xp, yp and xs, ys the thread's addresses of the next right
/// tiles and the step between passes; left the rows that remain from there; z0 … the bytes of each chunk that exist (16 or 0).
/// </summary>
internal sealed class FlashStages(FlashShape s)
{
    /// <summary>
    /// The stages with which every kernel begins: its registers, the thread's places, and the copies of both kinds of matrices.
    /// </summary>
    /// <param name="file">The kernel.</param>
    /// <param name="left">What the block keeps, in words.</param>
    /// <param name="right">What comes by, in words.</param>
    /// <param name="registers">What the kernel's own registers are.</param>
    /// <param name="own">Their declarations.</param>
    public void AddCopies(KernelFile file, string left, string right, string registers, params string[] own) => file
        .Stage("Registers", registers, Registers(own))
        .Stage("Places", "See FlashStages in the generator for the names.", Places())
        .Stage("Sources", $"The thread's part of the copies of {right}.", Sources())
        .Stage("CopyLeft", $"The block's {left} on their way to shared memory; rows and channels that do not exist become zero.", CopyLeft())
        .Stage("CopyTiles", $"The next {right}{(s.StatisticsBytes > 0 ? " with their statistics" : "")} on their way to the stage at wr.", CopyTiles())
        .Stage("Arrive", "The tile to read is there for all threads, and all are done with the other stage.", Arrive())
        .Stage("Advance", "On to the other stage.", Advance());

    /// <summary>Declares what the comment above names, and the kernel's own.</summary>
    private PtxBlock Registers(params string[] own)
    {
        var ptx = new PtxBlock()
            .Add(".reg .b32 sb, so, wr, rd, both, ar, ax, br, bx, la; .reg .s32 left, xs, ys; .reg .b64 xp, yp; .reg .f32 zero;")
            .Add($".reg .b32 z<{s.Parts}>; .reg .b32 A<{4 * s.WarpTiles}>; .reg .b32 B<4>;");
        foreach (string registers in own) { ptx.Add($".reg {registers};"); }
        return ptx;
    }

    /// <summary>%0 so, %1 ar, %2 ax, %3 br, %4 bx, %5 byte offset of the warp's rows.</summary>
    private PtxBlock Places() => new PtxBlock()
        .Add("mov.u32 sb, __dyn_shared_alloca; mov.f32 zero, 0f00000000;")
        .Add("mov.b32 so, %0; mov.b32 ar, %1; mov.b32 ax, %2; mov.b32 br, %3; mov.b32 bx, %4;")
        .Add("add.u32 la, sb, %5; add.u32 la, la, ar;")
        .Add($"add.u32 rd, sb, {s.StageStart}; add.u32 wr, rd, so; add.u32 both, rd, rd; add.u32 both, both, {s.StageBytes};");

    /// <summary>%0 xp, %1 yp, %2 xs, %3 ys, %4 left, %5 … sizes of the chunks.</summary>
    private PtxBlock Sources()
    {
        var ptx = new PtxBlock().Add("mov.b64 xp, %0; mov.b64 yp, %1; mov.b32 xs, %2; mov.b32 ys, %3; mov.b32 left, %4;");
        return ptx.Add(string.Join(' ', Enumerable.Range(0, s.Parts).Select(part => $"mov.b32 z{part}, %{5 + part};")));
    }

    /// <summary>%0 rows that remain, %1 and %2 address and step of the first left matrix, %3 and %4 of the second.</summary>
    private PtxBlock CopyLeft()
    {
        string[] sources = s.LeftMatrices == 1 ? ["u"] : ["u", "v"];
        PtxBlock ptx = new PtxBlock().Open(".pred p", ".b32 z, d", s.LeftMatrices == 1 ? ".b64 u" : ".b64 u, v", s.LeftMatrices == 1 ? ".s32 us" : ".s32 us, vs").Add("add.u32 d, sb, so; mov.b64 u, %1; mov.b32 us, %2;");
        if (s.LeftMatrices == 2) { ptx.Add("mov.b64 v, %3; mov.b32 vs, %4;"); }
        for (int pass = 0; pass < s.Rows / s.PassRows; pass++) { CopyPass(ptx, "%0", pass, "d", sources, s.LeftBytes); }
        return ptx.Close();
    }

    /// <summary>Copies the next right tiles to wr and closes the group; what does not exist becomes zero.</summary>
    private PtxBlock CopyTiles()
    {
        PtxBlock ptx = new PtxBlock().Open(".pred p", ".b32 z, d");
        for (int pass = 0; pass < s.Columns / s.PassRows; pass++) { CopyPass(ptx, "left", pass, "wr", ["xp", "yp"], s.TileBytes); }
        ptx.Add($"sub.s32 left, left, {s.Columns};");
        if (s.StatisticsBytes > 0)
        {
            ptx.Add($"sub.u32 d, wr, so; mov.u32 z, %%tid.x; shl.b32 z, z, 4; add.u32 d, d, z; @first cp.async.cg.shared.global [d+{2 * s.TileBytes}], [sp], 16; add.s64 sp, sp, {s.StatisticsBytes};");
        }
        return ptx.Add("cp.async.commit_group;").Close();
    }

    private void CopyPass(PtxBlock ptx, string rows, int pass, string place, string[] sources, int matrixBytes)
    {
        string compare = $"setp.gt.s32 p, {rows}, {pass * s.PassRows}; ";
        for (int part = 0; part < s.Parts; part++)
        {
            int offset = pass * s.PassRows * s.RowBytes + part * s.PartBytes;
            var copies = sources.Select((source, m) => $"cp.async.cg.shared.global [{place}+{m * matrixBytes + offset}], [{source}+{part * s.PartBytes}], 16, z;");
            ptx.Add($"{(part == 0 ? compare : "")}selp.b32 z, z{part}, 0, p; {string.Join(' ', copies)}");
        }
        ptx.Add(string.Join(' ', sources.Select(source => $"mad.wide.s32 {source}, {source[0]}s, 1, {source};")));
    }

    /// <summary>The current stage has arrived for all, and all are done with the other, which is copied to next.</summary>
    private static PtxBlock Arrive() => new PtxBlock().Add("cp.async.wait_group 0; bar.sync 0;").Add("sub.u32 wr, both, rd; add.u32 wr, wr, so;");

    /// <summary>Goes on to the other stage.</summary>
    private static PtxBlock Advance() => new PtxBlock().Add("sub.u32 rd, both, rd;");

    /// <summary>Loads the left fragments that stay: array[(m·steps + k)·4 …] of matrix number matrix.</summary>
    public PtxBlock HoldLeft(string array, int matrix)
    {
        PtxBlock ptx = new PtxBlock().Open(".b32 t");
        for (int k = 0; k < s.ChannelSteps; k++)
        {
            ptx.Add($"xor.b32 t, ax, {k << 5}; add.u32 t, la, t;");
            for (int m = 0; m < s.WarpTiles; m++) { ptx.LoadMatrices(array, (m * s.ChannelSteps + k) * 4, "t", matrix * s.LeftBytes + m * 16 * s.RowBytes); }
        }
        return ptx.Close();
    }

    /// <summary>sum = left matrix · right tileᵀ over the channels; held names the registers of left fragments that stay.</summary>
    public PtxBlock Scores(string sum, int matrix, int tile, string held)
    {
        PtxBlock ptx = new PtxBlock().Open(".b32 t, u, r").Add("add.u32 r, rd, br;");
        for (int k = 0; k < s.ChannelSteps; k++)
        {
            ptx.Add($"xor.b32 u, bx, {k << 5}; add.u32 u, r, u;");
            if (!s.Held)
            {
                ptx.Add($"xor.b32 t, ax, {k << 5}; add.u32 t, la, t;");
                for (int m = 0; m < s.WarpTiles; m++) { ptx.LoadMatrices("A", 4 * m, "t", matrix * s.LeftBytes + m * 16 * s.RowBytes); }
            }
            for (int n = 0; n < s.ScoreTiles; n += 2)
            {
                ptx.LoadMatrices("B", 0, "u", tile * s.TileBytes + n * 8 * s.RowBytes);
                for (int m = 0; m < s.WarpTiles; m++)
                {
                    (string left, int a) = s.Held ? (held, (m * s.ChannelSteps + k) * 4) : ("A", 4 * m);
                    ptx.Multiply(sum, (m * s.ScoreTiles + n) * 4, left, a, k == 0);
                }
            }
        }
        return ptx.Close();
    }

    /// <summary>Scores from the last row of the right matrix on become −∞; %0 is the number of columns before it from this lane's first.</summary>
    public PtxBlock Mask()
    {
        PtxBlock ptx = new PtxBlock().Open(".pred p, q");
        for (int n = 0; n < s.ScoreTiles; n++)
        {
            ptx.Add($"setp.gt.s32 p, %0, {8 * n}; setp.gt.s32 q, %0, {8 * n + 1};");
            for (int i = 0; i < s.RowSets; i++)
            {
                int c = s.Score(i, n);
                ptx.Add($"selp.f32 S{c}, S{c}, 0fFF800000, p; selp.f32 S{c + 1}, S{c + 1}, 0fFF800000, q;");
            }
        }
        return ptx.Close();
    }

    /// <summary>P = source rounded to bfloat16: the sums of two neighbouring 16×8 tiles are the left fragment of a product over those 16 columns.</summary>
    public PtxBlock Pack(string source)
    {
        var ptx = new PtxBlock();
        for (int i = 0; i < s.WarpTiles * s.ScoreTiles; i++)
        {
            ptx.Add($"cvt.rn.bf16x2.f32 P{2 * i}, {source}{4 * i + 1}, {source}{4 * i}; cvt.rn.bf16x2.f32 P{2 * i + 1}, {source}{4 * i + 3}, {source}{4 * i + 2};");
        }
        return ptx;
    }

    /// <summary>sum += P · right tile, over the tile's rows.</summary>
    public PtxBlock Accumulate(string sum, int tile)
    {
        PtxBlock ptx = new PtxBlock().Open($".b32 r, t<{s.ChannelSteps}>").Add("add.u32 r, rd, ar;");
        for (int c = 0; c < s.ChannelSteps; c++) { ptx.Add($"xor.b32 t{c}, ax, {c << 5}; add.u32 t{c}, r, t{c};"); }
        for (int k = 0; k < s.Columns / 16; k++)
        {
            for (int c = 0; c < s.ChannelSteps; c++)
            {
                ptx.LoadMatrices("B", 0, $"t{c}", tile * s.TileBytes + k * 16 * s.RowBytes, transposed: true);
                for (int m = 0; m < s.WarpTiles; m++)
                {
                    ptx.Multiply(sum, (m * s.ChannelTiles + 2 * c) * 4, "P", (m * s.ScoreTiles + 2 * k) * 2, fresh: false);
                }
            }
        }
        return ptx.Close();
    }

    /// <summary>Sets so many registers of an array to zero.</summary>
    public static PtxBlock Clear(string array, int count)
    {
        var ptx = new PtxBlock();
        for (int i = 0; i < count; i += 8) { ptx.Add(string.Join(' ', Enumerable.Range(i, Math.Min(8, count - i)).Select(n => $"mov.f32 {array}{n}, zero;"))); }
        return ptx;
    }

    /// <summary>
    /// Stores a warp's rows of sums, rounded to bfloat16, through its own rows of a left matrix, 16 bytes a lane. %0 place of the lane's first word there,
    /// %1 its row's exchange in bytes, %2 place of its chunk when it reads, %3 and %4 address and step of the rows it stores, %5 rows that remain from
    /// there. factor names a register for each 8 rows, or one for all.
    /// </summary>
    public PtxBlock StoreRows(string sum, int matrix, Func<int, string> factor)
    {
        PtxBlock ptx = new PtxBlock().Open(".pred p, v", ".b32 u, w, c, d<4>", ".f32 a, b", ".b64 o");
        ptx.Add("bar.warp.sync 0xffffffff;").Add("add.u32 w, sb, %0;");
        for (int n = 0; n < s.ChannelTiles; n++)
        {
            ptx.Add($"xor.b32 c, %1, {n << 4}; add.u32 c, w, c;");
            for (int i = 0; i < s.RowSets; i++)
            {
                int at = s.Sum(i, n);
                ptx.Add($"mul.f32 a, {sum}{at}, {factor(i)}; mul.f32 b, {sum}{at + 1}, {factor(i)}; cvt.rn.bf16x2.f32 u, b, a; " +
                    $"st.shared.b32 [c+{matrix * s.LeftBytes + i * 8 * s.RowBytes}], u;");
            }
        }
        ptx.Add("bar.warp.sync 0xffffffff;").Add("mov.b64 o, %3;");
        int laneRows = 32 / s.RowThreads;
        for (int pass = 0; pass < 16 * s.WarpTiles / laneRows; pass++)
        {
            // Four rows on, the third bit of the row and with it of the exchange changes.
            int flip = s.RowThreads == 8 && pass % 2 == 1 ? 64 : 0;
            ptx.Add($"{(pass > 0 ? "add.s64 o, o, %4; " : "")}xor.b32 c, %2, {flip}; add.u32 c, sb, c; setp.gt.s32 v, %5, {pass * laneRows};");
            for (int part = 0; part < s.Parts; part++)
            {
                ptx.Add($"setp.ne.and.b32 p, z{part}, 0, v; ld.shared.v4.b32 {{d0,d1,d2,d3}}, [c+{matrix * s.LeftBytes + pass * laneRows * s.RowBytes + part * s.PartBytes}]; " +
                    $"@p st.global.v4.b32 [o+{part * s.PartBytes}], {{d0,d1,d2,d3}};");
            }
        }
        return ptx.Close();
    }
}
