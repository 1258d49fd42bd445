using I2M.Kernels;
using I2M.Kernels.Host;
using I2M.Kernels.Observation;
using I2M.Model.Diagnostics;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Diagnostics;

/// <summary>The kernel checks of <c>i2m doctor</c>, and what it says of broken installations.</summary>
public sealed class DoctorTests
{
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void EveryFamilyAgreesWithTheHost(string backendName)
    {
        IBackend device = Backends.Get(backendName);
        foreach (KernelCheck check in KernelChecks.All) { Assert.InRange(check.Compare(device, Backends.Get("host")), 0, 1); }
    }

    [Fact]
    public void TheChecksCallEveryOperation()
    {
        var seen = new Names();
        using var host = new HostBackend(1);
        IBackend observed = ObservedBackend.Over(host, seen);
        foreach (KernelCheck check in KernelChecks.All) { check.Compare(observed, host); }
        string[] operations = [.. typeof(IBackend).GetMethods().Where(m => m.ReturnType == typeof(void) && m.GetParameters().Any(p => p.ParameterType == typeof(BufferView))).Select(m => m.Name).Distinct()];
        Assert.Empty(operations.Except(seen.Seen));
    }

    [Theory]
    [InlineData("Gemm", "Gemm", 1e6f)]
    [InlineData("Gemm", "Gemm", float.NaN)]
    [InlineData("ResidualAdaLayerNorm", "Norm", 100)]
    [InlineData("ScatterAddRows", "Layout", 100)]
    [InlineData("AdamWEma", "Optimizer", 100)]
    public void AWrongElementIsFoundInItsFamilyAlone(string operation, string family, float value)
    {
        using var host = new HostBackend(1);
        IBackend device = ObservedBackend.Over(host, new Spoiler(host, operation, value));
        foreach (string name in KernelChecks.Families)
        {
            FamilyReport report = FamilyReport.Check(name, device, host);
            if (name == family) { Assert.StartsWith($"{family}: output ", report.Problem); }
            else { Assert.Null(report.Problem); }
        }
        Assert.Equal(0, host.Pool.LiveBytes);
    }

    [Fact]
    public void AnUploadThatLosesDataIsFound()
    {
        using var host = new HostBackend(1);
        IBackend device = ObservedBackend.Over(host, new Spoiler(host, "Copy", 100));
        Assert.StartsWith("Transfers: output 1", FamilyReport.Check("Transfers", device, host).Problem);
    }

    [Fact]
    public void FindingsSayWhatAndHow()
    {
        SystemFacts well = SystemFacts.Gather() with
        {
            CudaLibrary = true, CudaError = 0, CudaVersion = "12.8", NvidiaCards = 1, ClosedDeviceFiles = [], OpenClLoader = true, OpenClPlatforms = ["x"], OpenClGpu = true,
            FreeDiskBytes = 1L << 40, FreeTemporaryBytes = 1L << 40, MemoryBytes = 1L << 36, SoundFile = "1", Espeak = "1",
        };
        DeviceReport[] devices = [new("host", "cpu", [], 1, 1, 1), new("cuda", "gpu", [], 1, 1, 1)];
        Assert.Empty(Doctor.Diagnose(well, devices));
        Expect(well with { CudaLibrary = false }, FindingLevel.Broken, "libcuda.so.1");
        Expect(well with { CudaLibrary = false, NvidiaCards = 0 }, FindingLevel.Remark, "no NVIDIA driver");
        Expect(well with { CudaError = 803 }, FindingLevel.Broken, "different versions");
        Expect(well with { ClosedDeviceFiles = ["/dev/nvidia0"] }, FindingLevel.Broken, "/dev/nvidia0");
        Expect(well with { OpenClLoader = false }, FindingLevel.Remark, "libOpenCL.so.1");
        Expect(well with { OpenClPlatforms = [] }, FindingLevel.Remark, "no ICD");
        Expect(well with { OpenClGpu = false }, FindingLevel.Remark, "processor only");
        Expect(well with { FreeDiskBytes = 1 << 20 }, FindingLevel.Broken, "disk");
        Expect(well with { Espeak = null }, FindingLevel.Remark, "espeak-ng");
        Expect(well with { SoundFile = null }, FindingLevel.Remark, "libsndfile");
        Finding wrong = Assert.Single(Doctor.Diagnose(well, [.. devices, new DeviceReport("opencl", "gpu", [new FamilyReport("Gemm", double.NaN, "c: element 3")], null, null, null)]));
        Assert.Equal(FindingLevel.Broken, wrong.Level);
        Assert.Contains("element 3", wrong.What);

        void Expect(SystemFacts facts, FindingLevel level, string words)
        {
            Finding finding = Assert.Single(Doctor.Diagnose(facts, devices));
            Assert.Equal(level, finding.Level);
            Assert.Contains(words, finding.What);
            Assert.NotEmpty(finding.Mend);
        }
    }

    private sealed class Names : IOperationObserver
    {
        public HashSet<string> Seen { get; } = [];

        public void Before(in OperationCall call) => Seen.Add(call.Name);

        public void After(in OperationCall call) { }
    }

    /// <summary>A device that gets an element of every result of an operation wrong, or loses it to a NaN.</summary>
    private sealed class Spoiler(IBackend device, string operation, float value) : IOperationObserver
    {
        public void Before(in OperationCall call) { }

        public void After(in OperationCall call)
        {
            if (call.Name != operation) { return; }
            device.CopyFromHost([value], call.Last.As(ElementType.Float32).Slice(call.Last.Length / 2, 1));
        }
    }
}
