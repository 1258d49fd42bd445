using I2M.Kernels.Ilgpu;

namespace I2M.Kernels;

/// <summary>A backend that can record work and queue it again with one call; on CUDA as a graph. Backends without this interface cannot.</summary>
public interface IWorkRecorder
{
    /// <summary>Whether this device records.</summary>
    bool CanRecord { get; }

    /// <summary>
    /// Records what <paramref name="work"/> queues, which is not run now: <see cref="RecordedWork.Replay"/> does that. Addresses and numbers are recorded as they are, so
    /// whatever changes between replays must lie in device memory that was rented before. The work must have run before, so that its kernels are compiled; it may
    /// not copy from or to the host, and gives all memory back that it rents.
    /// </summary>
    /// <param name="memory">Serves the work's requests; it is pinned, and whoever else uses it does so between replays.</param>
    /// <param name="work">Queues operations.</param>
    /// <exception cref="RecordingException">The device refused; nothing was run, and the backend works on.</exception>
    RecordedWork Record(BufferReserve memory, Action work);
}

/// <summary>Work that was recorded on a device.</summary>
public sealed class RecordedWork : IDisposable
{
    private readonly IlgpuBackend _backend;
    private readonly IDeviceRecording _recording;

    internal RecordedWork(IlgpuBackend backend, IDeviceRecording recording) => (_backend, _recording) = (backend, recording);

    /// <summary>Queues the work once more.</summary>
    /// <exception cref="DeviceLostException">The device failed.</exception>
    public void Replay() => _backend.Replay(_recording);

    /// <inheritdoc/>
    public void Dispose() => _recording.Dispose();
}
