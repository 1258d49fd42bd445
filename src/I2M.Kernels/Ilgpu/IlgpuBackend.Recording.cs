using ILGPU.Runtime;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend : IWorkRecorder
{
    private bool _isRecording;

    /// <inheritdoc/>
    public bool CanRecord => _device.CanRecord;

    /// <inheritdoc/>
    public RecordedWork Record(BufferReserve memory, Action work)
    {
        if (!CanRecord) { throw new NotSupportedException($"{Name} records no work."); }
        if (_isRecording) { throw new InvalidOperationException("A recording is under way."); }
        // From the start: what the work has used and given back must not leave for the device when a later request finds no memory.
        bool wasPinned = memory.IsPinned, isDone = false;
        memory.IsPinned = true;
        try
        {
            _device.BeginRecording();
            _isRecording = true;
            using (memory.Begin()) { work(); }
            IDeviceRecording recording = _device.EndRecording();
            isDone = true;
            return new RecordedWork(this, recording);
        }
        catch (Exception e) when (e is AcceleratorException or DeviceLostException or OutOfDeviceMemoryException)
        {
            if (_isRecording) { Abandon(); }
            throw new RecordingException(Name, e);
        }
        catch
        {
            if (_isRecording) { Abandon(); }
            throw;
        }
        finally
        {
            _isRecording = false;
            memory.IsPinned = wasPinned || isDone;
        }
    }

    internal void Replay(IDeviceRecording recording)
    {
        RefuseInRecording("A replay");
        try { recording.Replay(); }
        catch (AcceleratorException e) { throw Lost("a recorded step", e); }
    }

    private void Abandon()
    {
        try { _device.AbandonRecording(); }
        catch (AcceleratorException) { /* The failure that led here says more. */ }
    }

    /// <summary>Recorded work cannot wait: it does not run while it is recorded.</summary>
    private void RefuseInRecording(string what)
    {
        if (_isRecording) { throw new InvalidOperationException($"{what} in recorded work: it would be done once and not again."); }
    }
}
