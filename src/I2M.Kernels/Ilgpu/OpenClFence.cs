using System.Runtime.InteropServices;
using ILGPU.Runtime.OpenCL;

namespace I2M.Kernels.Ilgpu;

/// <summary>A marker in the queue of an OpenCL device, through the calls that ILGPU lacks (OpenCL 1.2, sections 5.9 to 5.13).</summary>
internal sealed unsafe class OpenClFence(CLStream stream) : DeviceFence
{
    private static readonly Lazy<IntPtr> s_library = new(Open);
    private IntPtr _event;

    /// <inheritdoc/>
    public override bool IsReached
    {
        get
        {
            const uint executionStatus = 0x11D3;
            const int complete = 0;
            if (_event == 0) { return true; }
            int status;
            ThrowIfFailed(((delegate* unmanaged<IntPtr, uint, nuint, void*, nuint*, int>)Function("clGetEventInfo"))(_event, executionStatus, sizeof(int), &status, null));
            if (status < 0) { ThrowIfFailed(status); }
            return status == complete;
        }
    }

    /// <inheritdoc/>
    public override void Record()
    {
        Release();
        IntPtr created;
        ThrowIfFailed(((delegate* unmanaged<IntPtr, uint, IntPtr*, IntPtr*, int>)Function("clEnqueueMarkerWithWaitList"))(stream.CommandQueue, 0, null, &created));
        _event = created;
        // Without a flush the driver may keep the work back, and nobody would ever see the mark reached.
        ThrowIfFailed(((delegate* unmanaged<IntPtr, int>)Function("clFlush"))(stream.CommandQueue));
    }

    /// <inheritdoc/>
    public override void Wait()
    {
        if (_event == 0) { return; }
        IntPtr awaited = _event;
        ThrowIfFailed(((delegate* unmanaged<uint, IntPtr*, int>)Function("clWaitForEvents"))(1, &awaited));
    }

    /// <inheritdoc/>
    public override void Dispose() => Release();

    private void Release()
    {
        if (_event == 0) { return; }
        _ = ((delegate* unmanaged<IntPtr, int>)Function("clReleaseEvent"))(_event);
        _event = 0;
    }

    private static void ThrowIfFailed(int error)
    {
        if (error != 0) { throw new CLException((CLError)error); }
    }

    private static IntPtr Function(string name) => NativeLibrary.GetExport(s_library.Value, name);

    private static IntPtr Open()
    {
        foreach (string name in OperatingSystem.IsWindows() ? (string[])["OpenCL.dll"] : ["libOpenCL.so.1", "libOpenCL.so"])
        {
            if (NativeLibrary.TryLoad(name, out IntPtr library)) { return library; }
        }
        throw new I2MException("opencl: the loader libOpenCL.so.1 cannot be loaded; install ocl-icd");
    }
}
