using System.Reflection;
using I2M.Kernels.Ilgpu;
using I2M.Testing;
using I2M.Testing.Emulation;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>What CUDA kernels need of a launch, the limits that it keeps, and that the emulated device finds planted faults.</summary>
public sealed class DeviceLaunchTests
{
    private const int Items = PlantedKernels.Items;
    private static readonly KernelConfig s_oneGroup = new(new Index3D(1, 1, 1), new Index3D(Items, 1, 1));

    public static TheoryData<string> Cuda => ["cuda", Backends.Emulated];

    /// <summary>Asks for more shared memory than any device has.</summary>
    [KernelBounds(Items, SharedBytes = 1 << 20)]
    internal static void WantsTooMuchShared(ArrayView<float> d) => d[Group.IdxX] = SharedMemory.GetDynamic<float>().IntLength;

    [Theory, MemberData(nameof(Cuda))]
    public void A_kernel_gets_large_dynamic_shared_memory_and_raw_addresses(string backend)
    {
        using var run = new OperationRun(nameof(IBackend.Copy), backend, "96 KB of shared memory");
        float[] values = run.Normal(4 * Items);
        BufferView source = run.In(values), destination = run.Out(values.Length);
        run.Execute(b => ((IlgpuBackend)b).Launch(PlantedKernels.ReverseThroughShared, s_oneGroup, IlgpuBackend.Address(source), IlgpuBackend.View(destination)));
        run.Exact("d", destination, [.. values.Chunk(4).Reverse().SelectMany(chunk => chunk)]);
    }

    [Theory, MemberData(nameof(Cuda))]
    public void Wrong_use_is_refused_with_the_numbers_in_the_message(string backend)
    {
        using var run = new OperationRun(nameof(IBackend.Copy), backend, "limits");
        var device = (IlgpuBackend)run.Backend;
        BufferView x = run.In(run.Normal(2 * Items)), d = run.Out(2 * Items);
        var shared = Assert.Throws<KernelLimitException>(() => device.Launch(WantsTooMuchShared, s_oneGroup, IlgpuBackend.View(d)));
        Assert.Equal(("DeviceLaunchTests.WantsTooMuchShared", 1L << 20), (shared.Kernel, shared.Wanted));
        Assert.InRange(shared.Limit, 48 * 1024, 1 << 19);
        Assert.Contains("1,048,576 wanted, at most", shared.Message, StringComparison.Ordinal);
        var threads = Assert.Throws<KernelLimitException>(() => Copy(new Index3D(1, 1, 1), new Index3D(2 * Items, 1, 1)));
        Assert.Equal((2L * Items, (long)Items), (threads.Wanted, threads.Limit));
        var grid = Assert.Throws<KernelLimitException>(() => Copy(new Index3D(1, 70_000, 1), new Index3D(Items, 1, 1)));
        Assert.Equal((70_000L, 65_535L), (grid.Wanted, grid.Limit));

        void Copy(Index3D groups, Index3D items) => device.Launch(PlantedKernels.CopyUnguarded, new KernelConfig(groups, items), IlgpuBackend.View(x), 0, IlgpuBackend.View(d));
    }

    [Theory]
    [InlineData("opencl")]
    [InlineData(Backends.Emulated)]
    public void A_head_wider_than_the_kernels_take_is_refused_with_the_numbers(string backend)
    {
        using var run = new OperationRun(nameof(IBackend.Attention), backend, "129 channels");
        BufferView x = run.In(run.Normal(129)), o = run.Out(129), lse = run.Out(1);
        var refused = Assert.Throws<KernelLimitException>(() => run.Backend.Attention(x, x, x, new AttentionShape(1, 1, 1, 1, 129, 1f), o, lse));
        Assert.Equal((129L, 128L), (refused.Wanted, refused.Limit));
        Assert.Contains("head dimension: 129 wanted, at most 128", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lost_device_is_named_with_what_it_was_doing()
    {
        using var backend = new IlgpuBackend("cuda", new LostDevice());
        var waiting = Assert.Throws<DeviceLostException>(backend.Synchronize);
        Assert.Contains("cuda: Lost GPU failed during queued work with 0 bytes in use of 1,024: CUDA_ERROR_ILLEGAL_ADDRESS", waiting.Message, StringComparison.Ordinal);
        var request = Assert.Throws<DeviceLostException>(() => backend.Pool.Rent(1));
        Assert.Contains("a request for 256 bytes with 0 bytes in use of 1,024", request.Message, StringComparison.Ordinal);
        Assert.Contains("queued work", Assert.Throws<DeviceLostException>(() => backend.Marks!.Put()).Message, StringComparison.Ordinal);
        var launch = Assert.Throws<DeviceLostException>(() => backend.Launch(PlantedKernels.CopyUnguarded, s_oneGroup, default(ArrayView<float>), 0, default(ArrayView<float>)));
        Assert.Contains("the launch of PlantedKernels.CopyUnguarded in (1, 1, 1) groups of (128, 1, 1)", launch.Message, StringComparison.Ordinal);
    }

    /// <summary>ILGPU makes such exceptions only where a driver is, so their code is put in by hand.</summary>
    [Theory]
    [InlineData("CUDA_ERROR_OUT_OF_MEMORY", true)]
    [InlineData("CUDA_ERROR_ILLEGAL_ADDRESS", false)]
    [InlineData("CUDA_ERROR_LAUNCH_FAILED", false)]
    public void A_lack_of_memory_is_told_from_a_failed_device(string error, bool expected)
    {
        var failure = new CudaException(error);
        FieldInfo code = typeof(CudaException).GetFields(BindingFlags.Instance | BindingFlags.NonPublic).Single(f => f.Name.Contains(nameof(CudaException.Error), StringComparison.Ordinal));
        code.SetValue(failure, error);
        Assert.Equal(error, failure.Error);
        Assert.Equal(expected, IlgpuBackend.IsLackOfMemory(failure));
    }

    [Fact]
    public void Measuring_is_refused_in_recorded_work()
    {
        using var backend = new IlgpuBackend("cuda", new LostDevice());
        BufferReserve memory = backend.Pool.CreateReserve();
        foreach (var (what, measure) in new (string, Action)[]
        {
            ("A mark", () => backend.Marks!.Put()), ("A wait for a mark", () => backend.Marks!.SecondsAt(0)), ("A measurement", () => backend.Time(() => { })),
        })
        {
            var refused = Assert.Throws<InvalidOperationException>(() => backend.Record(memory, measure));
            Assert.StartsWith($"{what} in recorded work", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Memory_that_is_not_there_is_refused_with_the_bytes_in_the_message()
    {
        var backend = Backends.Get(Backends.Emulated);
        var refused = Assert.Throws<OutOfDeviceMemoryException>(() => backend.Pool.Rent(1L << 58));
        Assert.Equal(1L << 60, refused.WantedBytes);
        Assert.Contains("1,152,921,504,606,846,976 bytes wanted", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_emulated_device_finds_accesses_past_a_rented_length()
    {
        AssertFinding("OutOfBounds", (device, x) =>
        {
            BufferView shorter = device.Pool.Rent(Items - 1);
            try { Copy(device, x, 0, shorter, Items); }
            finally { device.Pool.Return(shorter); }
        });
        AssertFinding("OutOfBounds", (device, x) =>
        {
            BufferView d = device.Pool.Rent(Items);
            try { Copy(device, x, 1, d, Items); }
            finally { device.Pool.Return(d); }
        });
    }

    [Fact]
    public void The_emulated_device_finds_uses_of_returned_memory() => AssertFinding("OutOfBounds", (device, x) =>
    {
        BufferView d = device.Pool.Rent(Items);
        device.Pool.Return(d);
        Copy(device, x, 0, d, Items);
    });

    [Fact]
    public void The_emulated_device_finds_reads_of_memory_that_was_rented_again_and_not_written() => AssertFinding("UninitializedMemory", (device, x) =>
    {
        BufferView first = device.Pool.Rent(Items);
        Copy(device, x, 0, first, Items);
        device.Pool.Return(first);
        BufferView again = device.Pool.Rent(Items), d = device.Pool.Rent(Items);
        Assert.Same(first.Buffer, again.Buffer);
        try { Copy(device, again, 0, d, Items); }
        finally
        {
            device.Pool.Return(again);
            device.Pool.Return(d);
        }
    });

    [Fact]
    public void The_emulated_device_finds_a_missing_barrier() => AssertFinding("SharedRace", (device, x) =>
    {
        BufferView d = device.Pool.Rent(Items);
        try { device.Launch(PlantedKernels.ForgetsBarrier, s_oneGroup, IlgpuBackend.View(x), IlgpuBackend.View(d)); }
        finally { device.Pool.Return(d); }
    });

    private static void Copy(IlgpuBackend device, BufferView x, int skip, BufferView d, int items) =>
        device.Launch(PlantedKernels.CopyUnguarded, new KernelConfig(new Index3D(1, 1, 1), new Index3D(items, 1, 1)), IlgpuBackend.View(x), skip, IlgpuBackend.View(d));

    private static void AssertFinding(string kind, Action<IlgpuBackend, BufferView> launch)
    {
        var device = (IlgpuBackend)Backends.Get(Backends.Emulated);
        BufferView x = device.Pool.Rent(Items);
        device.CopyFromHost(new float[Items], x);
        try
        {
            var finding = Assert.Throws<EmulatorFindingException>(() => launch(device, x));
            Assert.Contains(finding.Findings, f => f.Kind.ToString() == kind);
            Assert.Contains(kind, finding.Message, StringComparison.Ordinal);
        }
        finally
        {
            device.Pool.Return(x);
        }
    }

    /// <summary>A device on which everything fails; a recording is begun before anybody notices.</summary>
    private sealed class LostDevice : KernelDevice, IDeviceMarks
    {
        public override DeviceInfo Info { get; } = new("Lost GPU", "", 1024, 1);

        public override KernelTarget Target => KernelTarget.Cuda;

        public override DeviceLimits Limits { get; } = new(1024, new Index3D(int.MaxValue, 65_535, 65_535), 0);

        public override AcceleratorStream Stream => null!;

        private static CudaException Failure => new("CUDA_ERROR_ILLEGAL_ADDRESS");

        public override IDeviceMarks Marks => this;

        public override bool CanRecord => true;

        public override void BeginRecording() { }

        public override void AbandonRecording() { }

        public int Put() => throw Failure;

        public double SecondsAt(int mark) => throw Failure;

        public void Clear() { }

        public override IlgpuBuffer Allocate(long words) => throw Failure;

        public override TLauncher Load<TLauncher>(KernelEntry kernel) => throw Failure;

        public override void CopyIn<T>(ReadOnlySpan<T> source, ArrayView<T> destination) => throw Failure;

        public override void CopyOut<T>(ArrayView<T> source, Span<T> destination) => throw Failure;

        public override void Copy(ArrayView<float> source, ArrayView<float> destination) => throw Failure;

        public override void Synchronize() => throw Failure;

        public override void Dispose() { }
    }
}
