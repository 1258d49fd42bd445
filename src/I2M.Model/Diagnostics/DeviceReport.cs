using System.Diagnostics;
using I2M.Kernels;
using I2M.Model.Benchmarks;
using I2M.Model.Benchmarks.Cases;

namespace I2M.Model.Diagnostics;

/// <summary>What a device showed.</summary>
/// <param name="Option">What <c>--device</c> calls it.</param>
/// <param name="Name">Its own name and driver.</param>
/// <param name="Families">Kernel families with the largest error as a share of what is allowed, or what was wrong.</param>
/// <param name="Gflops">A product of 512×512×512 in 10⁹ operations a second; null when the device does not work.</param>
/// <param name="CopyGbs">Copying in 10⁹ bytes a second, read and written.</param>
/// <param name="PeakGflops">Multiply-adds in registers, or null where they are not measured.</param>
public sealed record DeviceReport(string Option, string Name, IReadOnlyList<FamilyReport> Families, double? Gflops, double? CopyGbs, double? PeakGflops)
{
    /// <summary>True when every family computed what it should.</summary>
    public bool Works => Families.All(f => f.Problem is null);

    private const int ProductSize = 512;
    private const double CopyBytes = 128 << 20, ProcessorCopyBytes = 32 << 20;

    /// <summary>Runs every kernel family against the host (the host's against double precision), then measures.</summary>
    /// <param name="option">What <c>--device</c> calls it.</param>
    /// <param name="device">The device.</param>
    /// <param name="host">The host.</param>
    /// <param name="threads">Threads of the host.</param>
    public static DeviceReport Make(string option, IBackend device, IBackend host, int threads)
    {
        List<FamilyReport> families = [.. KernelChecks.Families.Select(f => FamilyReport.Check(f, device, host))];
        if (device.Name == "host") { families.Add(FamilyReport.AgainstDouble(device)); }
        string name = $"{device.Device.Name} ({device.Device.Detail})";
        if (families.Exists(f => f.Problem is not null)) { return new DeviceReport(option, name, families, null, null, null); }
        var peaks = device is IDeviceProbe probe ? new DevicePeak(device, probe) : null;
        double? flops = peaks is null ? new HostPeak(threads).FlopsPerSecond(windows: 1) : peaks.FlopsPerSecond(Arithmetic.Float32);
        double copy = peaks is null ? new HostPeak(threads).CopyBytesPerSecond(CopyBytes)
            : peaks.CopyBytesPerSecond(device is IDeviceProbe { IsProcessor: true } ? ProcessorCopyBytes : CopyBytes);
        return new DeviceReport(option, name, families, ProductRate(device) / 1e9, copy / 1e9, flops / 1e9);
    }

    private static double ProductRate(IBackend device)
    {
        using var product = new GemmCase(device, new GemmShape(GemmLayout.NN, ProductSize, ProductSize, ProductSize));
        product.Run();
        double best = double.PositiveInfinity;
        for (int i = 0; i < 5; i++)
        {
            long start = Stopwatch.GetTimestamp();
            product.Run();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return product.Work.Flops / best;
    }
}

/// <summary>What a kernel family showed.</summary>
/// <param name="Family">Its name.</param>
/// <param name="ErrorOfLimit">Largest error as a share of what is allowed.</param>
/// <param name="Problem">What was wrong, or null.</param>
public sealed record FamilyReport(string Family, double ErrorOfLimit, string? Problem)
{
    /// <summary>All checks of a family against the host.</summary>
    public static FamilyReport Check(string family, IBackend device, IBackend host) =>
        Guarded(family, () => KernelChecks.All.Where(c => c.Family == family).Max(c => c.Compare(device, host)));

    /// <summary>Products, attention, norms and the optimiser in double precision.</summary>
    public static FamilyReport AgainstDouble(IBackend device) => Guarded("in double precision", () =>
    {
        var attention = new AttentionShape(1, 2, 65, 67, 32, 0.18f);
        Func<BenchmarkCase>[] cases =
        [
            () => new GemmCase(device, new GemmShape(GemmLayout.NN, 129, 130, 131)), () => new AttentionCase(device, attention, AttentionPasses.Both),
            () => new LayerNormCase(device, 65, 130), () => new AdamWCase(device, 10_001),
        ];
        return cases.Max(create =>
        {
            using BenchmarkCase work = create();
            return work.Verify(CancellationToken.None);
        });
    });

    private static FamilyReport Guarded(string family, Func<double> check)
    {
        try { return new FamilyReport(family, check(), null); }
        catch (I2MException e) { return new FamilyReport(family, double.NaN, e.Message); }
    }
}
