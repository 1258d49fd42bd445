namespace I2M.KernelGenerator.Flash;

/// <summary>
/// The tiles of an attention kernel. Its "left" matrices (Q; K and V; Q and dO) stay: a block owns <see cref="Rows"/> of their rows and a
/// warp 16·<see cref="WarpTiles"/> of these. Its two "right" matrices come by in tiles of <see cref="Columns"/> rows, two stages deep.
/// </summary>
/// <param name="HeadDim">Channels of a row in shared memory; shorter heads are filled up with zeros.</param>
/// <param name="Warps">Warps of a block, 4 or 2.</param>
/// <param name="WarpTiles">Tiles of 16 rows that a warp owns.</param>
/// <param name="Columns">Rows of a right tile, which are columns of the scores.</param>
/// <param name="Held">Whether the left fragments are loaded once and stay in registers.</param>
/// <param name="MinGroups">Groups a multiprocessor, which gives the register budget.</param>
/// <param name="LeftMatrices">1 or 2.</param>
/// <param name="StatisticsBytes">Bytes that a stage holds beside its two tiles.</param>
internal sealed record FlashShape(int HeadDim, int Warps, int WarpTiles, int Columns, bool Held, int MinGroups, int LeftMatrices, int StatisticsBytes = 0)
{
    /// <summary>Threads of a block.</summary>
    public int Threads => 32 * Warps;

    /// <summary>Bytes of a row in shared memory.</summary>
    public int RowBytes => 2 * HeadDim;

    /// <summary>Rows of a block.</summary>
    public int Rows => 16 * Warps * WarpTiles;

    /// <summary>Threads that copy a row together, 16 bytes each.</summary>
    public int RowThreads => HeadDim % 64 == 0 ? 8 : 4;

    /// <summary>Rows that the block copies at once.</summary>
    public int PassRows => Threads / RowThreads;

    /// <summary>Chunks of 16 bytes that a thread copies of a row.</summary>
    public int Parts => HeadDim / 8 / RowThreads;

    /// <summary>Bytes from a thread's chunk to its next in the row.</summary>
    public int PartBytes => 16 * RowThreads;

    /// <summary>Bytes of one left matrix.</summary>
    public int LeftBytes => Rows * RowBytes;

    /// <summary>Bytes of one right tile.</summary>
    public int TileBytes => Columns * RowBytes;

    /// <summary>Bytes of a stage.</summary>
    public int StageBytes => 2 * TileBytes + StatisticsBytes;

    /// <summary>First stage.</summary>
    public int StageStart => LeftMatrices * LeftBytes;

    /// <summary>Dynamic shared memory.</summary>
    public int SharedBytes => StageStart + 2 * StageBytes;

    /// <summary>Tiles of 8 columns of the scores.</summary>
    public int ScoreTiles => Columns / 8;

    /// <summary>Tiles of 8 channels.</summary>
    public int ChannelTiles => HeadDim / 8;

    /// <summary>Steps of 16 channels.</summary>
    public int ChannelSteps => HeadDim / 16;

    /// <summary>Sets of 8 rows of which a lane holds scores and sums: rows g and g + 8 of each of its warp's tiles.</summary>
    public int RowSets => 2 * WarpTiles;

    /// <summary>Registers of a warp's scores.</summary>
    public int Scores => WarpTiles * ScoreTiles * 4;

    /// <summary>Registers of a warp's sums over channels.</summary>
    public int Sums => WarpTiles * ChannelTiles * 4;

    /// <summary>Registers of a left matrix's fragments.</summary>
    public int Fragments => WarpTiles * ChannelSteps * 4;

    /// <summary>First of the two scores of row set <paramref name="set"/> in tile <paramref name="tile"/>.</summary>
    public int Score(int set, int tile) => (set / 2 * ScoreTiles + tile) * 4 + set % 2 * 2;

    /// <summary>First of the two sums of row set <paramref name="set"/> in tile <paramref name="tile"/> of channels.</summary>
    public int Sum(int set, int tile) => (set / 2 * ChannelTiles + tile) * 4 + set % 2 * 2;

    /// <summary>Width and rows in a class name.</summary>
    public string Name => $"{HeadDim}Rows{Rows}";

    /// <summary>The arguments of KernelBounds.</summary>
    public string Bounds => $"{Threads}, MinGroups = {MinGroups}, SharedBytes = {SharedBytes}";

    /// <summary>
    /// The number with which a row's chunks are exchanged (chunk XOR this), so that eight rows at one chunk lie in eight different groups of four banks.
    /// Rows of 128 and 256 bytes begin in one bank and need three bits of the row; those of 64 and 192 bytes alternate between two halves and need two.
    /// </summary>
    public string Swizzle(string row) => RowThreads == 8 ? $"({row} & 7)" : $"({row} >> 1 & 3)";
}
