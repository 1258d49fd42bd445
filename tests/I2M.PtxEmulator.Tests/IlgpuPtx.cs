using System.Reflection;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace I2M.PtxEmulator.Tests;

/// <summary>Compiles kernels to PTX with ILGPU's CUDA backend, which needs no GPU.</summary>
internal static class IlgpuPtx
{
    private static readonly Lock s_lock = new();
    private static readonly Context s_context = Context.Create(b => b.Optimize(OptimizationLevel.O2).EnableAlgorithms());
    private static readonly CudaArchitecture s_architecture = new(9, 0);
    private static readonly PTXBackend s_backend = new(s_context, new CudaCapabilityContext(s_architecture), s_architecture, CudaInstructionSet.ISA_78, null);

    /// <summary>The PTX text of an explicitly grouped kernel.</summary>
    public static string Compile(MethodInfo method, KernelSpecialization specialization = default)
    {
        lock (s_lock)
        {
            return ((PTXCompiledKernel)s_backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(method), specialization)).PTXAssembly;
        }
    }

    /// <summary>The kernels of the library: static methods without a result in the classes that end with "Kernels".</summary>
    public static IEnumerable<MethodInfo> LibraryKernels => typeof(Kernels.IBackend).Assembly.GetTypes()
        .Where(t => t.Namespace == "I2M.Kernels.Ilgpu" && t.Name.EndsWith("Kernels", StringComparison.Ordinal))
        .SelectMany(t => t.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly))
        .Where(m => m.ReturnType == typeof(void) && !m.IsGenericMethod);
}
