namespace I2M.KernelGenerator.Flash;

/// <summary>A file with one kernel: stages of PTX as constants, and the method that strings them together.</summary>
internal sealed class KernelFile
{
    private const int LineLength = 220;
    private readonly string _name;
    private readonly SourceWriter _writer;

    public KernelFile(string generator, string className, string summary)
    {
        _name = className;
        _writer = new SourceWriter($"Flash/{generator}.cs", "ILGPU", "ILGPU.Runtime.Cuda");
        _writer.Line($"/// <summary>{summary}</summary>").Open($"internal static class {className}");
    }

    /// <summary>Adds a stage: a constant with the lines of a block.</summary>
    public KernelFile Stage(string name, string comment, PtxBlock block)
    {
        _writer.Line($"// {comment}").Constant(name, Folded(block.Lines)).Line();
        return this;
    }

    /// <summary>Adds the kernel.</summary>
    public GeneratedFile Method(string comment, string bounds, string signature, string body)
    {
        _writer.Line($"/// <summary>{comment}</summary>").Line($"[KernelBounds({bounds})]");
        _writer.Open($"public static void {signature}").Lines(body.TrimEnd('\n')).Close().Close();
        return new GeneratedFile(_name + ".cs", _writer.ToString());
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
}
