namespace I2M.Kernels;

/// <summary>How often the host has waited for a device.</summary>
/// <param name="Drains">For all queued work: <see cref="IBackend.Synchronize"/> and the copies from and to the host. The device is idle afterwards.</param>
/// <param name="Fences">For a place in the middle of the queue: a transfer's memory was still in use. The device goes on with what was queued behind it.</param>
public readonly record struct HostWaits(long Drains, long Fences)
{
    internal HostWaits OneMoreDrain() => this with { Drains = Drains + 1 };

    internal HostWaits OneMoreFence() => this with { Fences = Fences + 1 };

    /// <summary>The waits since an earlier count.</summary>
    public HostWaits Since(HostWaits before) => new(Drains - before.Drains, Fences - before.Fences);
}

/// <summary>
/// Host memory from which a device fetches data into one fixed place. On devices two page-locked buffers take turns: one is filled while the other may still be
/// on its way. On the host it is the place itself.
/// </summary>
public interface IUpload : IDisposable
{
    /// <summary>Memory to fill, with undefined contents; waits where the device has not fetched what was sent from it before. Empty where nothing is computed
    /// (<see cref="Dry.DryBackend"/>): nobody will look at what is sent.</summary>
    Span<float> Map();

    /// <summary>Queues the copy of what <see cref="Map"/> gave and returns.</summary>
    void Send();
}

/// <summary>Host memory to which a device brings data from one fixed place. One copy may be under way at a time.</summary>
public interface IDownload : IDisposable
{
    /// <summary>True between <see cref="Queue"/> and <see cref="Read"/>.</summary>
    bool IsPending { get; }

    /// <summary>True when <see cref="Read"/> would not wait.</summary>
    bool IsReady { get; }

    /// <summary>Queues the copy and returns.</summary>
    /// <exception cref="InvalidOperationException">One is pending.</exception>
    void Queue();

    /// <summary>What was brought, valid until the next <see cref="Queue"/>; waits for the copy where it is not done. On the host it is the place itself.</summary>
    ReadOnlySpan<float> Read();
}
