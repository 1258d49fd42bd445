namespace I2M.KernelGenerator.Flash;

/// <summary>Parts of the C# bodies that the attention kernels share.</summary>
internal static class FlashBody
{
    /// <summary>Where the thread works, its registers, and the copies of the left matrices and the first right tiles.</summary>
    /// <param name="s">The tiles.</param>
    /// <param name="leftRows">Expression for the rows of a left matrix in a sample.</param>
    /// <param name="rightRows">Likewise for a right matrix.</param>
    /// <param name="left">Address and stride of each left matrix.</param>
    /// <param name="right">Address and stride of the two right matrices.</param>
    public static string Start(FlashShape s, string leftRows, string rightRows, (string Address, string Stride)[] left, (string Address, string Stride)[] right)
    {
        string[] sources = [.. left.Select(l => $"FlashRows.Address({l.Address}, s, sample, {leftRows}, first + row, {l.Stride}, head, chunk), {l.Stride} * {2 * s.PassRows}")];
        string sizes = string.Join(", ", Enumerable.Range(0, s.Parts).Select(part => $"chunk{(part > 0 ? $" + {part * s.RowThreads}" : "")} < s.HeadDim / 8 ? 16 : 0"));
        return $$"""
            var shared = SharedMemory.GetDynamic<Float4>();
            int thread = Group.IdxX, lane = thread & 31, warp = thread >> 5;
            int tile = Grid.IdxX % tiles, head = Grid.IdxX / tiles % s.Heads, sample = Grid.IdxX / tiles / s.Heads;
            int first = tile * {{s.Rows}}, warpRow = warp * {{16 * s.WarpTiles}};

            // Copies: {{s.RowThreads}} threads a row. Fragments: a lane's row and chunk of 16 bytes, exchanged by the row (see FlashShape.Swizzle).
            int row = thread / {{s.RowThreads}}, chunk = thread % {{s.RowThreads}};
            int leftRow = lane & 15, rightRow = (lane & 7) + (lane >> 4 << 3);
            CudaAsm.Emit(Registers);
            CudaAsm.Emit(Places, row * {{s.RowBytes}} + ((chunk ^ {{s.Swizzle("row")}}) << 4), leftRow * {{s.RowBytes}}, ((lane >> 4) ^ {{s.Swizzle("leftRow")}}) << 4,
                rightRow * {{s.RowBytes}}, ((lane >> 3 & 1) ^ {{s.Swizzle("rightRow")}}) << 4, warpRow * {{s.RowBytes}});
            CudaAsm.Emit(Sources, FlashRows.Address({{right[0].Address}}, s, sample, {{rightRows}}, row, {{right[0].Stride}}, head, chunk), FlashRows.Address({{right[1].Address}}, s, sample, {{rightRows}}, row, {{right[1].Stride}}, head, chunk),
                {{right[0].Stride}} * {{2 * s.PassRows}}, {{right[1].Stride}} * {{2 * s.PassRows}}, {{rightRows}} - row, {{sizes}});
            CudaAsm.Emit(CopyLeft, {{leftRows}} - first - row, {{string.Join(", ", sources)}});

            """;
    }

    /// <summary>The named stages one after the other.</summary>
    public static string Stages(ReadOnlySpan<string> names) => string.Concat(names.ToArray().Select(name => $"CudaAsm.Emit({name});\n"));

    /// <summary>The walk over tiles of keys: whole ones in a loop, then the part of one that remains, masked.</summary>
    /// <param name="s">The tiles.</param>
    /// <param name="work">What is done with the scores of a tile; gets a label of its own.</param>
    public static string OverKeys(FlashShape s, Func<string, string> work)
    {
        return $$"""

            int count = (s.Keys + {{s.Columns - 1}}) / {{s.Columns}}, full = s.Keys / {{s.Columns}};
            for (int j = 0; j < full; j++)
            {
                CudaAsm.Emit(Arrive);
                if (j + 1 < count) { CudaAsm.Emit(CopyTiles); }
                CudaAsm.Emit(Scores);
            {{Indented(work("Keep") + Stages(["Advance"]))}}
            }
            if (full < count)
            {
                CudaAsm.Emit(Arrive);
                CudaAsm.Emit(Scores);
                CudaAsm.Emit(Mask, s.Keys - full * {{s.Columns}} - ((lane & 3) << 1));
            {{Indented(work("KeepLast"))}}
            }

            """;
    }

    /// <summary>Lines a step further to the right.</summary>
    public static string Indented(string lines) => "    " + lines.TrimEnd('\n').Replace("\n", "\n    ", StringComparison.Ordinal);

    /// <summary>Names for the arguments of <see cref="Store"/>.</summary>
    public static string StorePlaces(FlashShape s) => $$"""
        int storeRow = lane / {{s.RowThreads}}, storeChunk = lane % {{s.RowThreads}}, storeFirst = first + warpRow + storeRow;
        int sumPlace = (warpRow + (lane >> 2)) * {{s.RowBytes}} + ((lane & 3) << 2), sumExchange = {{s.Swizzle("(lane >> 2)")}} << 4;
        int storePlace = (warpRow + storeRow) * {{s.RowBytes}} + ((storeChunk ^ {{s.Swizzle("storeRow")}}) << 4);

        """;

    /// <summary>Stores a warp's rows by the named stage.</summary>
    public static string Store(FlashShape s, string stage, string rows, string address, string stride) => $$"""
        CudaAsm.Emit({{stage}}, sumPlace, sumExchange, storePlace, FlashRows.Address({{address}}, s, sample, {{rows}}, storeFirst, {{stride}}, head, storeChunk), {{stride}} * {{2L * 32 / s.RowThreads}}L, {{rows}} - storeFirst);

        """;

    /// <summary>Never true: keeps the dynamic shared memory, which only PTX uses, declared.</summary>
    public static string KeepShared => "if (s.Keys < 0) { shared[thread] = default; }\n";
}
