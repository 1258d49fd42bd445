using I2M.Kernels.Ilgpu;

namespace I2M.Testing.Emulation;

/// <summary>Keeps what a device would have done, in order, and does it on demand: what a CUDA graph is to a stream.</summary>
internal sealed class EmulatedRecorder
{
    private List<Action>? _events;

    /// <summary>True between <see cref="Begin"/> and <see cref="End"/>.</summary>
    public bool IsRecording => _events is not null;

    /// <summary>From here on events are kept.</summary>
    public void Begin() => _events = [];

    /// <summary>Keeps an event.</summary>
    public void Add(Action action) => _events!.Add(action);

    /// <summary>What was kept.</summary>
    public IDeviceRecording End()
    {
        var recording = new Recording(_events!);
        _events = null;
        return recording;
    }

    private sealed class Recording(List<Action> events) : IDeviceRecording
    {
        public void Replay()
        {
            foreach (Action action in events) { action(); }
        }

        public void Dispose() => events.Clear();
    }
}
