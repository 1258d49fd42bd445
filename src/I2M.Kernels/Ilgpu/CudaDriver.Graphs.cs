using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;

namespace I2M.Kernels.Ilgpu;

/// <summary>Graphs (CUDA driver API, "Graph Management" and "Stream Management") and page-locked memory.</summary>
internal static unsafe partial class CudaDriver
{
    /// <summary>
    /// Nothing that a stream must not do while it is captured is tried there; the relaxed mode only keeps other threads, such as the garbage collector's finalisers, out of it.
    /// </summary>
    private const int CaptureModeRelaxed = 2;

    /// <summary>True when the driver has graphs: version 11.4 and later, which compute capability 8.0 and its successors in use have.</summary>
    public static bool HasGraphs => NativeLibrary.TryGetExport(s_library.Value, "cuGraphInstantiateWithFlags", out _);

    /// <summary>From here on the stream records.</summary>
    public static void BeginCapture(CudaStream stream) =>
        ThrowIfFailed(((delegate* unmanaged<IntPtr, int, int>)NativeLibrary.GetExport(s_library.Value, "cuStreamBeginCapture_v2"))(stream.StreamPtr, CaptureModeRelaxed));

    /// <summary>Ends the recording and makes it executable.</summary>
    public static IntPtr EndCapture(CudaStream stream)
    {
        IntPtr graph = EndCaptureRaw(stream, out int error);
        ThrowIfFailed(error);
        IntPtr executable;
        int instantiated = ((delegate* unmanaged<IntPtr*, IntPtr, ulong, int>)NativeLibrary.GetExport(s_library.Value, "cuGraphInstantiateWithFlags"))(&executable, graph, 0);
        DestroyGraph(graph);
        ThrowIfFailed(instantiated);
        return executable;
    }

    /// <summary>Ends a recording that failed.</summary>
    public static void AbandonCapture(CudaStream stream)
    {
        IntPtr graph = EndCaptureRaw(stream, out _);
        if (graph != 0) { DestroyGraph(graph); }
    }

    /// <summary>Queues an executable graph.</summary>
    public static void Launch(IntPtr executable, CudaStream stream) =>
        ThrowIfFailed(((delegate* unmanaged<IntPtr, IntPtr, int>)NativeLibrary.GetExport(s_library.Value, "cuGraphLaunch"))(executable, stream.StreamPtr));

    /// <summary>Gives an executable graph back once it is no longer running.</summary>
    public static void DestroyExecutable(IntPtr executable) =>
        _ = ((delegate* unmanaged<IntPtr, int>)NativeLibrary.GetExport(s_library.Value, "cuGraphExecDestroy"))(executable);

    /// <summary>Takes page-locked host memory.</summary>
    public static IntPtr AllocateHost(CudaAccelerator accelerator, long bytes)
    {
        accelerator.Bind();
        IntPtr memory;
        ThrowIfFailed(((delegate* unmanaged<IntPtr*, nuint, int>)NativeLibrary.GetExport(s_library.Value, "cuMemAllocHost_v2"))(&memory, (nuint)bytes));
        return memory;
    }

    /// <summary>Gives page-locked host memory back.</summary>
    public static void FreeHost(CudaAccelerator accelerator, IntPtr memory)
    {
        accelerator.Bind();
        _ = ((delegate* unmanaged<IntPtr, int>)NativeLibrary.GetExport(s_library.Value, "cuMemFreeHost"))(memory);
    }

    private static IntPtr EndCaptureRaw(CudaStream stream, out int error)
    {
        IntPtr graph = 0;
        error = ((delegate* unmanaged<IntPtr, IntPtr*, int>)NativeLibrary.GetExport(s_library.Value, "cuStreamEndCapture"))(stream.StreamPtr, &graph);
        return graph;
    }

    private static void DestroyGraph(IntPtr graph) => _ = ((delegate* unmanaged<IntPtr, int>)NativeLibrary.GetExport(s_library.Value, "cuGraphDestroy"))(graph);
}

/// <summary>Page-locked host memory: the device fetches from it and writes to it by itself.</summary>
internal sealed unsafe class PageLockedMemory(CudaAccelerator accelerator, long words)
    : HostMemory(words, (float*)CudaDriver.AllocateHost(accelerator, Math.Max(1, words) * sizeof(float)))
{
    /// <inheritdoc/>
    protected override void Free() => CudaDriver.FreeHost(accelerator, (IntPtr)Pointer);
}

/// <summary>A recorded step as an executable graph.</summary>
internal sealed class CudaGraph(CudaAccelerator accelerator, CudaStream stream) : IDeviceRecording
{
    private IntPtr _executable = CudaDriver.EndCapture(stream);

    /// <inheritdoc/>
    public void Replay()
    {
        accelerator.Bind();
        CudaDriver.Launch(_executable, stream);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_executable == 0) { return; }
        accelerator.Bind();
        try { stream.Synchronize(); }
        catch (CudaException) { /* A lost device runs no graph any more. */ }
        CudaDriver.DestroyExecutable(_executable);
        _executable = 0;
    }
}

/// <summary>An event in the queue of a CUDA device.</summary>
internal sealed class CudaFence(CudaAccelerator accelerator, CudaStream stream) : DeviceFence
{
    private IntPtr _event = CudaDriver.CreateEvent(accelerator, isFence: true);

    /// <inheritdoc/>
    public override bool IsReached
    {
        get
        {
            accelerator.Bind();
            return CudaDriver.IsDone(_event);
        }
    }

    /// <inheritdoc/>
    public override void Record()
    {
        accelerator.Bind();
        CudaDriver.Record(_event, stream);
    }

    /// <inheritdoc/>
    public override void Wait()
    {
        accelerator.Bind();
        CudaDriver.Wait(_event);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (_event == 0) { return; }
        accelerator.Bind();
        CudaDriver.DestroyEvent(_event);
        _event = 0;
    }
}
