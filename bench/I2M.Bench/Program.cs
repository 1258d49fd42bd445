using BenchmarkDotNet.Running;

// dotnet run -c Release --project bench/I2M.Bench -- --filter '*Gemm*'
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
