namespace I2M.KernelGenerator.Gemm;

/// <summary>
/// The exact float32 product: 128×128 of c a group of 256 threads, 8×8 a thread in registers, 8 steps of k a stage, 4 stages. A warp computes 32×64: lane (y, x) of
/// 4×8 owns rows 4y … 4y + 3 and 16 further on, columns 4x … 4x + 3 and 32 further on, so that its 16-byte loads from shared memory are broadcasts (a) or
/// follow one another (b).
/// </summary>
/// <param name="Layout">"NN", "NT", "TN" or "TT".</param>
/// <param name="Aligned">Whether the rows of factors that do not lie along k start at multiples of 16 bytes and are copied in such pieces.</param>
internal sealed record SimtGemm(string Layout, bool Aligned)
{
    private const int Stages = 4, StageBytes = 2 * SimtOperand.Bytes, WarpRows = 32, WarpColumns = 64, StagedRows = 16;

    private const int StagedBytes = StagedRows * WarpColumns * 4;

    private SimtOperand A => new("a", Layout[0] == 'N', Aligned, 0);

    private SimtOperand B => new("b", Layout[1] == 'T', Aligned, SimtOperand.Bytes);

    /// <summary>The method's name.</summary>
    public string Name => $"F32{Layout[0]}{char.ToLowerInvariant(Layout[1])}128x128x8{(Aligned ? "Aligned" : "")}";

    /// <summary>The kernel's file.</summary>
    public GeneratedFile File()
    {
        var w = new SourceWriter("Gemm/SimtGemm.cs", "ILGPU", "ILGPU.Runtime.Cuda");
        w.Open("internal static partial class SimtGemmKernels");
        w.Line("// Accumulators c [8][8], factors x and y, the base of shared memory, and the stages that are written and read.");
        w.Constant($"{Name}Registers", Declarations()).Line();
        w.Line("// Fills the next stage and moves on; without a tile left it is filled with zeros.");
        w.Constant($"{Name}Copy", [.. A.Copy(), .. B.Copy(), "cp.async.commit_group;", .. Advance("write")]).Line();
        w.Line("// Multiplies the oldest stage.");
        w.Constant($"{Name}Multiply", Multiply()).Line();
        w.Line($"/// <summary>c = epilogue(op(a) · op(b)) in float32, {Layout}: 128×128 of c a group of 256 threads with 8×8 each, 8 steps of k a stage, {Stages} stages{(Aligned ? "; rows start at multiples of 16 bytes" : "")}.</summary>");
        w.Line($"[KernelBounds({SimtOperand.Threads}, MinGroups = 2, SharedBytes = {Stages * StageBytes})]");
        w.Open($"public static void {Name}({TensorGemm.Parameters})");
        Body(w);
        w.Close().Close();
        return new GeneratedFile($"{Name}.cs", w.ToString());
    }

    private void Body(SourceWriter w)
    {
        w.Line("ArrayView<Float4> staged = SharedMemory.GetDynamic<Float4>();");
        w.Line("int thread = Group.IdxX, lane = thread & 31, warp = thread >> 5;");
        w.Line($"int warpRow = warp % 4 * {WarpRows}, warpColumn = warp / 4 * {WarpColumns};");
        w.Line("CudaGemmPlace place = CudaGemmPlace.Of(s, Grid.IdxX, 128, 128);");
        w.Emit($"{Name}Registers");
        A.Setup(w, "warpRow + 4 * (lane >> 3)");
        B.Setup(w, "warpColumn + 4 * (lane & 7)");
        w.Line();
        w.Line("// All stages but one are under way before the first product.");
        for (int i = 1; i < Stages; i++) { w.Emit($"{Name}Copy"); }
        w.Open($"for (int k = 0; k < place.Depth; k += {SimtOperand.Depth})");
        w.Line("// The oldest stage has arrived for everybody, and everybody is done with the one that is filled next.");
        w.Line($"CudaAsm.Emit(\"cp.async.wait_group {Stages - 2}; bar.sync 0;\");");
        w.Emit($"{Name}Copy");
        w.Emit($"{Name}Multiply");
        w.Close();
        w.Line("CudaAsm.Emit(\"cp.async.wait_group 0; bar.sync 0;\");");
        w.Line();
        w.Line($"// {StagedRows} rows of each warp at a time through shared memory, so that a lane gets eight columns of a row.");
        w.Line("var views = new CudaGemmViews { C = c, Bias = bias, Activation = activation, Residual = residual, Sums = sums };");
        w.Line("// An activation and sums of columns are passes of their own and c is float32: constants, so that the code of the other cases takes no registers.");
        w.Line("s.Activation = 0;");
        w.Line("s.Narrow = 0;");
        w.Line("s.SumRows = 0;");
        w.Line($"int first = warp * {StagedBytes / 16};");
        w.Line($"int write = first * 16 + (lane >> 3) * {4 * WarpColumns * 4} + (lane & 7) * 16;");
        w.Open("for (int part = 0; part < 2; part++)");
        w.Open("if (part == 0)").Emit(StageSums(0), "write").Close();
        w.Open("else").Emit(StageSums(1), "write").Close();
        w.Line("CudaAsm.Emit(\"bar.warp.sync 0xffffffff;\");");
        w.Line($"CudaGemmEpilogue.StoreRows(staged, first, {StagedRows}, {WarpColumns}, warpRow + {StagedRows} * part, warpColumn, place, views, s);");
        w.Line("CudaAsm.Emit(\"bar.warp.sync 0xffffffff;\");");
        w.Close();
    }

    private IEnumerable<string> Declarations()
    {
        yield return ".reg .f32 c<64>; .reg .f32 x<8>; .reg .f32 y<8>; .reg .b32 shared, write, read;";
        foreach (string line in A.Registers().Concat(B.Registers())) { yield return line; }
        yield return "mov.u32 shared, __dyn_shared_alloca; mov.b32 write, shared; mov.b32 read, shared;";
        for (int i = 0; i < 64; i += 8) { yield return string.Join(' ', Enumerable.Range(i, 8).Select(n => $"mov.f32 c{n}, 0f00000000;")); }
    }

    private static IEnumerable<string> Advance(string stage)
    {
        yield return "{";
        yield return ".reg .pred last; .reg .b32 end;";
        yield return $"add.u32 end, shared, {(Stages - 1) * StageBytes}; setp.eq.u32 last, {stage}, end; add.u32 {stage}, {stage}, {StageBytes}; selp.b32 {stage}, shared, {stage}, last;";
        yield return "}";
    }

    private static IEnumerable<string> Multiply()
    {
        yield return "{";
        yield return ".reg .b32 aAt, bAt; add.u32 aAt, read, aRead; add.u32 bAt, read, bRead;";
        for (int k = 0; k < SimtOperand.Depth; k++)
        {
            int at = k * SimtOperand.Pitch;
            yield return $"// step {k}";
            yield return $"ld.shared.v4.f32 {{x0, x1, x2, x3}}, [aAt + {at}]; ld.shared.v4.f32 {{x4, x5, x6, x7}}, [aAt + {at + 64}];";
            yield return $"ld.shared.v4.f32 {{y0, y1, y2, y3}}, [bAt + {at}]; ld.shared.v4.f32 {{y4, y5, y6, y7}}, [bAt + {at + 128}];";
            for (int i = 0; i < 8; i++) { yield return string.Join(' ', Enumerable.Range(0, 8).Select(j => $"fma.rn.f32 c{8 * i + j}, x{i}, y{j}, c{8 * i + j};")); }
        }
        foreach (string line in Advance("read")) { yield return line; }
        yield return "}";
    }

    /// <summary>Rows 4y … 4y + 3 of a half: chunks x and 8 + x of each, as CudaGemmEpilogue.Place puts them.</summary>
    private static IEnumerable<string> StageSums(int part)
    {
        yield return "{";
        yield return ".reg .b32 to;";
        for (int i = 0; i < 4; i++)
        {
            for (int half = 0; half < 2; half++)
            {
                int sum = (part * 4 + i) * 8 + 4 * half;
                yield return $"xor.b32 to, %0, {((((i & 1) * 5) | (i & 2)) ^ half) * 16}; add.u32 to, to, shared; st.shared.v4.f32 [to + {i * WarpColumns * 4 + half * 128}], {{c{sum}, c{sum + 1}, c{sum + 2}, c{sum + 3}}};";
            }
        }
        yield return "}";
    }
}
