using ILGPU.Runtime;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    private readonly List<IDisposable> _transfers = [];

    /// <inheritdoc/>
    public HostWaits Waits { get; private set; }

    /// <inheritdoc/>
    public IUpload OpenUpload(BufferView destination) => Open(new Upload(this, destination));

    /// <inheritdoc/>
    public IDownload OpenDownload(BufferView source) => Open(new Download(this, source));

    private T Open<T>(T transfer) where T : IDisposable
    {
        _transfers.Add(transfer);
        return transfer;
    }

    private HostMemory AllocateHost(long words)
    {
        try { return _device.AllocateHost(words); }
        catch (Exception e) when (IsLackOfMemory(e))
        {
            throw new I2MException($"{Name}: {words * sizeof(float):N0} bytes of page-locked host memory cannot be had: use a smaller batch", e);
        }
        catch (AcceleratorException e) { throw Lost($"a request for {words * sizeof(float):N0} bytes of host memory", e); }
    }

    /// <summary>Waits for a fence, and counts it where there is something to wait for.</summary>
    private void Await(DeviceFence fence)
    {
        try
        {
            if (fence.IsReached) { return; }
            Waits = Waits.OneMoreFence();
            fence.Wait();
        }
        catch (AcceleratorException e) { throw Lost("queued work", e); }
    }

    private void Drained() => Waits = Waits.OneMoreDrain();

    /// <summary>Buffers that take turns, each with a fence behind its last copy.</summary>
    private sealed class Upload : IUpload
    {
        private const int Turns = 2;
        private readonly IlgpuBackend _backend;
        private readonly BufferView _destination;
        private readonly HostMemory[] _memory = new HostMemory[Turns];
        private readonly DeviceFence[] _fences = new DeviceFence[Turns];
        private int _turn;

        public Upload(IlgpuBackend backend, BufferView destination)
        {
            (_backend, _destination) = (backend, destination);
            long words = backend._device.IsDry ? 0 : destination.Length;
            try
            {
                for (int i = 0; i < Turns; i++)
                {
                    _memory[i] = backend.AllocateHost(words);
                    _fences[i] = backend._device.CreateFence();
                }
            }
            catch
            {
                foreach (DeviceFence? fence in _fences) { fence?.Dispose(); }
                foreach (HostMemory? memory in _memory) { memory?.Dispose(); }
                throw;
            }
        }

        public Span<float> Map()
        {
            _backend.Await(_fences[_turn]);
            return _memory[_turn].Span;
        }

        public void Send()
        {
            _backend.RefuseInRecording("A copy from the host");
            try
            {
                _backend._device.QueueIn(_memory[_turn], View(_destination));
                _fences[_turn].Record();
            }
            catch (AcceleratorException e) { throw _backend.Lost($"a copy of {_destination.Length * 4L:N0} bytes to the device", e); }
            _turn = (_turn + 1) % Turns;
        }

        public void Dispose()
        {
            if (!_backend._transfers.Remove(this)) { return; }
            for (int i = 0; i < Turns; i++) { Free(_fences[i], _memory[i]); }
        }
    }

    private sealed class Download(IlgpuBackend backend, BufferView source) : IDownload
    {
        private readonly HostMemory _memory = backend.AllocateHost(source.Length);
        private readonly DeviceFence _fence = backend._device.CreateFence();

        public bool IsPending { get; private set; }

        public bool IsReady
        {
            get
            {
                try { return _fence.IsReached; }
                catch (AcceleratorException e) { throw backend.Lost("queued work", e); }
            }
        }

        public void Queue()
        {
            if (IsPending) { throw new InvalidOperationException("The data of the copy before were not read."); }
            backend.RefuseInRecording("A copy to the host");
            try
            {
                backend._device.QueueOut(View(source), _memory);
                _fence.Record();
            }
            catch (AcceleratorException e) { throw backend.Lost($"a copy of {source.Length * 4L:N0} bytes to the host", e); }
            IsPending = true;
        }

        public ReadOnlySpan<float> Read()
        {
            backend.Await(_fence);
            IsPending = false;
            return _memory.Span;
        }

        public void Dispose()
        {
            if (backend._transfers.Remove(this)) { Free(_fence, _memory); }
        }
    }

    /// <summary>Frees a transfer's memory once no copy needs it; a lost device needs nothing.</summary>
    private static void Free(DeviceFence fence, HostMemory memory)
    {
        try { fence.Wait(); }
        catch (AcceleratorException) { /* What was under way is lost with the device. */ }
        fence.Dispose();
        memory.Dispose();
    }
}
