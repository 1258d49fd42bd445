namespace I2M.KernelGenerator.Gemm;

/// <summary>A group's tile of c.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Columns.</param>
/// <param name="DepthBytes">Bytes of k in a stage: 64 or 128.</param>
/// <param name="WarpRows">Rows of a warp's part.</param>
/// <param name="WarpColumns">Columns of a warp's part.</param>
/// <param name="Stages">Stages of the copies.</param>
internal sealed record GemmTile(int Rows, int Columns, int DepthBytes, int WarpRows, int WarpColumns, int Stages)
{
    /// <summary>Threads of the group.</summary>
    public int Threads => Rows / WarpRows * (Columns / WarpColumns) * 32;
}

/// <summary>
/// A product on tensor cores by mma.sync. Stages of tiles of a and b come into shared memory by asynchronous 16-byte copies; a stage is filled while the ones before
/// it are multiplied. The registers of PTX that hold a warp's part of c are invisible to C#, which therefore never moves them through memory.
/// <para>
/// Accumulators of one mma (16 × 8): with g = lane / 4 and t = lane mod 4 a lane holds columns 2t and 2t + 1 of rows g and g + 8.
/// </para>
/// </summary>
/// <param name="Bf16">bfloat16 factors; otherwise float32 ones, rounded to tf32.</param>
/// <param name="Layout">"NN", "NT" or "TN".</param>
/// <param name="Tile">The group's tile.</param>
internal sealed record TensorGemm(bool Bf16, string Layout, GemmTile Tile)
{
    /// <summary>What every product takes.</summary>
    public const string Parameters = "long a, long b, ArrayView<float> c, ArrayView<float> bias, ArrayView<float> activation, ArrayView<float> residual, ArrayView<float> sums, CudaGemmSizes s";

    private int ElementBytes => Bf16 ? 2 : 4;

    private int Depth => Tile.DepthBytes / ElementBytes;

    private int StepDepth => Bf16 ? 16 : 8;

    private OperandTile A => new("a", Layout[0] == 'N', Tile.Rows, Depth, ElementBytes, Tile.Threads, 0);

    private OperandTile B => new("b", Layout[1] == 'T', Tile.Columns, Depth, ElementBytes, Tile.Threads, Tile.Rows * Tile.DepthBytes);

    private int StageBytes => (Tile.Rows + Tile.Columns) * Tile.DepthBytes;

    private int RowPieces => Tile.WarpRows / 16;

    private int ColumnPieces => Tile.WarpColumns / 8;

    /// <summary>Rows of a warp's part that pass through shared memory at a time on their way out.</summary>
    private int StagedRows => Math.Min(32, Tile.WarpRows);

    private int StagedBytes => StagedRows * Tile.WarpColumns * 4;

    /// <summary>The method's name.</summary>
    public string Name => $"{(Bf16 ? "Bf16" : "Tf32")}{Layout[0]}{char.ToLowerInvariant(Layout[1])}{Tile.Rows}x{Tile.Columns}x{Depth}";

    /// <summary>The kernel's file.</summary>
    public GeneratedFile File()
    {
        A.Check();
        B.Check();
        int shared = Tile.Stages * StageBytes;
        if (StagedBytes * (Tile.Threads / 32) > shared) { throw new InvalidOperationException($"{Name}: the staged sums do not fit into the stages"); }
        var w = new SourceWriter("Gemm/TensorGemm.cs", "ILGPU", "ILGPU.Runtime.Cuda");
        w.Open("internal static partial class TensorGemmKernels");
        Constants(w);
        w.Line("/// <summary>");
        w.Line($"/// c = epilogue(op(a) · op(b)), {Layout}, {(Bf16 ? "bfloat16 factors" : "float32 factors rounded to tf32 (to nearest, cvt.rna)")}: {Tile.Rows}×{Tile.Columns} of c a group of {Tile.Threads / 32} warps with {Tile.WarpRows}×{Tile.WarpColumns} each, {Depth} steps of k a stage, {Tile.Stages} stages.");
        w.Line("/// </summary>");
        w.Line($"[KernelBounds({Tile.Threads}, MinGroups = 1, SharedBytes = {shared})]");
        w.Open($"public static void {Name}({Parameters})");
        Body(w);
        w.Close().Close();
        return new GeneratedFile($"{Name}.cs", w.ToString());
    }

    private void Body(SourceWriter w)
    {
        w.Line("ArrayView<Float4> staged = SharedMemory.GetDynamic<Float4>();");
        w.Line("int thread = Group.IdxX, lane = thread & 31, warp = thread >> 5;");
        w.Line($"int warpRow = warp % {Tile.Rows / Tile.WarpRows} * {Tile.WarpRows}, warpColumn = warp / {Tile.Rows / Tile.WarpRows} * {Tile.WarpColumns};");
        w.Line($"CudaGemmPlace place = CudaGemmPlace.Of(s, Grid.IdxX, {Tile.Rows}, {Tile.Columns});");
        w.Emit($"{Name}Registers");
        A.Setup(w, "warpRow");
        B.Setup(w, "warpColumn");
        w.Line();
        w.Line($"// All stages but one are under way before the first product.");
        for (int i = 1; i < Tile.Stages; i++) { w.Emit($"{Name}Copy"); }
        w.Open($"for (int k = 0; k < place.Depth; k += {Depth})");
        w.Line("// The oldest stage has arrived for everybody, and everybody is done with the one that is filled next.");
        w.Line($"CudaAsm.Emit(\"cp.async.wait_group {Tile.Stages - 2}; bar.sync 0;\");");
        w.Emit($"{Name}Copy");
        w.Emit($"{Name}Multiply");
        w.Close();
        w.Line("CudaAsm.Emit(\"cp.async.wait_group 0; bar.sync 0;\");");
        w.Line();
        Store(w);
    }

    private void Store(SourceWriter w)
    {
        int chunks = Tile.WarpColumns / 4, phases = Tile.WarpRows / StagedRows;
        w.Line($"// {StagedRows} rows of each warp at a time through shared memory: a lane writes pairs of columns in its accumulators' rows and reads eight columns of a row.");
        w.Line("var views = new CudaGemmViews { C = c, Bias = bias, Activation = activation, Residual = residual, Sums = sums };");
        w.Line($"int first = warp * {StagedBytes / 16}, row = lane >> 2;");
        w.Line($"int write = first * 16 + row * {chunks * 16} + (((lane & 3) >> 1 ^ (((row & 1) * 5) | (row & 2))) << 4) + (lane & 1) * 8;");
        w.Open($"for (int part = 0; part < {phases}; part++)");
        for (int part = 0; part < phases; part++)
        {
            if (phases == 1) { w.Emit(StageSums(part), "write"); }
            else
            {
                w.Open(part == 0 ? "if (part == 0)" : part + 1 < phases ? $"else if (part == {part})" : "else").Emit(StageSums(part), "write").Close();
            }
        }
        w.Line("CudaAsm.Emit(\"bar.warp.sync 0xffffffff;\");");
        w.Line($"CudaGemmEpilogue.StoreRows(staged, first, {StagedRows}, {Tile.WarpColumns}, warpRow + {StagedRows} * part, warpColumn, place, views, s);");
        w.Line("CudaAsm.Emit(\"bar.warp.sync 0xffffffff;\");");
        w.Close();
    }

    private IEnumerable<string> StageSums(int part)
    {
        int rowBytes = Tile.WarpColumns * 4, pieces = StagedRows / 16;
        yield return "{";
        yield return ".reg .b32 to;";
        for (int n = 0; n < ColumnPieces; n++)
        {
            // The piece's chunks 2n and 2n + 1, as CudaGemmEpilogue.Place puts them.
            yield return $"xor.b32 to, %0, {((2 * n & 7) ^ (n >> 2)) * 16}; add.u32 to, to, shared;";
            for (int m = 0; m < pieces; m++)
            {
                int sum = ((part * pieces + m) * ColumnPieces + n) * 4, offset = m * 16 * rowBytes + (n >> 2) * 128;
                yield return $"st.shared.v2.f32 [to + {offset}], {{c{sum}, c{sum + 1}}}; st.shared.v2.f32 [to + {offset + 8 * rowBytes}], {{c{sum + 2}, c{sum + 3}}};";
            }
        }
        yield return "}";
    }

    private void Constants(SourceWriter w)
    {
        int sums = RowPieces * ColumnPieces * 4;
        w.Line($"// Accumulators c, fragments af and bf, the base of shared memory, and the stages that are written and read.");
        w.Constant($"{Name}Registers", Declarations(sums)).Line();
        w.Line("// Fills the next stage and moves on; without a tile left it is filled with zeros.");
        w.Constant($"{Name}Copy", [.. A.Copy(), .. B.Copy(), "cp.async.commit_group;", .. Advance("write")]).Line();
        w.Line($"// Multiplies the oldest stage: {Depth / StepDepth} steps of {RowPieces}×{ColumnPieces} products of 16×8×{StepDepth}.");
        w.Constant($"{Name}Multiply", Multiply()).Line();
    }

    private IEnumerable<string> Declarations(int sums)
    {
        yield return $".reg .f32 c<{sums}>; .reg .b32 af<{4 * RowPieces}>; .reg .b32 bf<{2 * ColumnPieces}>; .reg .b32 shared, write, read;";
        foreach (string line in A.Registers().Concat(B.Registers())) { yield return line; }
        yield return "mov.u32 shared, __dyn_shared_alloca; mov.b32 write, shared; mov.b32 read, shared;";
        for (int i = 0; i < sums; i += 8) { yield return string.Join(' ', Enumerable.Range(i, 8).Select(n => $"mov.f32 c{n}, 0f00000000;")); }
    }

    /// <summary>To the next stage of the ring.</summary>
    private IEnumerable<string> Advance(string stage)
    {
        yield return "{";
        yield return ".reg .pred last; .reg .b32 end;";
        yield return $"add.u32 end, shared, {(Tile.Stages - 1) * StageBytes}; setp.eq.u32 last, {stage}, end; add.u32 {stage}, {stage}, {StageBytes}; selp.b32 {stage}, shared, {stage}, last;";
        yield return "}";
    }

    private IEnumerable<string> Multiply()
    {
        yield return "{";
        foreach (string line in A.AddressRegisters().Concat(B.AddressRegisters())) { yield return line; }
        foreach (string line in A.TileAddresses(A.ReadsWords ? 2 * RowPieces : RowPieces).Concat(B.TileAddresses(B.ReadsWords ? ColumnPieces : ColumnPieces / 2))) { yield return line; }
        for (int step = 0; step < Depth / StepDepth; step++)
        {
            yield return $"// step {step}";
            foreach (string line in A.Fragments(step, RowPieces).Concat(B.Fragments(step, ColumnPieces / 2))) { yield return line; }
            if (!Bf16)
            {
                for (int i = 0; i < 4 * RowPieces; i += 4) { yield return string.Join(' ', Enumerable.Range(i, 4).Select(n => $"cvt.rna.tf32.f32 af{n}, af{n};")); }
                for (int i = 0; i < 2 * ColumnPieces; i += 4) { yield return string.Join(' ', Enumerable.Range(i, 4).Select(n => $"cvt.rna.tf32.f32 bf{n}, bf{n};")); }
            }
            foreach (string line in Products()) { yield return line; }
        }
        foreach (string line in Advance("read")) { yield return line; }
        yield return "}";
    }

    private IEnumerable<string> Products()
    {
        string instruction = Bf16 ? "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32" : "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32";
        for (int m = 0; m < RowPieces; m++)
        {
            for (int n = 0; n < ColumnPieces; n++)
            {
                int sum = (m * ColumnPieces + n) * 4;
                string c = $"{{c{sum}, c{sum + 1}, c{sum + 2}, c{sum + 3}}}", a = $"{{af{4 * m}, af{4 * m + 1}, af{4 * m + 2}, af{4 * m + 3}}}", b = $"{{bf{2 * n}, bf{2 * n + 1}}}";
                yield return $"{instruction} {c}, {a}, {b}, {c};";
            }
        }
    }
}
