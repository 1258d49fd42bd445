using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime.CPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>Host memory that does not move. Whoever allocated it frees it.</summary>
internal unsafe class HostMemory : IDisposable
{
    /// <summary>First word.</summary>
    public float* Pointer { get; private set; }

    /// <summary>Length in words.</summary>
    public long Words { get; }

    /// <summary>The words.</summary>
    public Span<float> Span => new(Pointer, checked((int)Words));

    /// <summary>Leaves the memory to a subclass.</summary>
    protected HostMemory(long words, float* pointer)
    {
        Words = words;
        Pointer = pointer;
    }

    /// <summary>Takes memory of the process.</summary>
    public HostMemory(long words) : this(words, (float*)NativeMemory.AlignedAlloc((nuint)(Math.Max(1, words) * sizeof(float)), 64)) { }

    /// <summary>The memory as ILGPU's copies take it, made once: it keeps a note of every such object.</summary>
    public CPUMemoryBuffer? Buffer { get; set; }

    /// <summary>All of it, where <see cref="Buffer"/> was set.</summary>
    public ArrayView<float> View => Buffer!.AsArrayView<float>(0, Words);

    /// <summary>Frees the memory; the device must be done with it.</summary>
    public void Dispose()
    {
        if (Pointer is null) { return; }
        Buffer?.Dispose();
        Free();
        Pointer = null;
    }

    /// <summary>Gives the memory back.</summary>
    protected virtual void Free() => NativeMemory.AlignedFree(Pointer);
}

/// <summary>A mark in a device's queue.</summary>
internal abstract class DeviceFence : IDisposable
{
    /// <summary>Puts the mark behind all work that is queued now.</summary>
    public abstract void Record();

    /// <summary>True when the work before the mark is done, or no mark was put.</summary>
    public abstract bool IsReached { get; }

    /// <summary>Waits until it is reached.</summary>
    public abstract void Wait();

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>The fence of a device that works at once.</summary>
internal sealed class ReachedFence : DeviceFence
{
    /// <inheritdoc/>
    public override bool IsReached => true;

    /// <inheritdoc/>
    public override void Record() { }

    /// <inheritdoc/>
    public override void Wait() { }

    /// <inheritdoc/>
    public override void Dispose() { }
}

/// <summary>Work that a device can run again: the same kernels with the same arguments.</summary>
internal interface IDeviceRecording : IDisposable
{
    /// <summary>Queues all of it.</summary>
    void Replay();
}
