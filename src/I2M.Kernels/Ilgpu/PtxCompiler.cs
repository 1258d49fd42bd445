using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// Compiles kernels to the PTX that a CUDA device would get, on any machine: for the emulator of the tests and for the static check by ptxas.
/// ILGPU 1.5.3 prints .target sm_80 for that architecture and every later one.
/// </summary>
internal sealed class PtxCompiler : IDisposable
{
    private readonly Context _context = Context.Create(builder => builder.Optimize(OptimizationLevel.O2).EnableAlgorithms());
    private readonly PTXBackend _backend;

    /// <param name="architecture">At least SM_80.</param>
    public PtxCompiler(CudaArchitecture architecture) =>
        _backend = new PTXBackend(_context, new CudaCapabilityContext(architecture), architecture, CudaInstructionSet.ISA_78, null);

    /// <summary>The kernel's text and the name of its entry in it.</summary>
    public (string Text, string Entry) Compile(KernelEntry kernel)
    {
        EntryPointDescription description = EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Method);
        var compiled = (PTXCompiledKernel)_backend.Compile(description, AcceleratorDevice.SpecializationOf(kernel));
        return (compiled.PTXAssembly, compiled.Name);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _backend.Dispose();
        _context.Dispose();
    }
}
