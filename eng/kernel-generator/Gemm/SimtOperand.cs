namespace I2M.KernelGenerator.Gemm;

/// <summary>
/// One factor's part of a stage of the float32 product: [k][line] in shared memory, whichever way it lies in global memory, by asynchronous copies of single words.
/// Words go anywhere, so a factor whose k runs along memory is transposed on the way, and no alignment is needed; 8 copies a thread stand beside 512 multiply-adds.
/// Neighbouring threads copy along memory: a factor with k along memory in whole sectors of 8 words, the other in rows of 128.
/// <para>Registers as in <see cref="OperandTile"/>; xInside counts what is left along memory, in elements.</para>
/// </summary>
/// <param name="Name">"a" or "b".</param>
/// <param name="AlongK">Whether k runs along memory.</param>
/// <param name="Offset">First byte in the stage.</param>
internal sealed record SimtOperand(string Name, bool AlongK, int Offset)
{
    /// <summary>Lines of a tile, and steps of k.</summary>
    public const int Lines = 128, Depth = 8;

    /// <summary>Bytes from one step of k to the next: four words more than the lines, so that the words of a transposing copy lie in different banks.</summary>
    public const int Pitch = (Lines + 4) * 4;

    /// <summary>Bytes of a tile.</summary>
    public const int Bytes = Depth * Pitch;

    /// <summary>Threads that copy.</summary>
    public const int Threads = 256;

    private const int Passes = Lines * Depth / Threads;

    /// <summary>Lines, or steps of k, from one pass to the next.</summary>
    private int PassRows => AlongK ? Threads / Depth : Threads / Lines;

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
        (string k, string line) = AlongK ? ($"thread % {Depth}", $"thread / {Depth}") : ($"thread / {Lines}", $"thread % {Lines}");
        w.Line($"// {Name}: the thread copies {(AlongK ? $"step {Name}K of lines {Name}Line, {Name}Line + {PassRows}" : $"line {Name}Line of steps {Name}K, {Name}K + {PassRows}")}, ….");
        w.Line($"int {Name}K = {k}, {Name}Line = {line};");
        string place = AlongK ? $"(long)({line0} + {Name}Line) * {leading} + {Name}K" : $"(long){Name}K * {leading} + {line0} + {Name}Line";
        string leftK = $"place.Depth - {Name}K", leftLines = $"{lines} - {line0} - {Name}Line";
        w.Line($"long {Name}From = {Name} + 4 * (place.Start{upper} + {place});");
        w.Emit([$"mov.b64 {Name}From, %0; mov.b64 {Name}Step, %1; mov.b64 {Name}Next, %2; mov.b32 {Name}To, %3;"],
            $"{Name}From", $"(long){leading} * {PassRows * 4}", AlongK ? $"{Depth * 4}L" : $"(long){leading} * {Depth * 4}", $"{Offset} + {Name}K * {Pitch} + {Name}Line * 4");
        w.Emit([$"mov.b32 {Name}Rows, %0; mov.b32 {Name}Inside, %1; mov.b32 {Name}Read, %2;"],
            AlongK ? leftLines : leftK, AlongK ? leftK : leftLines, $"{Offset} + ({laneLine}) * 4");
    }

    /// <summary>Copies the thread's words of the next tile to the stage at register write and moves on; what is not there becomes zero.</summary>
    public IEnumerable<string> Copy()
    {
        yield return "{";
        yield return ".reg .pred p, inside; .reg .b64 from; .reg .b32 to, size;";
        yield return $"add.u32 to, write, {Name}To; mov.b64 from, {Name}From; setp.gt.s32 inside, {Name}Inside, 0;";
        for (int pass = 0; pass < Passes; pass++)
        {
            yield return $"setp.gt.and.s32 p, {Name}Rows, {pass * PassRows}, inside; selp.b32 size, 4, 0, p;";
            yield return $"cp.async.ca.shared.global [to + {pass * PassBytes}], [from], 4, size;{(pass + 1 < Passes ? $" add.s64 from, from, {Name}Step;" : "")}";
        }
        string left = AlongK ? $"{Name}Inside, {Name}Inside" : $"{Name}Rows, {Name}Rows";
        yield return $"add.s64 {Name}From, {Name}From, {Name}Next; sub.s32 {left}, {Depth};";
        yield return "}";
    }
}
