using System.Runtime.CompilerServices;
using I2M.Testing;
using Xunit.Sdk;
using Xunit.v3;

// A backend serves one thread at a time, and all tests share one of each kind.
[assembly: Parallelization(Mode = ParallelMode.None)]

namespace I2M.Kernels.Tests;

internal static class AssemblySettings
{
    /// <summary>Before tests are discovered: every kernel's tests run on the emulator too.</summary>
    [ModuleInitializer]
    internal static void IncludeEmulatedCuda() => Backends.IncludeEmulated();
}
