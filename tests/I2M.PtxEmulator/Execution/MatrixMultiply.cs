using System.Runtime.Intrinsics;
using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

/// <summary>The formats of the operands of mma.sync; the result is f32.</summary>
internal enum MatrixFormat { BFloat16, Half, Tf32 }

/// <summary>
/// mma.sync.aligned.m16n8k*.row.col.f32: D = A · B + C for matrices that are spread over a warp. With g = lane / 4 and t = lane mod 4, in pieces
/// of 8 rows and 16 bytes: a register of A holds row g, bytes 4t … 4t + 3 (rows g + 8 in the odd registers, the next 16 bytes from the third on);
/// a register of B the same of Bᵀ; C and D have two columns 2t, 2t + 1 in rows g and g + 8.
/// <para>
/// Rounding: products of bf16, f16 and tf32 are exact in f32's fused multiply-add; the k products are added to C one after the other in f32,
/// each rounded to nearest. Devices add groups of products exactly and truncate, so their last bits differ, with errors of the same size.
/// tf32 operands lose their low 13 bits, as on devices.
/// </para>
/// </summary>
internal sealed unsafe class MatrixMultiplyOperation(MatrixFormat format, int depth, Slot[] d, Slot[] a, Slot[] b, Slot[] c) : Operation
{
    private const int Rows = 16, Columns = 8;

    public override void Execute(Warp warp, uint mask)
    {
        if (mask != Lanes.All) { warp.Block.Report(FindingKind.MissingLanes, this, warp, ~mask, "not all lanes take part in a matrix product"); }
        float* left = stackalloc float[Rows * depth], right = stackalloc float[depth * Columns], sum = stackalloc float[Rows * Columns];
        for (int n = 0; n < a.Length; n++) { UnpackLeft((uint*)(warp.Registers + a[n].Offset), left, n); }
        for (int n = 0; n < b.Length; n++) { UnpackRight((uint*)(warp.Registers + b[n].Offset), right, n); }
        for (int n = 0; n < c.Length; n++)
        {
            float* from = (float*)(warp.Registers + c[n].Offset);
            for (int lane = 0; lane < Lanes.Count; lane++) { sum[SumIndex(n, lane)] = from[lane]; }
        }
        Multiply(left, right, sum);
        for (int n = 0; n < d.Length; n++)
        {
            float* to = (float*)(warp.Registers + d[n].Offset);
            for (int lane = 0; lane < Lanes.Count; lane++)
            {
                if ((mask >> lane & 1) != 0) { to[lane] = sum[SumIndex(n, lane)]; }
            }
        }
    }

    private static int SumIndex(int register, int lane) => ((lane >> 2) + 8 * (register >> 1)) * Columns + 2 * (lane & 3) + (register & 1);

    private void Multiply(float* left, float* right, float* sum)
    {
        for (int row = 0; row < Rows; row += 2)
        {
            Vector256<float> upper = Vector256.Load(sum + row * Columns), lower = Vector256.Load(sum + (row + 1) * Columns);
            float* x = left + row * depth;
            for (int k = 0; k < depth; k++)
            {
                Vector256<float> y = Vector256.Load(right + k * Columns);
                upper = Vector256.FusedMultiplyAdd(Vector256.Create(x[k]), y, upper);
                lower = Vector256.FusedMultiplyAdd(Vector256.Create(x[k + depth]), y, lower);
            }
            upper.Store(sum + row * Columns);
            lower.Store(sum + (row + 1) * Columns);
        }
    }

    /// <summary>Register n of A, as rows of A in f32.</summary>
    private void UnpackLeft(uint* words, float* left, int n)
    {
        int perWord = format == MatrixFormat.Tf32 ? 1 : 2;
        for (int lane = 0; lane < Lanes.Count; lane++)
        {
            float* to = left + ((lane >> 2) + 8 * (n & 1)) * depth + ((lane & 3) + 4 * (n >> 1)) * perWord;
            to[0] = First(words[lane]);
            if (perWord == 2) { to[1] = Second(words[lane]); }
        }
    }

    /// <summary>Register n of B, as rows (over k) of B in f32.</summary>
    private void UnpackRight(uint* words, float* right, int n)
    {
        int perWord = format == MatrixFormat.Tf32 ? 1 : 2;
        for (int lane = 0; lane < Lanes.Count; lane++)
        {
            float* to = right + ((lane & 3) + 4 * n) * perWord * Columns + (lane >> 2);
            to[0] = First(words[lane]);
            if (perWord == 2) { to[Columns] = Second(words[lane]); }
        }
    }

    private float First(uint word) => format switch
    {
        MatrixFormat.BFloat16 => BitConverter.UInt32BitsToSingle(word << 16),
        MatrixFormat.Tf32 => BitConverter.UInt32BitsToSingle(word & ~0x1FFFu),
        _ => (float)BitConverter.UInt16BitsToHalf((ushort)word),
    };

    private float Second(uint word) =>
        format == MatrixFormat.BFloat16 ? BitConverter.UInt32BitsToSingle(word & 0xFFFF0000) : (float)BitConverter.UInt16BitsToHalf((ushort)(word >> 16));
}

/// <summary>
/// ldmatrix.sync.aligned.m8n8: matrices of 8 rows of 16 bytes; lanes 8n … 8n + 7 give the addresses of the rows of matrix n. A lane gets from
/// each matrix two elements of 16 bits: row lane / 4, columns 2 (lane mod 4) and the next; with .trans rows and columns exchanged.
/// </summary>
internal sealed unsafe class LoadMatrixOperation(Space space, AddressSlot address, Slot[] destinations, bool transposed) : MemoryOperation(space, address, 16)
{
    private const int Row = 16;

    protected override void Access(Warp warp, Space where, ulong* addresses, uint mask)
    {
        if (mask != Lanes.All) { warp.Block.Report(FindingKind.MissingLanes, this, warp, ~mask, "not all lanes take part in loading a matrix"); }
        byte** pointers = stackalloc byte*[Lanes.Count];
        ulong* zero = stackalloc ulong[2] { 0, 0 };
        uint rows = destinations.Length == 4 ? Lanes.All : (1u << (8 * destinations.Length)) - 1;
        uint good = warp.Block.Memory.Access(warp, this, where, addresses, Row, rows & mask, write: false, pointers);
        for (int lane = 0; lane < 8 * destinations.Length; lane++)
        {
            if ((good >> lane & 1) == 0) { pointers[lane] = (byte*)zero; }
        }
        for (int n = 0; n < destinations.Length; n++)
        {
            uint* to = (uint*)(warp.Registers + destinations[n].Offset);
            byte** row = pointers + 8 * n;
            for (int lane = 0; lane < Lanes.Count; lane++)
            {
                if ((mask >> lane & 1) == 0) { continue; }
                int g = lane >> 2, t = lane & 3;
                to[lane] = transposed ? ((ushort*)row[2 * t])[g] | (uint)((ushort*)row[2 * t + 1])[g] << 16 : ((uint*)row[g])[t];
            }
        }
    }
}
