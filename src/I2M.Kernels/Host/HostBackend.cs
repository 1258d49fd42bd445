using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace I2M.Kernels.Host;

/// <summary>The CPU: vectorised C# on all cores, the default everywhere and the measure for every other backend.</summary>
public sealed unsafe partial class HostBackend : IBackend, IProcessorThreads
{
    private readonly ForRows _rows;

    /// <inheritdoc/>
    public int Threads => _rows.Threads;

    /// <inheritdoc/>
    public string Name => "host";

    /// <inheritdoc/>
    public DeviceInfo Device { get; }

    /// <inheritdoc/>
    public BufferPool Pool { get; }

    /// <param name="threads">Threads that compute, the caller included; 0 takes one per processor.</param>
    public HostBackend(int threads = 0) : this(threads, null) { }

    /// <inheritdoc/>
    public void CopyFromHost(ReadOnlySpan<float> source, BufferView destination)
    {
        if (_dry is null) { source.CopyTo(Span(destination)); }
    }

    /// <inheritdoc/>
    public void CopyFromHost(ReadOnlySpan<int> source, BufferView destination)
    {
        if (_dry is null) { source.CopyTo(MemoryMarshal.Cast<float, int>(Span(destination))); }
    }

    /// <inheritdoc/>
    public void CopyToHost(BufferView source, Span<float> destination)
    {
        Waits = Waits.OneMoreDrain();
        Span(source).CopyTo(destination);
    }

    /// <inheritdoc/>
    public void CopyToHost(BufferView source, Span<int> destination)
    {
        Waits = Waits.OneMoreDrain();
        MemoryMarshal.Cast<float, int>(Span(source)).CopyTo(destination);
    }

    /// <inheritdoc/>
    public void Synchronize() => Waits = Waits.OneMoreDrain();

    /// <inheritdoc/>
    public HostWaits Waits { get; private set; }

    /// <inheritdoc/>
    public IUpload OpenUpload(BufferView destination) => new DirectTransfer(destination, isDry: _dry is not null);

    /// <inheritdoc/>
    public IDownload OpenDownload(BufferView source) => new DirectTransfer(source, isDry: false);

    /// <inheritdoc/>
    public void Dispose()
    {
        Pool.Dispose();
        _rows.Dispose();
        _dry?.Dispose();
    }

    private static DeviceInfo Describe(int threads)
    {
        string vectors = Vector512.IsHardwareAccelerated ? "512-bit vectors"
            : Vector256.IsHardwareAccelerated ? "256-bit vectors"
            : Vector128.IsHardwareAccelerated ? "128-bit vectors" : "no vectors";
        return new DeviceInfo($"{RuntimeInformation.ProcessArchitecture} processor", $"{vectors}, {threads} threads",
            GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, Environment.ProcessorCount);
    }

    /// <summary>First word of a view; null for <see cref="BufferView.None"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float* Pointer(BufferView view) => view.IsNone ? null : Unsafe.As<HostBuffer>(view.Buffer).Pointer + view.Offset;

    private HostBuffer Allocate(long length)
    {
        try { return new HostBuffer(length); }
        catch (OutOfMemoryException e) { throw new OutOfDeviceMemoryException(Name, Device, length * sizeof(float), Pool, e); }
    }

    /// <summary>The memory itself: nothing is queued here, so nothing is copied.</summary>
    private sealed class DirectTransfer(BufferView view, bool isDry) : IUpload, IDownload
    {
        public bool IsReady => true;

        public bool IsPending { get; private set; }

        public Span<float> Map() => isDry ? [] : Span(view);

        public void Send() { }

        public void Queue() => IsPending = true;

        public ReadOnlySpan<float> Read()
        {
            IsPending = false;
            return Span(view);
        }

        public void Dispose() { }
    }

    private static Span<float> Span(BufferView view) => new(Pointer(view), checked((int)view.Length));
}
