namespace I2M.Kernels.Host;

/// <summary>
/// Matrix product by packing and register tiles (Goto and van de Geijn 2008). A slab of both factors is packed into panels, then the
/// tiles of c are computed in parallel, each by one thread over the slab's whole depth, so the sums do not depend on the thread count.
/// Sizes: a right panel of <see cref="BlockDepth"/> rows stays close to the core while the left panels of a tile pass from L2; a slab bounds the
/// scratch memory for any shape.
/// </summary>
internal sealed unsafe class HostGemm<TWidth, TVector>
    where TWidth : struct, IVectorWidth<TVector>
    where TVector : struct
{
    private const int BlockDepth = 384;
    private const int SlabDepth = 1536;
    private const int SlabRows = 3072;
    private const long SlabWords = 4 << 20;
    private const int TileRows = 192;
    private const int TileColumns = 384;
    /// <summary>Fewest tiles that a product is cut into while they are worth a thread, for an even load.</summary>
    private const int WantedTiles = 16;
    /// <summary>Multiply-adds that are worth waking a thread.</summary>
    private const long ParallelWork = 1 << 18;
    /// <summary>Words that are worth waking a thread for packing.</summary>
    private const int PackGrain = 1 << 14;

    private static readonly int s_panelRows = TWidth.PanelRows;
    private static readonly int s_panelColumns = 2 * TWidth.Count;

    private readonly GemmShape _shape;
    private readonly float* _a, _b, _bias, _c;
    private float* _left, _right;
    private int _item, _items, _leftItems, _rightItems, _row, _rows, _depthStart, _depth, _leftPanels, _rightPanels, _tileRows, _tileColumns;

    private HostGemm(float* a, float* b, float* bias, in GemmShape shape, float* c)
    {
        _shape = shape;
        _a = a;
        _b = b;
        _bias = bias;
        _c = c;
    }

    /// <summary>Computes the product that <see cref="IBackend.Gemm"/> describes.</summary>
    public static void Run(ForRows threads, BufferPool pool, float* a, float* b, float* bias, in GemmShape shape, float* c)
    {
        if (shape.M == 0 || shape.N == 0 || shape.Batch == 0) { return; }
        GemmShape folded = Fold(shape);
        if (Math.Min(folded.M, folded.N) <= HostSkinnyGemm<TWidth, TVector>.MostRows)
        {
            HostSkinnyGemm<TWidth, TVector>.Run(threads, pool, a, b, bias, folded, c);
            return;
        }
        new HostGemm<TWidth, TVector>(a, b, bias, folded, c).Slabs(threads, pool);
    }

    /// <summary>A batch of adjacent left factors against one right factor is one taller product.</summary>
    private static GemmShape Fold(in GemmShape s)
    {
        bool adjacent = s.Batch > 1 && s.StrideB == 0 && !s.TransposeA && s.StrideA == (long)s.M * s.LeadingA && s.StrideC == (long)s.M * s.LeadingC;
        return adjacent && (long)s.M * s.Batch <= int.MaxValue ? s with { M = s.M * s.Batch, Batch = 1 } : s;
    }

    private static int Divide(long x, long y) => (int)((x + y - 1) / y);

    private void Slabs(ForRows threads, BufferPool pool)
    {
        int depth = Math.Min(_shape.K, SlabDepth), rows = Math.Min(_shape.M, SlabRows / s_panelRows * s_panelRows);
        _rightPanels = Divide(_shape.N, s_panelColumns);
        long leftWords = (long)Divide(rows, s_panelRows) * s_panelRows * depth, rightWords = (long)_rightPanels * s_panelColumns * depth;
        int group = (int)Math.Clamp(SlabWords / Math.Max(1, leftWords + rightWords), 1, _shape.Batch);
        using var scope = new BufferScope(pool);
        _left = HostBackend.Pointer(scope.Rent(leftWords * (_shape.StrideA == 0 ? 1 : group)));
        _right = HostBackend.Pointer(scope.Rent(rightWords * (_shape.StrideB == 0 ? 1 : group)));
        for (_item = 0; _item < _shape.Batch; _item += group)
        {
            _items = Math.Min(group, _shape.Batch - _item);
            _leftItems = _shape.StrideA == 0 ? 1 : _items;
            _depthStart = 0;
            do
            {
                _depth = Math.Min(depth, _shape.K - _depthStart);
                for (_row = 0; _row < _shape.M; _row += rows)
                {
                    _rows = Math.Min(rows, _shape.M - _row);
                    _rightItems = _row > 0 ? 0 : _shape.StrideB == 0 ? 1 : _items;
                    Slab(threads);
                }
                _depthStart += depth;
            } while (_depthStart < _shape.K);
        }
    }

    private void Slab(ForRows threads)
    {
        _leftPanels = Divide(_rows, s_panelRows);
        long panels = (long)_leftItems * _leftPanels + (long)_rightItems * _rightPanels;
        threads.Run(panels, Math.Max(1, PackGrain / Math.Max(1, s_panelColumns * _depth)), Pack);
        ChooseTile();
        long tiles = (long)_items * Divide(_rows, _tileRows) * Divide(_shape.N, _tileColumns);
        threads.Run(tiles, Math.Max(1, ParallelWork / Math.Max(1, (long)_tileRows * _tileColumns * _depth)), Tiles);
    }

    /// <summary>Halves the tile, columns and rows in turn, until there are enough of them; depends on the shape alone.</summary>
    private void ChooseTile()
    {
        _tileRows = TileRows;
        _tileColumns = TileColumns;
        for (bool columns = true; (long)_items * Divide(_rows, _tileRows) * Divide(_shape.N, _tileColumns) < WantedTiles; columns = !columns)
        {
            if (_tileRows <= 2 * s_panelRows && _tileColumns <= 2 * s_panelColumns) { return; }
            if (columns) { _tileColumns = Math.Max(2 * s_panelColumns, _tileColumns / 2); }
            else { _tileRows = Math.Max(2 * s_panelRows, _tileRows / 2); }
        }
    }

    private void Pack(long start, long end)
    {
        for (long panel = start; panel < end; panel++)
        {
            long lefts = (long)_leftItems * _leftPanels;
            if (panel < lefts) { PackLeft((int)(panel / _leftPanels), (int)(panel % _leftPanels)); }
            else { PackRight((int)((panel - lefts) / _rightPanels), (int)((panel - lefts) % _rightPanels)); }
        }
    }

    private void PackLeft(int item, int panel)
    {
        int row = _row + panel * s_panelRows, valid = Math.Min(s_panelRows, _row + _rows - row);
        float* a = _a + (_item + item) * _shape.StrideA;
        float* destination = LeftPanel(item, panel);
        long leading = _shape.LeadingA;
        if (_shape.TransposeA) { HostPacking.PackColumns(a + _depthStart * leading + row, leading, valid, _depth, s_panelRows, destination); }
        else { HostPacking.PackRows(a + row * leading + _depthStart, leading, valid, _depth, s_panelRows, destination); }
    }

    private void PackRight(int item, int panel)
    {
        int column = panel * s_panelColumns, valid = Math.Min(s_panelColumns, _shape.N - column);
        float* b = _b + (_item + item) * _shape.StrideB;
        float* destination = RightPanel(item, panel);
        long leading = _shape.LeadingB;
        if (_shape.TransposeB) { HostPacking.PackRows(b + column * leading + _depthStart, leading, valid, _depth, s_panelColumns, destination); }
        else { HostPacking.PackColumns(b + _depthStart * leading + column, leading, valid, _depth, s_panelColumns, destination); }
    }

    private float* LeftPanel(int item, int panel) => _left + ((long)(_shape.StrideA == 0 ? 0 : item) * _leftPanels + panel) * s_panelRows * _depth;

    private float* RightPanel(int item, int panel) => _right + ((long)(_shape.StrideB == 0 ? 0 : item) * _rightPanels + panel) * s_panelColumns * _depth;

    private void Tiles(long start, long end)
    {
        int down = Divide(_rows, _tileRows), across = Divide(_shape.N, _tileColumns);
        for (long tile = start; tile < end; tile++)
        {
            int item = (int)(tile / ((long)down * across)), place = (int)(tile % ((long)down * across));
            ComputeTile(item, place / across * _tileRows, place % across * _tileColumns);
        }
    }

    /// <summary>One tile of c: the depth in even blocks, and in each the micro tiles with the right panel outside, so that it stays in L1.</summary>
    private void ComputeTile(int item, int row, int column)
    {
        int rowEnd = Math.Min(row + _tileRows, _rows), columnEnd = Math.Min(column + _tileColumns, _shape.N);
        int blocks = Math.Max(1, Divide(_depth, BlockDepth)), block = Divide(_depth, blocks);
        for (int i = 0; i < blocks; i++)
        {
            int k = i * block, depth = Math.Min(block, _depth - k);
            bool first = _depthStart + k == 0;
            for (int n = column; n < columnEnd; n += s_panelColumns)
            {
                float* right = RightPanel(item, n / s_panelColumns) + (long)k * s_panelColumns;
                for (int m = row; m < rowEnd; m += s_panelRows)
                {
                    float* left = LeftPanel(item, m / s_panelRows) + (long)k * s_panelRows;
                    MicroTile(item, m, Math.Min(s_panelRows, rowEnd - m), n, Math.Min(s_panelColumns, columnEnd - n), depth, left, right, first);
                }
            }
        }
    }

    private void MicroTile(int item, int row, int rows, int column, int columns, int depth, float* left, float* right, bool first)
    {
        float* c = _c + (_item + item) * _shape.StrideC + (_row + row) * (long)_shape.LeadingC + column;
        float* bias = first && _bias is not null ? _bias + column : null;
        bool accumulate = !first || _shape.Accumulate;
        bool whole = rows == HostMicroKernel<TWidth, TVector>.ComputedRows(rows) && (columns == s_panelColumns || columns == TWidth.Count);
        if (whole)
        {
            HostMicroKernel<TWidth, TVector>.Multiply<PackedPanel>(rows, columns, depth, left, right, s_panelColumns, c, _shape.LeadingC, bias, accumulate);
            return;
        }
        float* edge = stackalloc float[s_panelRows * s_panelColumns];
        HostMicroKernel<TWidth, TVector>.Multiply<PackedPanel>(rows, columns, depth, left, right, s_panelColumns, edge, s_panelColumns, null, false);
        for (int i = 0; i < rows; i++, c += _shape.LeadingC, edge += s_panelColumns)
        {
            for (int j = 0; j < columns; j++) { c[j] = edge[j] + (bias is null ? 0 : bias[j]) + (accumulate ? c[j] : 0); }
        }
    }
}
