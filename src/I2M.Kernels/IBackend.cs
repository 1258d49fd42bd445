namespace I2M.Kernels;

/// <summary>
/// A device that computes. Operations live in one partial file per family under Ops/; both implementations are complete,
/// which the compiler checks.
/// <para>Conventions of every operation: inputs first, then a shape struct and scalars, outputs last; the caller allocates the
/// outputs; scratch memory comes from <see cref="Pool"/>. Views are contiguous and row-major unless a stride is named. Outputs are
/// overwritten unless the documentation says "accumulates". Outputs must not overlap inputs unless aliasing is allowed there.
/// Every reduction has a fixed order, so that a rerun with the same inputs is equal to the bit. Calls are queued in order; only
/// <see cref="Synchronize"/> and the copies from and to the host wait, which <see cref="Waits"/> counts. An instance is used by one thread at a time.</para>
/// </summary>
public partial interface IBackend : IDisposable
{
    /// <summary>"host", "opencl" or "cuda".</summary>
    string Name { get; }

    /// <summary>What the device is.</summary>
    DeviceInfo Device { get; }

    /// <summary>The pool that all temporary and persistent memory of this device comes from.</summary>
    BufferPool Pool { get; }

    /// <summary>Copies host memory into <paramref name="destination"/> (equal lengths).</summary>
    void CopyFromHost(ReadOnlySpan<float> source, BufferView destination);

    /// <summary>Copies host integers into <paramref name="destination"/>, for views that hold indices.</summary>
    void CopyFromHost(ReadOnlySpan<int> source, BufferView destination);

    /// <summary>Waits for all queued work, then copies <paramref name="source"/> into host memory (equal lengths).</summary>
    void CopyToHost(BufferView source, Span<float> destination);

    /// <summary>As <see cref="CopyToHost(BufferView, Span{float})"/>, for views that hold integers.</summary>
    void CopyToHost(BufferView source, Span<int> destination);

    /// <summary>Waits until all queued work is done.</summary>
    void Synchronize();

    /// <summary>How often the host has waited for the device.</summary>
    HostWaits Waits { get; }

    /// <summary>Makes a way for data that go to the same place again and again without a wait.</summary>
    IUpload OpenUpload(BufferView destination);

    /// <summary>Makes a way for data that come from the same place again and again while the device goes on working.</summary>
    IDownload OpenDownload(BufferView source);
}

/// <summary>Facts about a device, as printed by <c>i2m devices</c>.</summary>
/// <param name="Name">The device's own name.</param>
/// <param name="Detail">Driver, version or instruction set.</param>
/// <param name="MemoryBytes">Device memory in bytes.</param>
/// <param name="ComputeUnits">Cores, compute units or multiprocessors.</param>
public sealed record DeviceInfo(string Name, string Detail, long MemoryBytes, int ComputeUnits);
