using Xunit.Sdk;
using Xunit.v3;

// A backend serves one thread at a time, and all tests share one of each kind.
[assembly: Parallelization(Mode = ParallelMode.None)]
