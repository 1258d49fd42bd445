using ILGPU.Runtime;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend : IDeviceProbe
{
    /// <inheritdoc/>
    public bool IsProcessor => _device.Target == KernelTarget.OpenClProcessor;

    /// <inheritdoc/>
    public bool HasEvents => _device.HasEvents;

    /// <inheritdoc/>
    public NominalPeaks Nominal => _device.Nominal;

    /// <inheritdoc/>
    public IDeviceMarks? Marks => _device.Marks is { } marks ? new QueuedMarks(this, marks) : null;

    /// <inheritdoc/>
    public double Time(Action work)
    {
        RefuseInRecording("A measurement");
        try { return _device.Time(work); }
        catch (AcceleratorException e) { throw Lost("measured work", e); }
    }

    /// <inheritdoc/>
    public bool CanLoop(Arithmetic arithmetic) => arithmetic == Arithmetic.Float32 || IsCuda;

    /// <inheritdoc/>
    public double MultiplyLoop(Arithmetic arithmetic, BufferView operands, int rounds, int groups, BufferView results)
    {
        Require(CanLoop(arithmetic), nameof(arithmetic), $"{Name} has no loop in {arithmetic}");
        RequireLength(operands, IDeviceProbe.LoopOperands);
        bool tensor = arithmetic != Arithmetic.Float32;
        RequireLength(results, (long)groups * (tensor ? TensorLoopKernels.GroupResults : GroupSize));
        if (!tensor)
        {
            Launch(ProbeKernels.MultiplyAdd, Groups(groups, GroupSize), View(operands), rounds, View(results));
            return 2.0 * ProbeKernels.StepsPerRound * rounds * groups * GroupSize;
        }
        bool narrow = arithmetic == Arithmetic.BFloat16;
        Launch(narrow ? TensorLoopKernels.BFloat16 : TensorLoopKernels.TensorFloat32, Groups(groups, GroupSize), Address(operands), rounds, Address(results));
        return 2.0 * TensorLoopKernels.ProductsPerRound(narrow) * rounds * groups;
    }

    /// <inheritdoc/>
    public void LaunchEmpty() => Launch(ProbeKernels.Empty, Groups(1, GroupSize), 0);

    /// <summary>The device's marks, refused in recorded work, where they would stand once and not in its replays.</summary>
    private sealed class QueuedMarks(IlgpuBackend backend, IDeviceMarks marks) : IDeviceMarks
    {
        public int Put()
        {
            backend.RefuseInRecording("A mark");
            try { return marks.Put(); }
            catch (AcceleratorException e) { throw backend.Lost("queued work", e); }
        }

        public double SecondsAt(int mark)
        {
            backend.RefuseInRecording("A wait for a mark");
            try { return marks.SecondsAt(mark); }
            catch (AcceleratorException e) { throw backend.Lost("queued work", e); }
        }

        public void Clear() => marks.Clear();
    }
}
