using Xunit;

namespace I2M.PtxEmulator.Tests;

/// <summary>
/// Matrix instructions against the layouts of the PTX manual (9.7.14, "Matrix fragments for mma.m16n8k16", "…m16n8k8", "ldmatrix"), which are
/// written down here element by element and not as the emulator has them.
/// </summary>
public sealed class MatrixTests
{
    /// <summary>Small integers, which are exact in bf16 and tf32, and whose sums are exact in f32.</summary>
    private static float Value(int seed, int row, int column) => (row * 7 + column * 3 + seed) % 11 - 5;

    private static uint BFloat(float value) => BitConverter.SingleToUInt32Bits(value) >> 16;

    private static float[,] Matrix(int seed, int rows, int columns)
    {
        float[,] matrix = new float[rows, columns];
        for (int r = 0; r < rows; r++)
        {
            for (int c = 0; c < columns; c++) { matrix[r, c] = Value(seed, r, c); }
        }
        return matrix;
    }

    /// <summary>Loads count words per lane, word n of lane l at n · 32 + l, into %r(first + n).</summary>
    private static string Load(int first, int count, int start) =>
        string.Join('\n', Enumerable.Range(0, count).Select(n => $"ld.global.b32 %r{first + n}, [%rd3+{(start + n) * 128}];"));

    private static float[,] Multiply(string shape, uint[][] a, uint[][] b, float[,] c)
    {
        using var bench = new Workbench();
        uint[] input = new uint[(a.Length + b.Length + 4) * 32];
        for (int n = 0; n < a.Length; n++) { a[n].CopyTo(input, n * 32); }
        for (int n = 0; n < b.Length; n++) { b[n].CopyTo(input, (a.Length + n) * 32); }
        for (int lane = 0; lane < 32; lane++)
        {
            // Manual: row = groupID for c0 and c1, groupID + 8 for c2 and c3; column = threadID_in_group * 2 + (i & 1).
            for (int i = 0; i < 4; i++) { input[(a.Length + b.Length + i) * 32 + lane] = BitConverter.SingleToUInt32Bits(c[lane / 4 + (i < 2 ? 0 : 8), lane % 4 * 2 + i % 2]); }
        }
        ulong from = bench.Buffer<uint>(input), to = bench.Memory.Allocate(512);
        string As = string.Join(',', Enumerable.Range(0, a.Length).Select(n => $"%r{10 + n}")), Bs = string.Join(',', Enumerable.Range(0, b.Length).Select(n => $"%r{20 + n}"));
        bench.With(from).With(to).RunClean(Ptx.Kernel($$"""
            {{Load(10, a.Length, 0)}}
            {{Load(20, b.Length, a.Length)}}
            {{Load(30, 4, a.Length + b.Length)}}
            .reg .f32 acc<4>;
            mov.b32 acc0, %r30; mov.b32 acc1, %r31; mov.b32 acc2, %r32; mov.b32 acc3, %r33;
            mma.sync.aligned.{{shape}} {acc0,acc1,acc2,acc3}, { {{As}} }, { {{Bs}} }, {acc0,acc1,acc2,acc3};
            st.global.f32 [%rd4], acc0; st.global.f32 [%rd4+128], acc1; st.global.f32 [%rd4+256], acc2; st.global.f32 [%rd4+384], acc3;
            """), Workbench.Line(1, 32));
        float[] words = bench.Memory.Read<float>(to, 128);
        float[,] d = new float[16, 8];
        for (int lane = 0; lane < 32; lane++)
        {
            for (int i = 0; i < 4; i++) { d[lane / 4 + (i < 2 ? 0 : 8), lane % 4 * 2 + i % 2] = words[i * 32 + lane]; }
        }
        return d;
    }

    private static float[,] Product(float[,] a, float[,] b, float[,] c)
    {
        float[,] d = new float[16, 8];
        for (int r = 0; r < 16; r++)
        {
            for (int n = 0; n < 8; n++)
            {
                d[r, n] = c[r, n];
                for (int k = 0; k < a.GetLength(1); k++) { d[r, n] += a[r, k] * b[k, n]; }
            }
        }
        return d;
    }

    [Fact]
    public void Mma_m16n8k16_bf16_multiplies_by_the_layout_of_the_manual()
    {
        float[,] a = Matrix(1, 16, 16), b = Matrix(2, 16, 8), c = Matrix(3, 16, 8);
        uint[][] fa = [new uint[32], new uint[32], new uint[32], new uint[32]], fb = [new uint[32], new uint[32]];
        for (int lane = 0; lane < 32; lane++)
        {
            int group = lane / 4, thread = lane % 4;
            for (int i = 0; i < 8; i++)
            {
                // Manual: row = groupID for 0 <= i < 2 || 4 <= i < 6, else groupID + 8; column = threadID * 2 + (i & 1) for i < 4, else + 8.
                int row = i is 0 or 1 or 4 or 5 ? group : group + 8, column = thread * 2 + i % 2 + (i >= 4 ? 8 : 0);
                fa[i / 2][lane] |= BFloat(a[row, column]) << (16 * (i % 2));
            }
            for (int i = 0; i < 4; i++) { fb[i / 2][lane] |= BFloat(b[thread * 2 + i % 2 + (i >= 2 ? 8 : 0), group]) << (16 * (i % 2)); }
        }
        Assert.Equal(Product(a, b, c), Multiply("m16n8k16.row.col.f32.bf16.bf16.f32", fa, fb, c));

        // Two registers of A exchanged: the emulator notices.
        (fa[1], fa[2]) = (fa[2], fa[1]);
        Assert.NotEqual(Product(a, b, c), Multiply("m16n8k16.row.col.f32.bf16.bf16.f32", fa, fb, c));
    }

    [Fact]
    public void Mma_m16n8k8_bf16_multiplies_by_the_layout_of_the_manual()
    {
        float[,] a = Matrix(4, 16, 8), b = Matrix(5, 8, 8), c = Matrix(6, 16, 8);
        uint[][] fa = [new uint[32], new uint[32]], fb = [new uint[32]];
        for (int lane = 0; lane < 32; lane++)
        {
            int group = lane / 4, thread = lane % 4;
            for (int i = 0; i < 4; i++) { fa[i / 2][lane] |= BFloat(a[i < 2 ? group : group + 8, thread * 2 + i % 2]) << (16 * (i % 2)); }
            for (int i = 0; i < 2; i++) { fb[0][lane] |= BFloat(b[thread * 2 + i, group]) << (16 * i); }
        }
        Assert.Equal(Product(a, b, c), Multiply("m16n8k8.row.col.f32.bf16.bf16.f32", fa, fb, c));
    }

    [Fact]
    public void Mma_m16n8k8_tf32_multiplies_by_the_layout_of_the_manual_and_ignores_low_bits()
    {
        float[,] a = Matrix(7, 16, 8), b = Matrix(8, 8, 8), c = Matrix(9, 16, 8);
        uint[][] fa = [new uint[32], new uint[32], new uint[32], new uint[32]], fb = [new uint[32], new uint[32]];
        for (int lane = 0; lane < 32; lane++)
        {
            int group = lane / 4, thread = lane % 4;
            // Manual: a0 (g, t), a1 (g + 8, t), a2 (g, t + 4), a3 (g + 8, t + 4); b0 (t, g), b1 (t + 4, g). The low 13 bits are noise.
            for (int i = 0; i < 4; i++) { fa[i][lane] = BitConverter.SingleToUInt32Bits(a[i % 2 == 0 ? group : group + 8, thread + (i >= 2 ? 4 : 0)]) | 0x1FFF; }
            for (int i = 0; i < 2; i++) { fb[i][lane] = BitConverter.SingleToUInt32Bits(b[thread + 4 * i, group]) | 0x1ABC; }
        }
        Assert.Equal(Product(a, b, c), Multiply("m16n8k8.row.col.f32.tf32.tf32.f32", fa, fb, c));
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(4, false)]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(4, true)]
    public void Ldmatrix_gives_each_lane_the_elements_of_the_manual(int count, bool transposed)
    {
        using var bench = new Workbench();
        ushort[] elements = [.. Enumerable.Range(0, 4 * 64).Select(i => (ushort)(i * 3 + 1))];
        ulong from = bench.Buffer<ushort>(elements), to = bench.Memory.Allocate(512);
        string registers = string.Join(',', Enumerable.Range(0, count).Select(n => $"%r{20 + n}"));
        string stores = string.Join('\n', Enumerable.Range(0, count).Select(n => $"st.global.b32 [%rd4+{n * 128}], %r{20 + n};"));
        LaunchReport report = bench.With(from).With(to).RunClean(Ptx.Kernel($$"""
            mul.wide.u32 %rd7, %r1, 16;
            add.u64 %rd8, %rd1, %rd7;
            ld.global.v4.b32 {%r10,%r11,%r12,%r13}, [%rd8];
            mov.u32 %r2, tile;
            shl.b32 %r3, %r1, 4;
            add.u32 %r2, %r2, %r3;
            st.shared.v4.b32 [%r2], {%r10,%r11,%r12,%r13};
            bar.sync 0;
            ldmatrix.sync.aligned.m8n8.x{{count}}{{(transposed ? ".trans" : "")}}.shared.b16 { {{registers}} }, [%r2];
            {{stores}}
            """, ".shared .align 16 .b8 tile[512];"), Workbench.Line(1, 32));
        uint[] words = bench.Memory.Read<uint>(to, 32 * count);
        for (int n = 0; n < count; n++)
        {
            for (int lane = 0; lane < 32; lane++)
            {
                // Manual: thread T holds row T / 4, elements 2 (T % 4) and 2 (T % 4) + 1 of each matrix; with .trans of its transpose.
                int row = lane / 4, column = lane % 4 * 2;
                uint low = transposed ? elements[n * 64 + column * 8 + row] : elements[n * 64 + row * 8 + column];
                uint high = transposed ? elements[n * 64 + (column + 1) * 8 + row] : elements[n * 64 + row * 8 + column + 1];
                Assert.Equal(low | high << 16, words[n * 32 + lane]);
            }
        }
        Assert.Equal(1, report.Instructions(InstructionClass.LdMatrix));
        Assert.Equal(0, report.SharedBankConflicts);
    }
}
