using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>Transfers that wait for nothing, the count of what does wait, and recorded work.</summary>
public sealed class TransferTests
{
    private const int Length = 1000;

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void What_is_sent_arrives_in_order_and_comes_back(string name)
    {
        IBackend backend = Backends.Get(name);
        BufferView here = backend.Pool.Rent(Length), doubled = backend.Pool.Rent(Length);
        using (IUpload upload = backend.OpenUpload(here))
        using (IDownload download = backend.OpenDownload(doubled))
        {
            HostWaits before = backend.Waits;
            for (int turn = 0; turn < 7; turn++)
            {
                upload.Map().Fill(turn + 0.5f);
                upload.Send();
                backend.Scale(2, here, doubled);
                download.Queue();
                ReadOnlySpan<float> back = download.Read();
                Assert.Equal(Length, back.Length);
                Assert.Equal(-1, back.IndexOfAnyExcept(2 * turn + 1f));
            }
            Assert.Equal(0, backend.Waits.Since(before).Drains);
        }
        backend.Pool.Return(here);
        backend.Pool.Return(doubled);
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Two_transfers_are_under_way_before_one_is_waited_for(string name)
    {
        IBackend backend = Backends.Get(name);
        BufferView here = backend.Pool.Rent(Length);
        using (IUpload upload = backend.OpenUpload(here))
        {
            HostWaits before = backend.Waits;
            for (int turn = 0; turn < 2; turn++)
            {
                upload.Map().Fill(turn);
                upload.Send();
            }
            Assert.Equal(default, backend.Waits.Since(before));
            var seen = new float[Length];
            backend.CopyToHost(here, seen);
            Assert.All(seen, x => Assert.Equal(1, x));
        }
        backend.Pool.Return(here);
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Copies_to_the_host_and_Synchronize_are_counted(string name)
    {
        IBackend backend = Backends.Get(name);
        BufferView here = backend.Pool.Rent(Length);
        backend.Fill(here, 1);
        HostWaits before = backend.Waits;
        backend.Synchronize();
        backend.CopyToHost(here, new float[Length]);
        backend.CopyToHost(here, new int[Length]);
        Assert.Equal(new HostWaits(3, 0), backend.Waits.Since(before));
        backend.Pool.Return(here);
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Recorded_work_runs_when_it_is_replayed_and_reads_what_is_there_then(string name)
    {
        IBackend backend = Backends.Get(name);
        Assert.Equal(name is Backends.Emulated or "cuda", backend is IWorkRecorder { CanRecord: true });
        if (backend is not IWorkRecorder { CanRecord: true } recorder) { return; }
        BufferView x = backend.Pool.Rent(Length), y = backend.Pool.Rent(Length);
        BufferReserve memory = backend.Pool.CreateReserve();
        backend.Fill(x, 0);
        using (memory.Begin()) { Work(); }
        backend.Fill(y, -1);
        using (RecordedWork work = recorder.Record(memory, Work))
        {
            Assert.All(Read(), v => Assert.Equal(-1, v));
            for (int turn = 1; turn < 4; turn++)
            {
                backend.Fill(x, turn);
                work.Replay();
                Assert.All(Read(), v => Assert.Equal(6 * turn, v));
            }
        }
        Assert.Throws<InvalidOperationException>(() => recorder.Record(memory, () => backend.CopyToHost(x, new float[Length])));
        Assert.Throws<InvalidOperationException>(() => recorder.Record(memory, backend.Synchronize));
        Assert.Throws<InvalidOperationException>(() => recorder.Record(memory, () => backend.CopyFromHost(new float[Length], x)));
        backend.Fill(x, 4);
        Work();
        Assert.All(Read(), v => Assert.Equal(24, v));
        memory.Dispose();
        backend.Pool.Return(x);
        backend.Pool.Return(y);

        void Work()
        {
            BufferView scratch = backend.Pool.Rent(Length);
            backend.Scale(2, x, scratch);
            backend.Copy(scratch, y);
            backend.Pool.Return(scratch);
            BufferView again = backend.Pool.Rent(Length);
            backend.Scale(3, y, again);
            backend.Copy(again, y);
            backend.Pool.Return(again);
        }

        float[] Read()
        {
            var values = new float[Length];
            backend.CopyToHost(y, values);
            return values;
        }
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Memory_that_recorded_work_has_used_stays_where_it_is_while_more_is_recorded(string name)
    {
        IBackend backend = Backends.Get(name);
        if (backend is not IWorkRecorder { CanRecord: true } recorder) { return; }
        BufferReserve memory = backend.Pool.CreateReserve();
        DeviceBuffer used = Work();
        // A request for which the device has no memory trims the pool.
        using (recorder.Record(memory, () =>
        {
            Assert.Same(used, Work());
            backend.Pool.Trim();
        }))
        {
            Assert.Same(used, Work());
        }
        Assert.True(memory.IsPinned);
        BufferReserve other = backend.Pool.CreateReserve();
        Assert.Throws<InvalidOperationException>(() => recorder.Record(other, backend.Synchronize));
        Assert.False(other.IsPinned, "a recording that failed holds memory");
        memory.Dispose();
        other.Dispose();

        DeviceBuffer Work()
        {
            using BufferReserve.Use use = memory.Begin();
            BufferView scratch = backend.Pool.Rent(Length);
            backend.Fill(scratch, 1);
            backend.Pool.Return(scratch);
            return scratch.Buffer;
        }
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Transfers_and_replays_are_refused_in_recorded_work(string name)
    {
        IBackend backend = Backends.Get(name);
        if (backend is not IWorkRecorder { CanRecord: true } recorder) { return; }
        BufferView x = backend.Pool.Rent(Length);
        BufferReserve memory = backend.Pool.CreateReserve();
        backend.Fill(x, 1);
        using (IUpload upload = backend.OpenUpload(x))
        using (IDownload download = backend.OpenDownload(x))
        using (RecordedWork work = recorder.Record(memory, () => backend.Fill(x, 2)))
        {
            upload.Map().Fill(3);
            Assert.Throws<InvalidOperationException>(() => recorder.Record(memory, upload.Send));
            Assert.Throws<InvalidOperationException>(() => recorder.Record(memory, download.Queue));
            Assert.Throws<InvalidOperationException>(() => recorder.Record(memory, work.Replay));
            Assert.False(download.IsPending);
            work.Replay();
            download.Queue();
            Assert.Equal(-1, download.Read().IndexOfAnyExcept(2f));
        }
        memory.Dispose();
        backend.Pool.Return(x);
    }

    [Fact]
    public void A_transfer_that_finds_no_memory_for_its_second_turn_gives_the_first_back()
    {
        Assert.SkipUnless(Backends.Names.Contains("opencl"), "no OpenCL device");
        IBackend backend = FaultyBackend.With(new FaultPlan { RefusedHostAllocation = 2 });
        BufferView here = backend.Pool.Rent(Length);
        var refused = Assert.Throws<I2MException>(() => backend.OpenUpload(here));
        Assert.StartsWith("opencl: 4,000 bytes of page-locked host memory cannot be had", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, FaultyBackend.HostBlocks);
        using (backend.OpenDownload(here)) { Assert.Equal(1, FaultyBackend.HostBlocks); }
        Assert.Equal(0, FaultyBackend.HostBlocks);
        backend.Pool.Return(here);
    }
}
