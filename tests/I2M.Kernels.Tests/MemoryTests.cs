using I2M.Testing;
using ILGPU.Runtime.OpenCL;
using Xunit;

namespace I2M.Kernels.Tests;

public sealed class MemoryTests
{
    private sealed class FakeBuffer(long length) : DeviceBuffer(length)
    {
        public bool Freed { get; private set; }
        protected internal override void Free() => Freed = true;
    }

    [Fact]
    public void Pool_reuses_memory_of_the_same_rounded_size()
    {
        using var pool = new BufferPool(length => new FakeBuffer(length));
        BufferView first = pool.Rent(65);
        Assert.Equal((65L, 512L, 512L, 1L), (first.Length, pool.LiveBytes, pool.DeviceBytes, pool.DeviceAllocations));
        pool.Return(first);
        BufferView second = pool.Rent(128), third = pool.Rent(100);
        Assert.Same(first.Buffer, second.Buffer);
        Assert.NotSame(second.Buffer, third.Buffer);
        Assert.Equal((1024L, 1024L, 2L), (pool.LiveBytes, pool.PeakLiveBytes, pool.DeviceAllocations));
    }

    [Fact]
    public void Pool_refuses_a_second_return_and_a_strangers_buffer()
    {
        using var pool = new BufferPool(length => new FakeBuffer(length));
        BufferView view = pool.Rent(1);
        pool.Return(view);
        Assert.Throws<InvalidOperationException>(() => pool.Return(view));
        Assert.Throws<InvalidOperationException>(() => pool.Return(new BufferView(new FakeBuffer(64), 0, 64)));
        Assert.Throws<InvalidOperationException>(() => pool.Return(BufferView.None));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Rent(-1));
    }

    [Fact]
    public void Trim_frees_what_is_free_and_Dispose_everything()
    {
        var pool = new BufferPool(length => new FakeBuffer(length));
        var (kept, returned) = (pool.Rent(10), pool.Rent(1000));
        pool.Return(returned);
        pool.Trim();
        Assert.True(((FakeBuffer)returned.Buffer).Freed);
        Assert.False(((FakeBuffer)kept.Buffer).Freed);
        Assert.Equal((256L, 256L, 4352L), (pool.LiveBytes, pool.DeviceBytes, pool.PeakDeviceBytes));
        pool.Dispose();
        Assert.True(((FakeBuffer)kept.Buffer).Freed);
        Assert.Equal((0L, 0L), (pool.LiveBytes, pool.DeviceBytes));
    }

    [Fact]
    public void A_reserve_gives_equal_requests_equal_addresses_whatever_happens_between()
    {
        using var pool = new BufferPool(length => new FakeBuffer(length));
        BufferReserve reserve = pool.CreateReserve();
        DeviceBuffer[] first = Job(0);
        for (int turn = 1; turn < 6; turn++)
        {
            BufferView other = pool.Rent(64), another = pool.Rent(200);
            Assert.DoesNotContain(other.Buffer, first);
            Assert.DoesNotContain(another.Buffer, first);
            pool.Return(turn % 2 == 0 ? other : another);
            Assert.Equal(first, Job(turn));
            pool.Return(turn % 2 == 0 ? another : other);
        }
        Assert.Equal(4 + 2, pool.DeviceAllocations);
        reserve.Dispose();
        Assert.Contains(pool.Rent(64).Buffer, first);

        // The same requests, given back in another order each time.
        DeviceBuffer[] Job(int turn)
        {
            using BufferReserve.Use use = reserve.Begin();
            BufferView a = pool.Rent(64), b = pool.Rent(60), c = pool.Rent(130), d = pool.Rent(64);
            BufferView[] order = (turn % 3) switch { 0 => [a, b, c, d], 1 => [b, d, a, c], _ => [d, c, b, a] };
            foreach (BufferView view in order) { pool.Return(view); }
            return [a.Buffer, b.Buffer, c.Buffer, d.Buffer];
        }
    }

    [Fact]
    public void Trim_spares_a_pinned_reserve()
    {
        using var pool = new BufferPool(length => new FakeBuffer(length));
        BufferReserve reserve = pool.CreateReserve();
        BufferView view;
        using (reserve.Begin())
        {
            view = pool.Rent(64);
            pool.Return(view);
        }
        reserve.IsPinned = true;
        pool.Trim();
        Assert.False(((FakeBuffer)view.Buffer).Freed);
        reserve.IsPinned = false;
        pool.Trim();
        Assert.True(((FakeBuffer)view.Buffer).Freed);
        Assert.Equal(0, pool.DeviceBytes);
    }

    [Fact]
    public void A_device_without_memory_gets_back_what_is_free_and_is_asked_once_more()
    {
        BufferPool pool = null!;
        pool = new BufferPool(length => pool.DeviceBytes + 4 * length <= 4096
            ? new FakeBuffer(length)
            : throw new OutOfDeviceMemoryException("cuda", new DeviceInfo("Small GPU", "", 4096, 1), 4 * length, pool, new OutOfMemoryException()));
        using (pool)
        {
            pool.PlannedBytes = 3000;
            BufferView kept = pool.Rent(256), free = pool.Rent(512);
            pool.Return(free);
            pool.Rent(640);
            Assert.True(((FakeBuffer)free.Buffer).Freed);
            var refused = Assert.Throws<OutOfDeviceMemoryException>(() => pool.Rent(320));
            Assert.Equal((1280L, 3584L, 3000L), (refused.WantedBytes, refused.HeldBytes, refused.PlannedBytes));
            Assert.Equal("cuda: out of device memory: 1,280 bytes wanted, 3,584 held (3,584 in use), 3,000 planned, 4,096 in the device; use a smaller batch or --recompute", refused.Message);
            Assert.False(((FakeBuffer)kept.Buffer).Freed);
        }
    }

    [Fact]
    public void A_failed_device_is_not_one_without_memory()
    {
        Assert.SkipUnless(Backends.Names.Contains("opencl"), "no OpenCL device");
        IBackend full = FaultyBackend.With(new FaultPlan { RefusedAllocation = 1 });
        // The pool asks once more.
        full.Pool.Return(full.Pool.Rent(64));
        full = FaultyBackend.With(new FaultPlan { RefusedAllocation = 1, Refusals = 2 });
        Assert.Contains("256 bytes wanted", Assert.Throws<OutOfDeviceMemoryException>(() => full.Pool.Rent(64)).Message, StringComparison.Ordinal);
        IBackend failed = FaultyBackend.With(new FaultPlan { RefusedAllocation = 1, AllocationError = CLError.CL_DEVICE_NOT_AVAILABLE });
        string message = Assert.Throws<DeviceLostException>(() => failed.Pool.Rent(64)).Message;
        Assert.Contains("a request for 256 bytes", message, StringComparison.Ordinal);
        Assert.Contains("CL_DEVICE_NOT_AVAILABLE", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scope_returns_its_four_buffers()
    {
        using var pool = new BufferPool(length => new FakeBuffer(length));
        var scope = new BufferScope(pool);
        for (int i = 0; i < 4; i++) { scope.Rent(64); }
        Assert.Equal(4 * 256, pool.LiveBytes);
        bool refused = false;
        try { scope.Rent(64); }
        catch (InvalidOperationException) { refused = true; }
        Assert.True(refused, "a fifth buffer was handed out");
        scope.Dispose();
        Assert.Equal(0, pool.LiveBytes);
    }

    [Fact]
    public void Views_stay_inside_their_buffer()
    {
        var view = new BufferView(new FakeBuffer(64), 8, 40);
        Assert.Equal((18L, 20L), (view.Slice(10, 20).Offset, view.Slice(10, 20).Length));
        Assert.Equal((48L, 0L), (view.From(40).Offset, view.From(40).Length));
        Assert.Throws<ArgumentOutOfRangeException>(() => view.Slice(30, 11));
        Assert.Throws<ArgumentOutOfRangeException>(() => view.Slice(-1, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BufferView(view.Buffer, 60, 5));
        Assert.Throws<InvalidOperationException>(() => BufferView.None.Buffer);
        Assert.True(BufferView.None.IsNone);
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Backends_copy_floats_and_integers_to_the_bit(string backend)
    {
        using var run = new OperationRun(nameof(IBackend.Copy), backend, "round trip");
        int[] words = [0, 1, -1, int.MinValue, GuardedBuffers.Poison, 0x7F800000, 1];
        BufferView view = run.In(words);
        Assert.Equal(words, run.ReadWords(view));
        Assert.Equal(words, Array.ConvertAll(run.Read(view), BitConverter.SingleToInt32Bits));
        Assert.Equal(backend, run.Backend.Name);
        Assert.ThrowsAny<ArgumentException>(() => run.Backend.CopyFromHost(new float[8], view));
    }
}
