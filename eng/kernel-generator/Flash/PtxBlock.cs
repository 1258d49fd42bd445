namespace I2M.KernelGenerator.Flash;

/// <summary>Lines of PTX. Registers have names; a name with an index, such as S12, is one of an array that .reg declares as S&lt;n&gt;.</summary>
internal sealed class PtxBlock
{
    private readonly List<string> _lines = [];

    /// <summary>The text so far.</summary>
    public IReadOnlyList<string> Lines => _lines;

    /// <summary>Adds a line of one or more instructions.</summary>
    public PtxBlock Add(string line)
    {
        _lines.Add(line);
        return this;
    }

    /// <summary>Opens a scope with registers of its own, so that the block may stand more than once in a kernel.</summary>
    public PtxBlock Open(params string[] registers) => Add("{ " + string.Join(' ', registers.Select(r => $".reg {r};")));

    /// <summary>Closes the scope.</summary>
    public PtxBlock Close() => Add("}");

    /// <summary>
    /// Four 8×8 matrices of 16-bit elements into array[first … first + 3]; lane l gives the address of row l mod 8 of matrix l / 8. Transposed, a lane
    /// gets two elements of a column instead of a row.
    /// </summary>
    public PtxBlock LoadMatrices(string array, int first, string address, int offset, bool transposed = false) =>
        Add($"ldmatrix.sync.aligned.m8n8.x4{(transposed ? ".trans" : "")}.shared.b16 {Four(array, first)}, [{address}+{offset}];");

    /// <summary>
    /// sum[d … d + 7] (two 16×8 side by side) += left[a … a + 3] (16×16) · B[0 … 3] (16×16), in float32. Lane 4g + t holds of each sum the rows g and g + 8
    /// at the columns 2t and 2t + 1. With fresh the sums start from zero, which the register zero holds.
    /// </summary>
    public PtxBlock Multiply(string sum, int d, string left, int a, bool fresh) =>
        Add(Multiply(sum, d, left, a, 0, fresh) + " " + Multiply(sum, d + 4, left, a, 2, fresh));

    private static string Multiply(string sum, int d, string left, int a, int b, bool fresh) =>
        $"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {Four(sum, d)}, {Four(left, a)}, {{B{b},B{b + 1}}}, {(fresh ? "{zero,zero,zero,zero}" : Four(sum, d))};";

    private static string Four(string array, int first) => $"{{{array}{first},{array}{first + 1},{array}{first + 2},{array}{first + 3}}}";
}
