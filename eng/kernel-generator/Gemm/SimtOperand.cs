namespace I2M.KernelGenerator.Gemm;

/// <summary>
/// One factor's part of a stage of the float32 product: [k][line] in shared memory, whichever way it lies in global memory. A factor whose k runs along memory is
/// transposed on the way by asynchronous copies of single words, which go anywhere and need no alignment; neighbouring threads copy along memory, in whole sectors of
/// 8 words. The other one is copied in rows of 128 words: in pieces of 16 bytes where its rows are aligned to them, one a thread, otherwise word by word, four a thread.
/// <para>Registers as in <see cref="OperandTile"/>; xInside counts what is left along memory, in elements.</para>
/// </summary>
/// <param name="Name">"a" or "b".</param>
/// <param name="AlongK">Whether k runs along memory.</param>
/// <param name="Aligned">Whether its rows start at multiples of 16 bytes; counts where they are lines.</param>
/// <param name="Offset">First byte in the stage.</param>
internal sealed record SimtOperand(string Name, bool AlongK, bool Aligned, int Offset)
{
    /// <summary>Lines of a tile, and steps of k.</summary>
    public const int Lines = 128, Depth = 8;

    /// <summary>Bytes from one step of k to the next: four words more than the lines, so that the words of a transposing copy lie in different banks.</summary>
    public const int Pitch = (Lines + 4) * 4;

    /// <summary>Bytes of a tile.</summary>
    public const int Bytes = Depth * Pitch;

    /// <summary>Threads that copy.</summary>
    public const int Threads = 256;

    /// <summary>Words of a copy.</summary>
    private int Piece => Aligned && !AlongK ? 4 : 1;

    private int Passes => Lines * Depth / Threads / Piece;

    /// <summary>Lines, or steps of k, from one pass to the next.</summary>
    private int PassRows => AlongK ? Threads / Depth : Threads * Piece / Lines;

    private int PassBytes => AlongK ? PassRows * 4 : PassRows * Pitch;

    /// <summary>Declarations.</summary>
    public IEnumerable<string> Registers()
    {
        yield return $".reg .b64 {Name}From, {Name}Step, {Name}Next;";
        yield return $".reg .b32 {Name}To, {Name}Rows, {Name}Inside, {Name}Read;";
    }

    /// <summary>The C# that sets the registers up; in scope are thread, place, s and the lane's first line.</summary>
    public void Setup(SourceWriter w, string laneLine)
    {
        string upper = Name.ToUpperInvariant(), leading = $"s.Leading{upper}", line0 = Name == "a" ? "place.Row" : "place.Column", lines = Name == "a" ? "s.M" : "s.N";
        (string k, string line) = (AlongK, Piece) switch
        {
            (true, _) => ($"thread % {Depth}", $"thread / {Depth}"),
            (false, 1) => ($"thread / {Lines}", $"thread % {Lines}"),
            _ => ($"thread / {Lines / Piece}", $"thread % {Lines / Piece} * {Piece}"),
        };
        w.Line($"// {Name}: the thread copies {(AlongK ? $"step {Name}K of lines {Name}Line, {Name}Line + {PassRows}, …" : Piece > 1 ? $"{Piece} lines from {Name}Line on of step {Name}K" : $"line {Name}Line of steps {Name}K, {Name}K + {PassRows}, …")}.");
        w.Line($"int {Name}K = {k}, {Name}Line = {line};");
        string place = AlongK ? $"(long)({line0} + {Name}Line) * {leading} + {Name}K" : $"(long){Name}K * {leading} + {line0} + {Name}Line";
        string leftK = $"place.Depth - {Name}K", leftLines = $"{lines} - {line0} - {Name}Line";
        w.Line($"long {Name}From = {Name} + 4 * (place.Start{upper} + {place});");
        w.Emit([$"mov.b64 {Name}From, %0; mov.b64 {Name}Step, %1; mov.b64 {Name}Next, %2; mov.b32 {Name}To, %3;"],
            $"{Name}From", $"(long){leading} * {PassRows * 4}", AlongK ? $"{Depth * 4}L" : $"(long){leading} * {Depth * 4}", $"{Offset} + {Name}K * {Pitch} + {Name}Line * 4");
        w.Emit([$"mov.b32 {Name}Rows, %0; mov.b32 {Name}Inside, %1; mov.b32 {Name}Read, %2;"],
            AlongK ? leftLines : leftK, AlongK ? leftK : leftLines, $"{Offset} + ({laneLine}) * 4");
    }

    /// <summary>Copies the thread's part of the next tile to the stage at register write and moves on; what is not there becomes zero.</summary>
    public IEnumerable<string> Copy()
    {
        yield return "{";
        if (Piece > 1)
        {
            yield return ".reg .pred p; .reg .b32 to, size;";
            yield return $"add.u32 to, write, {Name}To; shl.b32 size, {Name}Inside, 2; max.s32 size, size, 0; min.s32 size, size, 16;";
            yield return $"setp.gt.s32 p, {Name}Rows, 0; selp.b32 size, size, 0, p;";
            yield return $"cp.async.cg.shared.global [to], [{Name}From], 16, size;";
        }
        else
        {
            yield return ".reg .pred p, inside; .reg .b64 from; .reg .b32 to, size;";
            yield return $"add.u32 to, write, {Name}To; mov.b64 from, {Name}From; setp.gt.s32 inside, {Name}Inside, 0;";
            for (int pass = 0; pass < Passes; pass++)
            {
                yield return $"setp.gt.and.s32 p, {Name}Rows, {pass * PassRows}, inside; selp.b32 size, 4, 0, p;";
                yield return $"cp.async.ca.shared.global [to + {pass * PassBytes}], [from], 4, size;{(pass + 1 < Passes ? $" add.s64 from, from, {Name}Step;" : "")}";
            }
        }
        string left = AlongK ? $"{Name}Inside, {Name}Inside" : $"{Name}Rows, {Name}Rows";
        yield return $"add.s64 {Name}From, {Name}From, {Name}Next; sub.s32 {left}, {Depth};";
        yield return "}";
    }
}
