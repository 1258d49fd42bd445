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
    private const int Rows = 16, Columns = 8, RowWords = 4;

    /// <summary>Elements of A or Bᵀ in the 16 bytes of a row of a register.</summary>
    private readonly int _rowElements = format == MatrixFormat.Tf32 ? 4 : 8;

    public override void Execute(Warp warp, uint mask)
    {
        if (mask != Lanes.All) { warp.Block.Report(FindingKind.MissingLanes, this, warp, ~mask, "not all lanes take part in a matrix product"); }
        float* left = stackalloc float[Rows * depth], right = stackalloc float[depth * Columns], result = stackalloc float[4 * Lanes.Count];
        for (int n = 0; n < a.Length; n++) { UnpackLeft((uint*)(warp.Registers + a[n].Offset), left, n); }
        for (int n = 0; n < b.Length; n++) { UnpackRight((uint*)(warp.Registers + b[n].Offset), right, n); }
        Multiply(warp, left, right, result);
        for (int n = 0; n < d.Length; n++)
        {
            float* to = (float*)(warp.Registers + d[n].Offset);
            for (int i = 0; i < Lanes.Count; i += Vector256<float>.Count) { Lanes.Store(to, i, Vector256.Load(result + n * Lanes.Count + i), mask); }
        }
    }

    /// <summary>
    /// A row of C is four lanes of two registers, the even columns in the first; <paramref name="right"/> has its columns in the same order, so
    /// that no element has to move.
    /// </summary>
    private void Multiply(Warp warp, float* left, float* right, float* result)
    {
        float* even = (float*)(warp.Registers + c[0].Offset), odd = (float*)(warp.Registers + c[1].Offset);
        float* lowerEven = (float*)(warp.Registers + c[2].Offset), lowerOdd = (float*)(warp.Registers + c[3].Offset);
        for (int g = 0; g < 8; g++)
        {
            int at = g * RowWords;
            Vector256<float> upper = Vector256.Create(Vector128.Load(even + at), Vector128.Load(odd + at));
            Vector256<float> lower = Vector256.Create(Vector128.Load(lowerEven + at), Vector128.Load(lowerOdd + at));
            float* x = left + g * depth, y = left + (g + 8) * depth;
            for (int k = 0; k < depth; k++)
            {
                Vector256<float> row = Vector256.Load(right + k * Columns);
                upper = Vector256.FusedMultiplyAdd(Vector256.Create(x[k]), row, upper);
                lower = Vector256.FusedMultiplyAdd(Vector256.Create(y[k]), row, lower);
            }
            upper.GetLower().Store(result + at);
            upper.GetUpper().Store(result + Lanes.Count + at);
            lower.GetLower().Store(result + 2 * Lanes.Count + at);
            lower.GetUpper().Store(result + 3 * Lanes.Count + at);
        }
    }

    /// <summary>Register n of A, as parts of rows of A in f32.</summary>
    private void UnpackLeft(uint* words, float* left, int n)
    {
        for (int g = 0; g < 8; g++) { UnpackRow(words + g * RowWords, left + (g + 8 * (n & 1)) * depth + (n >> 1) * _rowElements); }
    }

    /// <summary>Register n of B, as rows over k in f32, the even columns first.</summary>
    private void UnpackRight(uint* words, float* right, int n)
    {
        float* row = stackalloc float[8];
        for (int g = 0; g < 8; g++)
        {
            UnpackRow(words + g * RowWords, row);
            float* to = right + n * _rowElements * Columns + (g >> 1) + 4 * (g & 1);
            for (int k = 0; k < _rowElements; k++) { to[k * Columns] = row[k]; }
        }
    }

    private void UnpackRow(uint* words, float* to)
    {
        Vector128<uint> row = Vector128.Load(words);
        switch (format)
        {
            case MatrixFormat.Tf32:
                (row & Vector128.Create(~0x1FFFu)).AsSingle().Store(to);
                break;
            case MatrixFormat.BFloat16:
                (Vector128<uint> first, Vector128<uint> second) = Vector128.Widen(row.AsUInt16());
                (first << 16).AsSingle().Store(to);
                (second << 16).AsSingle().Store(to + 4);
                break;
            default:
                for (int i = 0; i < 8; i++) { to[i] = (float)((Half*)words)[i]; }
                break;
        }
    }
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
