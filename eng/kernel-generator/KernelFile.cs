using System.Text;

namespace I2M.KernelGenerator;

/// <summary>The text of a C# file with one kernel: stages of PTX as constants, and the method that strings them together.</summary>
internal sealed class KernelFile(string generator, string className, string summary)
{
    private const int LineLength = 220;

    private readonly StringBuilder _stages = new();
    private readonly StringBuilder _body = new();
    private string _method = "";

    /// <summary>File name.</summary>
    public string Name => className + ".cs";

    /// <summary>Adds a stage: a constant with the lines of a block.</summary>
    public KernelFile Stage(string name, string comment, PtxBlock block)
    {
        _stages.Append($"    // {comment}\n    private const string {name} =\n        \"\"\"\n");
        foreach (string line in Folded(block.Lines)) { _stages.Append("        ").Append(line).Append('\n'); }
        _stages.Append("        \"\"\";\n\n");
        return this;
    }

    /// <summary>Puts short lines together, as far as <see cref="LineLength"/> allows.</summary>
    private static IEnumerable<string> Folded(IReadOnlyList<string> lines)
    {
        string current = lines[0];
        foreach (string line in lines.Skip(1))
        {
            if (current.Length + 1 + line.Length <= LineLength) { current += " " + line; }
            else
            {
                yield return current;
                current = line;
            }
        }
        yield return current;
    }

    /// <summary>Sets the kernel's attribute and signature.</summary>
    public KernelFile Method(string comment, string bounds, string signature)
    {
        _method = $"    /// <summary>{comment}</summary>\n    [KernelBounds({bounds})]\n    public static void {signature}\n";
        return this;
    }

    /// <summary>Adds lines to the kernel's body.</summary>
    public KernelFile Body(string lines)
    {
        foreach (string line in lines.TrimEnd('\n').Split('\n')) { _body.Append(line.Length == 0 ? "\n" : $"        {line}\n"); }
        return this;
    }

    /// <summary>The whole file.</summary>
    public override string ToString() =>
        $$"""
        // Written by eng/kernel-generator ({{generator}}). Do not edit: change the generator and run it.
        using ILGPU;
        using ILGPU.Runtime.Cuda;

        namespace I2M.Kernels.Ilgpu;

        /// <summary>{{summary}}</summary>
        internal static class {{className}}
        {

        """ + _stages + _method + "    {\n" + _body + "    }\n}\n";
}
