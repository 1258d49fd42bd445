namespace I2M.KernelGenerator.Gemm;

/// <summary>
/// One factor's part of a stage in shared memory: rows of 16-byte chunks, copied as they lie in global memory. A factor whose k runs along memory
/// ("along k") has a row per line (row of a, column of b); the other has a row per step of k. Chunks are exchanged within their row (the low bits of their number
/// are XORed with bits of the row's), so that the eight rows that ldmatrix reads at a time, or the 32 words of a plain load, lie in different banks.
/// <para>
/// Registers, with the factor's letter x: xFrom, the address of the thread's first chunk of the next tile; xStep, bytes from one of its rows to the next;
/// xNext, bytes from tile to tile; xTo, the chunk's place in a stage; xRows, rows left from its first one; xBytes, bytes left in its rows; xRead, the lane's place
/// for reading fragments.
/// </para>
/// </summary>
/// <param name="Name">"a" or "b".</param>
/// <param name="AlongK">Whether k runs along memory.</param>
/// <param name="Lines">Rows of a or columns of b in the tile.</param>
/// <param name="Depth">Steps of k in the tile.</param>
/// <param name="ElementBytes">2 or 4.</param>
/// <param name="Threads">Threads that copy.</param>
/// <param name="Offset">First byte in the stage.</param>
internal sealed record OperandTile(string Name, bool AlongK, int Lines, int Depth, int ElementBytes, int Threads, int Offset)
{
    private const int Chunk = 16;

    private string Upper => Name.ToUpperInvariant();

    /// <summary>Bytes of a row in shared memory.</summary>
    public int RowBytes => (AlongK ? Depth : Lines) * ElementBytes;

    /// <summary>Bytes of the tile.</summary>
    public int Bytes => Lines * Depth * ElementBytes;

    /// <summary>Whether fragments need words that lie apart: 32-bit elements, of which ldmatrix transposes none.</summary>
    public bool ReadsWords => !AlongK && ElementBytes == 4;

    private int ElementsPerChunk => Chunk / ElementBytes;

    private int ChunksPerRow => RowBytes / Chunk;

    private int RowsPerPass => Threads / ChunksPerRow;

    private int Passes => (AlongK ? Lines : Depth) / RowsPerPass;

    /// <summary>C#: the bits that a row's chunks are XORed with.</summary>
    private string Swizzle(string row) => ReadsWords ? $"(({row} & 3) << 1)" : RowBytes == 64 ? $"(({row} >> 1) & 3)" : $"({row} & 7)";

    /// <summary>What the exchange of chunks costs in generality: rows of one thread must share their bits, and a stage must begin at a whole line of banks.</summary>
    public void Check()
    {
        if (RowsPerPass < 1 || RowsPerPass % (ReadsWords ? 4 : 8) != 0 || Offset % 128 != 0 || Bytes % 128 != 0 || RowBytes is not (64 or >= 128))
        {
            throw new InvalidOperationException($"{this}: a tile that cannot be copied");
        }
    }

    /// <summary>Declarations.</summary>
    public IEnumerable<string> Registers()
    {
        yield return $".reg .b64 {Name}From, {Name}Step, {Name}Next;";
        yield return $".reg .b32 {Name}To, {Name}Rows, {Name}Bytes, {Name}Read;";
    }

    /// <summary>The C# that sets the registers up. In scope: thread, lane, place, s, the warp's first line, the factor's address.</summary>
    public void Setup(SourceWriter w, string warpLine)
    {
        string leading = $"s.Leading{Upper}", line0 = Name == "a" ? "place.Row" : "place.Column", lines = Name == "a" ? "s.M" : "s.N";
        w.Line($"// {Name}: the thread copies chunk {Name}Chunk of rows {Name}Row, {Name}Row + {RowsPerPass}, … of {(AlongK ? "lines" : "steps of k")}.");
        w.Line($"int {Name}Row = thread / {ChunksPerRow}, {Name}Chunk = thread % {ChunksPerRow};");
        (string row, string along, string rows, string inRow) = AlongK
            ? ($"({line0} + {Name}Row)", $"{Name}Chunk * {ElementsPerChunk}", $"{lines} - {line0} - {Name}Row", $"place.Depth - {Name}Chunk * {ElementsPerChunk}")
            : ($"{Name}Row", $"{line0} + {Name}Chunk * {ElementsPerChunk}", $"place.Depth - {Name}Row", $"{lines} - {line0} - {Name}Chunk * {ElementsPerChunk}");
        w.Line($"long {Name}From = {Name} + {ElementBytes} * (place.Start{Upper} + (long){row} * {leading} + {along});");
        w.Line($"int {Name}To = {Offset} + {Name}Row * {RowBytes} + (({Name}Chunk ^ {Swizzle($"{Name}Row")}) << 4);");
        w.Emit([$"mov.b64 {Name}From, %0; mov.b64 {Name}Step, %1; mov.b64 {Name}Next, %2; mov.b32 {Name}To, %3;"],
            $"{Name}From", $"(long){leading} * {RowsPerPass * ElementBytes}", AlongK ? $"{Depth * ElementBytes}L" : $"(long){leading} * {Depth * ElementBytes}", $"{Name}To");
        w.Emit([$"mov.b32 {Name}Rows, %0; mov.b32 {Name}Bytes, %1;"], rows, $"({inRow}) * {ElementBytes}");
        SetupRead(w, warpLine);
    }

    /// <summary>
    /// The lane's place for reading. ldmatrix takes four pieces of 8 rows × 16 bytes, whose rows' addresses lanes 0–7, 8–15, 16–23 and 24–31 give: for a, lines 0–7 and
    /// 8–15 of the first half of k, then of the second; for b, both halves of k of lines 0–7, then of lines 8–15. Plain loads take line lane / 4 at step lane mod 4.
    /// </summary>
    private void SetupRead(SourceWriter w, string warpLine)
    {
        bool pairsOfLines = Name == "a";
        string first = "(lane & 15)", second = "(lane >> 4)", mixed = "((lane & 7) + ((lane >> 4) << 3))", middle = "((lane >> 3) & 1)";
        if (ReadsWords)
        {
            w.Line($"int {Name}Step4 = lane & 3, {Name}Line = {warpLine} + (lane >> 2);");
            w.Line($"int {Name}Read = {Offset} + {Name}Step4 * {RowBytes} + (({Name}Line / 4 ^ ({Name}Step4 << 1)) << 4) + ({Name}Line & 3) * 4;");
        }
        else
        {
            (string row, string chunk) = (AlongK, pairsOfLines) switch
            {
                (true, true) => ($"{warpLine} + {first}", second),
                (true, false) => ($"{warpLine} + {mixed}", middle),
                (false, true) => (mixed, $"{warpLine} / {ElementsPerChunk} + {middle}"),
                (false, false) => (first, $"{warpLine} / {ElementsPerChunk} + {second}"),
            };
            w.Line($"int {Name}ReadRow = {row};");
            w.Line($"int {Name}Read = {Offset} + {Name}ReadRow * {RowBytes} + (({chunk} ^ {Swizzle($"{Name}ReadRow")}) << 4);");
        }
        w.Emit([$"mov.b32 {Name}Read, %0;"], $"{Name}Read");
    }

    /// <summary>
    /// Copies the thread's chunks of the next tile to the stage at register write and moves on. A chunk takes as many bytes as there are left, none in
    /// rows past the end; the hardware fills the rest with zeros and looks at no address of which it reads nothing.
    /// </summary>
    public IEnumerable<string> Copy()
    {
        yield return $"// {Name}: {Passes} chunks a thread";
        yield return "{";
        yield return ".reg .pred p; .reg .b64 from; .reg .b32 to, bytes, size;";
        yield return $"add.u32 to, write, {Name}To; mov.b64 from, {Name}From; max.s32 bytes, {Name}Bytes, 0; min.s32 bytes, bytes, 16;";
        for (int pass = 0; pass < Passes; pass++)
        {
            yield return $"setp.gt.s32 p, {Name}Rows, {pass * RowsPerPass}; selp.b32 size, bytes, 0, p;";
            string next = pass + 1 < Passes ? $" add.s64 from, from, {Name}Step;" : "";
            yield return $"cp.async.cg.shared.global [to + {pass * RowsPerPass * RowBytes}], [from], 16, size;{next}";
        }
        string left = AlongK ? $"{Name}Bytes, {Name}Bytes, {Depth * ElementBytes}" : $"{Name}Rows, {Name}Rows, {Depth}";
        yield return $"add.s64 {Name}From, {Name}From, {Name}Next; sub.s32 {left};";
        yield return "}";
    }

    /// <summary>Registers with the addresses of one step of a tile; more than one where XOR depends on the line.</summary>
    public IEnumerable<string> AddressRegisters() => AlongK ? [$".reg .b32 {Name}At;"] : [$".reg .b32 {string.Join(", ", Enumerable.Range(0, 4).Select(i => $"{Name}At{i}"))};"];

    /// <summary>Addresses that hold for the whole tile.</summary>
    public IEnumerable<string> TileAddresses(int pieces)
    {
        if (AlongK) { yield break; }
        for (int i = 0; i < Math.Min(4, pieces); i++) { yield return $"xor.b32 {Name}At{i}, {Name}Read, {32 * i}; add.u32 {Name}At{i}, {Name}At{i}, read;"; }
    }

    /// <summary>Loads the fragments of one step of 16 (bfloat16) or 8 (tf32) along k: register {x}f{n} in the order of mma's operand.</summary>
    /// <param name="step">Number of the step in the tile.</param>
    /// <param name="pairs">Pieces of 16 lines.</param>
    public IEnumerable<string> Fragments(int step, int pairs)
    {
        if (AlongK) { yield return $"xor.b32 {Name}At, {Name}Read, {32 * step}; add.u32 {Name}At, {Name}At, read;"; }
        for (int i = 0; i < pairs; i++)
        {
            string[] to = [.. Enumerable.Range(0, 4).Select(n => $"{Name}f{4 * i + n}")];
            string list = string.Join(", ", to);
            if (AlongK) { yield return $"ldmatrix.sync.aligned.m8n8.x4.shared.b16 {{{list}}}, [{Name}At + {i * 16 * RowBytes}];"; }
            else if (!ReadsWords) { yield return $"ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {{{list}}}, [{Name}At{i & 3} + {step * 16 * RowBytes + (i >> 2) * 128}];"; }
            else
            {
                for (int n = 0; n < 4; n++)
                {
                    // a: lines 0–7, 8–15, then both four steps on; b: both steps of lines 0–7, then of 8–15.
                    (int half, int later) = Name == "a" ? (n & 1, n >> 1) : (n >> 1, n & 1);
                    int piece = 2 * i + half;
                    yield return $"ld.shared.b32 {to[n]}, [{Name}At{piece & 3} + {(step * 8 + later * 4) * RowBytes + (piece >> 2) * 128}];";
                }
            }
        }
    }
}
