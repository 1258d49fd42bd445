using ILGPU.Runtime.OpenCL;

namespace I2M.Kernels;

/// <summary>The device has no memory left for a request. The message names the bytes wanted, held, in use, planned and present.</summary>
public sealed class OutOfDeviceMemoryException : I2MException
{
    /// <summary>Bytes that were asked for.</summary>
    public long WantedBytes { get; }

    /// <summary>Bytes that the pool held on the device before.</summary>
    public long HeldBytes { get; }

    /// <summary>Bytes that were expected at most, where somebody planned; else null.</summary>
    public long? PlannedBytes { get; }

    internal OutOfDeviceMemoryException(string backend, DeviceInfo device, long wantedBytes, BufferPool pool, Exception inner)
        : base($"{backend}: out of device memory: {wantedBytes:N0} bytes wanted, {pool.DeviceBytes:N0} held ({pool.LiveBytes:N0} in use), {Plan(pool)}, {device.MemoryBytes:N0} in the device; use a smaller batch or --recompute", inner) =>
        (WantedBytes, HeldBytes, PlannedBytes) = (wantedBytes, pool.DeviceBytes, pool.PlannedBytes);

    private static string Plan(BufferPool pool) => pool.PlannedBytes is { } planned ? $"{planned:N0} planned" : "no plan";
}

/// <summary>A kernel or a shape asks for more than the device or the kernel can do. The message names the kernel, the quantity, and both numbers.</summary>
public sealed class KernelLimitException : I2MException
{
    /// <summary>The kernel or operation.</summary>
    public string Kernel { get; }

    /// <summary>How much was asked for.</summary>
    public long Wanted { get; }

    /// <summary>The most that is possible.</summary>
    public long Limit { get; }

    internal KernelLimitException(string backend, string kernel, string quantity, long wanted, long limit, string whose)
        : base($"{backend}: {kernel}: {quantity}: {wanted:N0} wanted, at most {limit:N0} ({whose})") => (Kernel, Wanted, Limit) = (kernel, wanted, limit);
}

/// <summary>
/// The device stopped answering or a kernel failed on it: what it held is lost and this backend is of no further use. Training goes on from its last
/// checkpoint in a new process.
/// </summary>
public sealed class DeviceLostException : I2MException
{
    internal DeviceLostException(string backend, DeviceInfo device, string during, long heldBytes, Exception inner)
        : base($"{backend}: {device.Name} failed during {during} with {heldBytes:N0} bytes in use of {device.MemoryBytes:N0}: {Reason(inner)}; start again from the last checkpoint", inner) { }

    /// <summary>An OpenCL exception's message does not name its code.</summary>
    private static string Reason(Exception inner) => inner is CLException cl ? cl.Error.ToString() : inner.Message.ReplaceLineEndings(" ").Trim();
}

/// <summary>A device could not record work. Queueing it operation by operation still works.</summary>
public sealed class RecordingException : I2MException
{
    internal RecordingException(string backend, Exception inner)
        : base($"{backend}: a step could not be recorded: {inner.Message.ReplaceLineEndings(" ").Trim()}", inner) { }
}
