using BenchmarkDotNet.Running;
using I2M.Bench;
using I2M.Kernels;
using I2M.Model.Benchmarks;

// dotnet run -c Release --project bench/I2M.Bench -- list                          the cases
// dotnet run -c Release --project bench/I2M.Bench -- openblas [--json FILE]        our GEMM beside the system's OpenBLAS
// dotnet run -c Release --project bench/I2M.Bench -- --filter '*' [...]            the cases of i2m bench under BenchmarkDotNet
try
{
    switch (args.FirstOrDefault())
    {
        case "list":
            foreach (string name in BenchmarkCatalog.Names) { Console.WriteLine(name); }
            return 0;
        case "openblas":
            return OpenBlasComparison.Run(args[1..]);
        default:
            BenchmarkSwitcher.FromAssembly(typeof(CaseBenchmarks).Assembly).Run(args);
            return 0;
    }
}
catch (I2MException e)
{
    Console.Error.WriteLine($"bench: {e.Message}");
    return 1;
}
