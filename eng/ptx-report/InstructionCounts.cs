using System.Text.RegularExpressions;

namespace I2M.PtxReport;

/// <summary>How often the instructions that decide a kernel's speed stand in its machine code.</summary>
/// <param name="Hmma">Tensor-core products.</param>
/// <param name="Ldsm">ldmatrix.</param>
/// <param name="Ldgsts">cp.async.</param>
/// <param name="Ldg128">16-byte loads from global memory.</param>
/// <param name="Mufu">Exponentials, logarithms, reciprocals and roots, of which a multiprocessor does 16 a clock beside 128 of the others.</param>
internal sealed partial record InstructionCounts(int Hmma, int Ldsm, int Ldgsts, int Ldg128, int Mufu)
{
    /// <summary>No instruction of any kind.</summary>
    public static InstructionCounts None { get; } = new(0, 0, 0, 0, 0);

    /// <summary>
    /// False for PTX that can hold none of them: the assembler makes each from its own PTX instructions only (MUFU from divisions too, which alone are not worth a look). Saves most of the time, which the
    /// disassembler's start takes.
    /// </summary>
    public static bool Possible(string ptx) => PtxPattern().IsMatch(ptx);

    /// <summary>Counts in a listing of nvdisasm -c.</summary>
    public static InstructionCounts Of(string listing)
    {
        int hmma = 0, ldsm = 0, ldgsts = 0, ldg128 = 0, mufu = 0;
        foreach (Match match in OpcodePattern().Matches(listing))
        {
            string opcode = match.Groups[1].Value;
            if (opcode.StartsWith("HMMA.", StringComparison.Ordinal)) { hmma++; }
            else if (opcode.StartsWith("LDSM.", StringComparison.Ordinal)) { ldsm++; }
            else if (opcode.StartsWith("LDGSTS.", StringComparison.Ordinal)) { ldgsts++; }
            else if (opcode.StartsWith("MUFU.", StringComparison.Ordinal)) { mufu++; }
            else if (opcode.StartsWith("LDG.", StringComparison.Ordinal) && opcode.Contains(".128", StringComparison.Ordinal)) { ldg128++; }
        }
        return new InstructionCounts(hmma, ldsm, ldgsts, ldg128, mufu);
    }

    /// <summary>Address, an optional predicate, opcode: "/*0010*/ @!P0 LDG.E.128 R4, [R2.64] ;".</summary>
    [GeneratedRegex(@"^\s*/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_.]*)", RegexOptions.Multiline)]
    private static partial Regex OpcodePattern();

    [GeneratedRegex(@"\b(mma|ldmatrix|cp\.async|ex2|lg2|rcp|rsqrt|sqrt|sin|cos|tanh)\b|\bld\.[a-z.]*v[24]\b")]
    private static partial Regex PtxPattern();
}
