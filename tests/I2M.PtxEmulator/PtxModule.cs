using I2M.PtxEmulator.Execution;
using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator;

/// <summary>PTX text, parsed and decoded.</summary>
public sealed class PtxModule
{
    private PtxModule(IReadOnlyDictionary<string, PtxKernel> kernels) => Kernels = kernels;

    /// <summary>The kernels (<c>.entry</c>) by name.</summary>
    public IReadOnlyDictionary<string, PtxKernel> Kernels { get; }

    /// <summary>Parses PTX text and decodes every kernel in it.</summary>
    /// <param name="ptx">PTX for one target, as ILGPU 1.5.3 generates it.</param>
    /// <param name="contract">Fuse products and sums of f32 where the text leaves the rounding open, as ptxas does by default.</param>
    /// <exception cref="PtxParseException">The text is wrong, or holds an instruction outside of the supported subset.</exception>
    public static PtxModule Parse(string ptx, bool contract = true)
    {
        var parser = new PtxParser(ptx);
        parser.ParseModule();
        return new PtxModule(parser.Functions.Values.Where(f => f.IsEntry).ToDictionary(f => f.Name, f => new PtxKernel(new Decoder(parser.Functions, contract).Decode(f))));
    }
}

/// <summary>A parameter of a kernel: its place in the block of parameters.</summary>
/// <param name="Name">The name in the PTX text.</param>
/// <param name="Offset">Bytes from the start of the block.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Alignment">Bytes.</param>
public sealed record PtxParameter(string Name, int Offset, int Size, int Alignment);

/// <summary>A kernel that is ready to run.</summary>
public sealed class PtxKernel
{
    internal PtxKernel(KernelProgram program) => Program = program;

    /// <summary>The name in the PTX text.</summary>
    public string Name => Program.Name;

    /// <summary>The size of the block of parameters.</summary>
    public int ParameterBytes => Program.ParameterBytes;

    /// <summary>The parameters in their order.</summary>
    public IReadOnlyList<PtxParameter> Parameters => Program.Parameters;

    /// <summary>Statically declared shared memory per block.</summary>
    public int StaticSharedBytes => Program.StaticSharedBytes;

    /// <summary>The alignment of the dynamic shared memory, which begins at the first multiple of it after the static part.</summary>
    public int DynamicSharedAlignment => Program.DynamicSharedAlignment;

    /// <summary>The most threads per block, from <c>.maxntid</c>; 1024 without it.</summary>
    public int MaxThreads => Program.MaxThreads;

    internal KernelProgram Program { get; }
}
