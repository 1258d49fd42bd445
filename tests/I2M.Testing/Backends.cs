using I2M.Kernels;
using I2M.Kernels.Host;
using I2M.Kernels.Ilgpu;
using I2M.Testing.Emulation;
using Xunit;

namespace I2M.Testing;

/// <summary>
/// The backend matrix: every kernel test runs once per row. "host" and "opencl" are mandatory; "cuda" is skipped where no device is,
/// unless the environment variable I2M_REQUIRE_BACKENDS names it. "cuda-emulated" runs the PTX of the CUDA kernels on an emulator; it is mandatory in
/// assemblies that call <see cref="IncludeEmulated"/> and has no rows in others. Each is opened once per process. A backend serves one thread at a
/// time, so assemblies that use it switch off xunit's parallelism.
/// </summary>
public static class Backends
{
    /// <summary>CUDA without a GPU.</summary>
    public const string Emulated = "cuda-emulated";

    /// <summary>The kernels for OpenCL GPUs on the first OpenCL device, whatever it is. It has no rows: tests of what differs from "opencl" name it.</summary>
    public const string OpenClGpu = "opencl-gpu";

    private const string RequiredVariable = "I2M_REQUIRE_BACKENDS";

    /// <summary>Names of the only rows to run, for work on one backend: the rows of all others are left out. Unset for a full test.</summary>
    private const string OnlyVariable = "I2M_ONLY_BACKENDS";

    private static readonly Dictionary<string, Lazy<IBackend>> s_opened = new()
    {
        ["host"] = new(() => new HostBackend()),
        ["opencl"] = new(() => IlgpuBackend.OpenCl()),
        ["cuda"] = new(() => IlgpuBackend.Cuda()),
    };

    private static readonly Lazy<IBackend> s_openClGpu = new(() => IlgpuBackend.OpenCl(OpenClGpu, 0, KernelTarget.OpenCl));

    /// <summary>
    /// Adds the rows of "cuda-emulated" to the assembly that runs: where operations are small, since the emulator is some hundred times slower than a
    /// processor. To be called before tests are discovered, from a module initialiser.
    /// </summary>
    public static void IncludeEmulated() => s_opened[Emulated] = new(() => new IlgpuBackend(Emulated, new EmulatedDevice()));

    /// <summary>True for a backend on which time allows no large shapes: PoCL runs GPU kernels slowly, the emulator far more so.</summary>
    public static bool IsSlow(string name) => name is "opencl" or OpenClGpu or Emulated;

    /// <summary>Sizes that straddle vector widths, groups and tiles.</summary>
    public static IReadOnlyList<int> Sizes { get; } = [1, 2, 31, 32, 33, 127, 257];

    /// <summary>The names of the rows.</summary>
    public static IEnumerable<string> Names => s_opened.Keys.Where(name => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(OnlyVariable)) || IsListed(OnlyVariable, name));

    /// <summary>One row per backend.</summary>
    public static TheoryData<string> All => [.. Names];

    /// <summary>Every backend with every size of <see cref="Sizes"/>.</summary>
    public static TheoryData<string, int> Sized => With(Sizes);

    /// <summary>Every backend with every size of <see cref="Sizes"/>, with buffers off the vector alignment and on it.</summary>
    public static TheoryData<string, int, bool> SizedAndAligned
    {
        get
        {
            var rows = new TheoryData<string, int, bool>();
            foreach (string name in Names)
            {
                foreach (int size in Sizes)
                {
                    rows.Add(name, size, false);
                    rows.Add(name, size, true);
                }
            }
            return rows;
        }
    }

    /// <summary>Every backend with every value.</summary>
    public static TheoryData<string, T> With<T>(IEnumerable<T> values)
    {
        var rows = new TheoryData<string, T>();
        foreach (string name in Names)
        {
            foreach (T value in values) { rows.Add(name, value); }
        }
        return rows;
    }

    /// <summary>The shared backend of that name. A missing optional one skips the test, a missing mandatory one fails it.</summary>
    public static IBackend Get(string name)
    {
        try
        {
            return name == OpenClGpu ? s_openClGpu.Value : s_opened[name].Value;
        }
        catch (I2MException e) when (name == "cuda" && !IsListed(RequiredVariable, name))
        {
            Assert.Skip($"{e.Message} ({RequiredVariable}=cuda makes this a failure)");
            throw;
        }
    }

    private static bool IsListed(string variable, string name) =>
        (Environment.GetEnvironmentVariable(variable) ?? "").Split(',', StringSplitOptions.TrimEntries).Contains(name);
}
