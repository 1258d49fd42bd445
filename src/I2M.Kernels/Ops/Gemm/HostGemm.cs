namespace I2M.Kernels.Host;

/// <summary>
/// Matrix product by packing and register tiles (Goto and van de Geijn 2008). A slab of both factors is packed into panels, then the
/// tiles of c are computed in parallel, each by one thread over the slab's whole depth, so the sums do not depend on the thread count.
/// A left factor with contiguous depth is read where it lies instead, and so are both factors of products that use them too few times
/// (<see cref="FitsInPlace"/>): a copy would cost more than its order gains. Sizes: a right panel of <see cref="BlockDepth"/> rows stays
/// close to the core while the left panels of a tile pass from L2; a slab bounds the scratch memory for any shape.
/// </summary>
internal sealed unsafe class HostGemm<TWidth, TVector>
    where TWidth : struct, IVectorWidth<TVector>
    where TVector : struct
{
    private const int BlockDepth = 384;
    /// <summary>As <see cref="BlockDepth"/> where both factors may lie in place: their lines share few sets of L1, so shorter blocks pay.</summary>
    private const int InPlaceDepth = 256;
    /// <summary>Rows or columns of c up to which the factors of aᵀ·b are read in place: every word is used too few times to be worth a copy.</summary>
    private const int InPlaceSize = 512;
    /// <summary>Panels of rows up to which the factors of a·b are read in place.</summary>
    private const int InPlacePanels = 8;
    /// <summary>Rows that are too few for a micro tile even where b is read in place.</summary>
    private const int FewestRows = 3;
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
    /// <summary>Lanes that are packed together: whole cache lines of every row of a factor whose lanes are contiguous, for every width.</summary>
    private const int PackLanes = 96;

    private static readonly int s_panelRows = TWidth.PanelRows;
    private static readonly int s_panelColumns = 2 * TWidth.Count;
    private static readonly int s_leftGroup = PackLanes / s_panelRows;
    private static readonly int s_rightGroup = PackLanes / s_panelColumns;

    private readonly GemmShape _shape;
    private readonly HostBackend.GemmStore _store;
    private readonly float* _a, _b, _panels;
    private readonly bool _direct, _directRight;
    private float* _left, _right;
    private long _rightStride;
    private readonly int _rightPanels, _blockDepth;
    private int _item, _items, _leftItems, _rightItems, _row, _rows, _depthStart, _depth, _leftPanels, _firstPacked, _firstPackedRight, _tileRows, _tileColumns;

    private HostGemm(float* a, float* b, float* panels, in GemmShape shape, in HostBackend.GemmStore store)
    {
        _shape = shape;
        _a = a;
        _b = b;
        _panels = panels;
        _store = store;
        bool few = FitsInPlace(shape);
        _blockDepth = few ? InPlaceDepth : BlockDepth;
        _direct = !shape.TransposeA || few;
        _directRight = few && panels is null;
        _rightPanels = Divide(shape.N, s_panelColumns);
    }

    /// <summary>Computes the product that <see cref="IBackend.Gemm(BufferView, BufferView, in GemmEpilogue, in GemmShape, BufferView)"/> describes.</summary>
    /// <param name="threads">The parallel loop.</param>
    /// <param name="pool">For scratch memory.</param>
    /// <param name="a">Left factor.</param>
    /// <param name="b">Right factor.</param>
    /// <param name="panels">The right factor in panels, from <see cref="PackAll"/>, or null.</param>
    /// <param name="shape">Not empty.</param>
    /// <param name="store">Where the sums go.</param>
    public static void Run(ForRows threads, BufferPool pool, float* a, float* b, float* panels, in GemmShape shape, in HostBackend.GemmStore store)
    {
        GemmShape folded = Fold(shape);
        if (IsSkinny(folded)) { HostSkinnyGemm<TWidth, TVector>.Run(threads, pool, a, b, folded, store); }
        else { new HostGemm<TWidth, TVector>(a, b, panels, folded, store).Slabs(threads, pool); }
    }

    /// <summary>Whether both factors are read in place, as far as whole micro tiles go: b's rows are contiguous, and few rows or columns of c use every word.</summary>
    private static bool FitsInPlace(in GemmShape s) =>
        !s.TransposeB && (s.TransposeA ? Math.Min(s.M, s.N) <= InPlaceSize : s.M <= InPlacePanels * s_panelRows);

    /// <summary>A few columns, or a few rows; b in place serves more than the fewest rows better where they are contiguous.</summary>
    private static bool IsSkinny(in GemmShape s) => s.M <= s.N
        ? s.M <= (s.TransposeB ? HostSkinnyGemm<TWidth, TVector>.MostRows : FewestRows)
        : s.N <= HostSkinnyGemm<TWidth, TVector>.MostRows;

    /// <summary>Words of a whole right factor in panels.</summary>
    public static long PackedLength(in GemmShape shape) => (long)Divide(shape.N, s_panelColumns) * s_panelColumns * shape.K;

    /// <summary>Packs a whole right factor: panels over the full depth.</summary>
    public static void PackAll(ForRows threads, float* b, in GemmShape shape, float* panels)
    {
        var packing = new HostGemm<TWidth, TVector>(null, b, null, shape, default) { _right = panels, _depth = shape.K, _rightItems = 1 };
        packing._rightStride = (long)s_panelColumns * shape.K;
        packing.PackSlab(threads);
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
        long leftWords = (_direct ? 1L : Divide(rows, s_panelRows)) * s_panelRows * depth, rightWords = (_directRight ? 1L : _rightPanels) * s_panelColumns * depth;
        int group = (int)Math.Clamp(SlabWords / Math.Max(1, leftWords + rightWords), 1, _shape.Batch);
        using var scope = new BufferScope(pool);
        _left = HostBackend.Pointer(scope.Rent(leftWords * (_shape.StrideA == 0 ? 1 : group)));
        if (_panels is null) { _right = HostBackend.Pointer(scope.Rent(rightWords * (_shape.StrideB == 0 ? 1 : group))); }
        for (_item = 0; _item < _shape.Batch; _item += group)
        {
            _items = Math.Min(group, _shape.Batch - _item);
            _leftItems = _shape.StrideA == 0 ? 1 : _items;
            _depthStart = 0;
            do
            {
                _depth = Math.Min(depth, _shape.K - _depthStart);
                _rightStride = (long)s_panelColumns * (_panels is null ? _depth : _shape.K);
                if (_panels is not null) { _right = _panels + (long)_depthStart * s_panelColumns; }
                for (_row = 0; _row < _shape.M; _row += rows)
                {
                    _rows = Math.Min(rows, _shape.M - _row);
                    _rightItems = _row > 0 || _panels is not null ? 0 : _shape.StrideB == 0 ? 1 : _items;
                    Slab(threads);
                }
                _depthStart += depth;
            } while (_depthStart < _shape.K);
        }
    }

    private void Slab(ForRows threads)
    {
        _leftPanels = Divide(_rows, s_panelRows);
        int last = _rows - (_leftPanels - 1) * s_panelRows;
        // A short last panel is copied all the same: the kernel reads whole thirds of it.
        _firstPacked = !_direct ? 0 : last == HostMicroKernel<TWidth, TVector>.ComputedRows(last) ? _leftPanels : _leftPanels - 1;
        int lastRight = _shape.N - (_rightPanels - 1) * s_panelColumns;
        _firstPackedRight = !_directRight ? 0 : lastRight == s_panelColumns || lastRight == TWidth.Count ? _rightPanels : _rightPanels - 1;
        PackSlab(threads);
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

    private int LeftGroups => Divide(_leftPanels - _firstPacked, s_leftGroup);

    private int RightGroups => Divide(_rightPanels - _firstPackedRight, s_rightGroup);

    private void PackSlab(ForRows threads)
    {
        long groups = (long)_leftItems * LeftGroups + (long)_rightItems * RightGroups;
        if (groups > 0) { threads.Run(groups, Math.Max(1, PackGrain / Math.Max(1, PackLanes * _depth)), Pack); }
    }

    private void Pack(long start, long end)
    {
        long lefts = (long)_leftItems * LeftGroups;
        for (long group = start; group < end; group++)
        {
            if (group < lefts) { PackLeft((int)(group / LeftGroups), _firstPacked + (int)(group % LeftGroups) * s_leftGroup); }
            else { PackRight((int)((group - lefts) / RightGroups), _firstPackedRight + (int)((group - lefts) % RightGroups) * s_rightGroup); }
        }
    }

    private void PackLeft(int item, int panel)
    {
        int row = _row + panel * s_panelRows, valid = Math.Min(s_leftGroup * s_panelRows, _row + _rows - row);
        float* a = _a + (_item + item) * _shape.StrideA;
        long leading = _shape.LeadingA, stride = (long)s_panelRows * _depth;
        if (_shape.TransposeA) { HostPacking.PackColumnPanels(a + _depthStart * leading + row, leading, valid, _depth, s_panelRows, LeftPanel(item, panel), stride); }
        else { HostPacking.PackRowPanels(a + row * leading + _depthStart, leading, valid, _depth, s_panelRows, LeftPanel(item, panel), stride); }
    }

    private void PackRight(int item, int panel)
    {
        int column = panel * s_panelColumns, valid = Math.Min(s_rightGroup * s_panelColumns, _shape.N - column);
        float* b = _b + (_item + item) * _shape.StrideB;
        long leading = _shape.LeadingB;
        if (_shape.TransposeB) { HostPacking.PackRowPanels(b + column * leading + _depthStart, leading, valid, _depth, s_panelColumns, RightPanel(item, panel), _rightStride); }
        else { HostPacking.PackColumnPanels(b + _depthStart * leading + column, leading, valid, _depth, s_panelColumns, RightPanel(item, panel), _rightStride); }
    }

    private float* LeftPanel(int item, int panel) =>
        _left + ((_shape.StrideA == 0 ? 0 : item) * (long)(_leftPanels - _firstPacked) + panel - _firstPacked) * s_panelRows * _depth;

    private float* RightPanel(int item, int panel) =>
        _right + ((_shape.StrideB == 0 ? 0 : item) * (long)(_rightPanels - _firstPackedRight) + panel - _firstPackedRight) * _rightStride;

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
        int blocks = Math.Max(1, Divide(_depth, _blockDepth)), block = Divide(_depth, blocks);
        for (int k = 0, i = 0; i < blocks; i++, k += block)
        {
            int depth = Math.Min(block, _depth - k);
            for (int n = column; n < columnEnd; n += s_panelColumns)
            {
                for (int m = row; m < rowEnd; m += s_panelRows)
                {
                    MicroTile(item, m, Math.Min(s_panelRows, rowEnd - m), n, Math.Min(s_panelColumns, columnEnd - n), k, depth);
                }
            }
        }
        if (_store.HasRest && _depthStart + _depth == _shape.K) { _store.Finish(_item + item, _row + row, rowEnd - row, column, columnEnd - column); }
    }

    private void MicroTile(int item, int row, int rows, int column, int columns, int k, int depth)
    {
        bool first = _depthStart + k == 0, accumulate = !first || _store.Accumulate;
        float* sums = _store.Sums + (_item + item) * _store.Item + (_row + row) * _store.Row + column;
        float* bias = first && _store.Bias is not null ? _store.Bias + column : null;
        bool whole = rows == HostMicroKernel<TWidth, TVector>.ComputedRows(rows) && (columns == s_panelColumns || columns == TWidth.Count);
        if (whole) { Multiply(item, row, rows, column, columns, k, depth, sums, _store.Row, bias, accumulate); }
        else
        {
            float* edge = stackalloc float[s_panelRows * s_panelColumns];
            Multiply(item, row, rows, column, columns, k, depth, edge, s_panelColumns, null, false);
            for (int i = 0; i < rows; i++, sums += _store.Row, edge += s_panelColumns)
            {
                for (int j = 0; j < columns; j++) { sums[j] = edge[j] + (bias is null ? 0 : bias[j]) + (accumulate ? sums[j] : 0); }
            }
        }
    }

    private void Multiply(int item, int row, int rows, int column, int columns, int k, int depth, float* c, long stride, float* bias, bool accumulate)
    {
        int panel = row / s_panelRows, rightPanel = column / s_panelColumns;
        bool inPlace = rightPanel < _firstPackedRight;
        int rightStride = inPlace ? _shape.LeadingB : s_panelColumns;
        float* right = inPlace ? _b + (_item + item) * _shape.StrideB + (_depthStart + k) * (long)_shape.LeadingB + column
            : RightPanel(item, rightPanel) + (long)k * s_panelColumns;
        long leading = _shape.LeadingA;
        float* left = panel >= _firstPacked ? LeftPanel(item, panel) + (long)k * s_panelRows : _a + (_item + item) * _shape.StrideA
            + (_shape.TransposeA ? (_depthStart + k) * leading + _row + row : (_row + row) * leading + _depthStart + k);
        if (panel >= _firstPacked) { HostMicroKernel<TWidth, TVector>.Multiply<PackedPanel>(rows, columns, depth, left, 0, right, rightStride, c, stride, bias, accumulate); }
        else if (_shape.TransposeA) { HostMicroKernel<TWidth, TVector>.Multiply<ColumnsInPlace>(rows, columns, depth, left, leading, right, rightStride, c, stride, bias, accumulate); }
        else if (inPlace) { HostMicroKernel<TWidth, TVector>.Multiply<RowsBothInPlace>(rows, columns, depth, left, leading, right, rightStride, c, stride, bias, accumulate); }
        else { HostMicroKernel<TWidth, TVector>.Multiply<RowsInPlace>(rows, columns, depth, left, leading, right, rightStride, c, stride, bias, accumulate); }
    }
}
