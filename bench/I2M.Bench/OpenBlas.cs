using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using I2M.Kernels;

namespace I2M.Bench;

/// <summary>The system's OpenBLAS, for comparison only.</summary>
internal static unsafe class OpenBlas
{
    private const int RowMajor = 101, NoTranspose = 111, Transpose = 112;
    private const string CoreVariable = "OPENBLAS_CORETYPE";
    private static readonly string[] s_names = ["libopenblas.so.0", "libopenblas.so", "libopenblas.dylib", "libopenblas.dll"];
    private static delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void> s_gemm;
    private static delegate* unmanaged<int, void> s_setThreads;

    /// <summary>Version, core and how it was chosen.</summary>
    public static string Description { get; private set; } = "";

    /// <summary>
    /// Loads the library. Version 0.3.21 does not know newer processors and falls back to a slow core, so the core is named before the library
    /// reads its environment, unless the caller has done so.
    /// </summary>
    /// <exception cref="I2MException">Not installed.</exception>
    public static void Load()
    {
        string? core = Environment.GetEnvironmentVariable(CoreVariable);
        string why = "named by the environment";
        if (core is null)
        {
            (core, why) = (CoreOfProcessor(), $"{CoreVariable} set by this program for the processor's instruction sets");
            // .NET keeps an environment of its own; the library reads the C library's.
            if (core is not null && !OperatingSystem.IsWindows()) { _ = SetVariable(CoreVariable, core, 1); }
        }
        nint library = 0;
        if (!s_names.Any(n => NativeLibrary.TryLoad(n, out library))) { throw new I2MException($"OpenBLAS is not installed: looked for {string.Join(", ", s_names)} (Debian: libopenblas0-pthread)"); }
        s_gemm = (delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void>)NativeLibrary.GetExport(library, "cblas_sgemm");
        s_setThreads = (delegate* unmanaged<int, void>)NativeLibrary.GetExport(library, "openblas_set_num_threads");
        var config = (delegate* unmanaged<byte*>)NativeLibrary.GetExport(library, "openblas_get_config");
        var name = (delegate* unmanaged<byte*>)NativeLibrary.GetExport(library, "openblas_get_corename");
        Description = $"{Marshal.PtrToStringUTF8((nint)config())}; core in use {Marshal.PtrToStringUTF8((nint)name())} ({(core is null ? "its own choice" : $"{core}: {why}")})";
    }

    /// <summary>Threads of the following products.</summary>
    public static void SetThreads(int threads) => s_setThreads(threads);

    /// <summary>c = op(a)·op(b), row-major.</summary>
    public static void Multiply(in GemmShape shape, float* a, float* b, float* c) =>
        s_gemm(RowMajor, shape.TransposeA ? Transpose : NoTranspose, shape.TransposeB ? Transpose : NoTranspose, shape.M, shape.N, shape.K,
            1, a, shape.LeadingA, b, shape.LeadingB, 0, c, shape.LeadingC);

    private static string? CoreOfProcessor()
    {
        if (Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported) { return "SkylakeX"; }
        if (!Fma.IsSupported || !Avx2.IsSupported) { return null; }
        // "Auth" of AuthenticAMD in leaf 0.
        return X86Base.CpuId(0, 0).Ebx == 0x68747541 ? "Zen" : "Haswell";
    }

    [DllImport("libc", EntryPoint = "setenv")]
    private static extern int SetVariable([MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int overwrite);
}
