using System.Text.RegularExpressions;

namespace I2M.PtxReport;

/// <summary>Faults that show in the text of a kernel, without an assembler.</summary>
internal static partial class PtxLint
{
    /// <summary>
    /// One line a fault. Two barriers with nothing between them stand where ILGPU 1.5.3 has moved the loads of the code between them past the second one,
    /// to where their results are used: a race that no reader of the C# sees. Loads inside a loop stay there.
    /// </summary>
    public static IEnumerable<string> Of(string ptx)
    {
        int pairs = AdjacentBarriers().Count(ptx);
        if (pairs > 0) { yield return $"{pairs} times two barriers with nothing between them: ILGPU has moved loads past a barrier; put them into a loop"; }
    }

    [GeneratedRegex(@"^\s*bar\.sync\s+0;\s*\n\s*bar\.sync\s+0;", RegexOptions.Multiline)]
    private static partial Regex AdjacentBarriers();
}
