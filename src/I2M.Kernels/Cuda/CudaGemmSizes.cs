using System.Runtime.CompilerServices;
using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// Sizes of a product on CUDA; leading dimensions, strides and places count elements. A number of a product's batch, or of a part of one whose sum is split, is an
/// "item"; the parts of a product follow one another and cover K in steps of <see cref="SplitDepth"/>.
/// </summary>
internal struct CudaGemmSizes
{
    public int M, N, K, RowTiles, ColumnTiles, LeadingA, LeadingB, LeadingC;
    public long StrideA, StrideB, StrideC;

    /// <summary>Summed elements of an item when the sum is split (the last may have fewer); otherwise 0.</summary>
    public int SplitDepth;

    /// <summary>Elements between two steps of k in a and in b.</summary>
    public long StepA, StepB;

    /// <summary>1: c and the activation's view hold bfloat16.</summary>
    public int Narrow;

    /// <summary>1: every view of the epilogue is aligned so that eight columns travel in 16-byte accesses.</summary>
    public int Wide;

    /// <summary>Parts of the epilogue, 1 where they are wanted; see <see cref="GemmEpilogue"/>.</summary>
    public int HasBias, HasResidual, Accumulate, KeepsPreActivation;

    /// <summary>Rows of partial sums of columns that an item leaves, [items, SumRows, n]; 0 where they are not wanted.</summary>
    public int SumRows;

    /// <summary>0 none, 1 GELU, 2 its gradient; and 1 for the tanh form.</summary>
    public int Activation, Tanh;
}

/// <summary>Where a group's tile lies.</summary>
internal struct CudaGemmPlace
{
    /// <summary>Tiles of rows that neighbouring groups walk down before they step to the next column: their rows of a and columns of b stay in the L2 cache.</summary>
    private const int RowTilesTogether = 8;

    /// <summary>The item, and first row and column of the tile.</summary>
    public int Item, Row, Column;

    /// <summary>Elements to sum.</summary>
    public int Depth;

    /// <summary>First element of the item in a, b and c.</summary>
    public long StartA, StartB, StartC;

    /// <summary>The place of a group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CudaGemmPlace Of(CudaGemmSizes s, int group, int tileRows, int tileColumns)
    {
        int tiles = s.RowTiles * s.ColumnTiles;
        int item = group / tiles;
        int tile = group - item * tiles;
        int band = tile / (RowTilesTogether * s.ColumnTiles);
        int first = band * RowTilesTogether;
        int together = IntrinsicMath.Min(RowTilesTogether, s.RowTiles - first);
        tile -= first * s.ColumnTiles;
        int column = tile / together;
        int product = item, start = 0, depth = s.K;
        if (s.SplitDepth > 0)
        {
            int splits = (s.K + s.SplitDepth - 1) / s.SplitDepth;
            product = item / splits;
            start = (item - product * splits) * s.SplitDepth;
            depth = IntrinsicMath.Min(s.SplitDepth, s.K - start);
        }
        return new CudaGemmPlace
        {
            Item = item,
            Row = (first + tile - column * together) * tileRows,
            Column = column * tileColumns,
            Depth = depth,
            StartA = product * s.StrideA + start * s.StepA,
            StartB = product * s.StrideB + start * s.StepB,
            StartC = item * s.StrideC,
        };
    }
}
