using System.Reflection;
using ILGPU;
using ILGPU.Runtime;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// Kernels are explicitly grouped static methods; each is compiled once, at its first launch, with the bounds of its <see cref="KernelBoundsAttribute"/>.
/// <see cref="Grid(long)"/> is the only place that rounds a size up to whole groups, so every kernel that is launched over it guards its tail.
/// </summary>
public sealed partial class IlgpuBackend
{
    /// <summary>Work items per group of one-dimensional kernels.</summary>
    internal const int GroupSize = 128;

    /// <summary>Enough groups of <see cref="GroupSize"/> for one work item per element.</summary>
    private static KernelConfig Grid(long elements) => Groups((elements + GroupSize - 1) / GroupSize, GroupSize);

    /// <summary>So many groups of so many work items.</summary>
    private static KernelConfig Groups(long groups, int groupSize) => new(new Index3D(checked((int)groups), 1, 1), new Index3D(groupSize, 1, 1));

    /// <summary>A three-dimensional grid of groups of so many work items.</summary>
    private static KernelConfig Groups(int x, int y, int z, int groupSize) => new(new Index3D(x, y, z), new Index3D(groupSize, 1, 1));

    /// <summary>A compiled kernel: its launcher is an Action of queue, configuration and arguments.</summary>
    private sealed record LoadedKernel(KernelEntry Entry, Delegate Launcher);

    /// <summary>The kernel's launcher, compiled at the first call; adds the kernel's dynamic shared memory to the configuration.</summary>
    /// <exception cref="KernelLimitException">The kernel or this launch asks for more than the device has or the kernel was compiled for.</exception>
    private TLauncher Launcher<TLauncher>(MethodInfo method, ref KernelConfig config) where TLauncher : Delegate
    {
        if (!_kernels.TryGetValue(method, out LoadedKernel? kernel))
        {
            KernelEntry entry = KernelEntry.Of(method);
            DeviceLimits limits = _device.Limits;
            if (entry.SharedBytes > limits.DynamicSharedBytes) { throw Limit(entry, "bytes of shared memory a group", entry.SharedBytes, limits.DynamicSharedBytes); }
            if (IsCuda && entry.MaxThreads > limits.GroupThreads) { throw Limit(entry, "work items a group", entry.MaxThreads, limits.GroupThreads); }
            kernel = new LoadedKernel(entry, _device.Load<TLauncher>(entry));
            _kernels.Add(method, kernel);
        }
        CheckConfig(kernel.Entry, config);
        if (kernel.Entry.SharedBytes > 0) { config = new KernelConfig(config.GridDim, config.GroupDim, SharedMemoryConfig.RequestDynamic<byte>(kernel.Entry.SharedBytes)); }
        return (TLauncher)kernel.Launcher;
    }

    private void CheckConfig(KernelEntry kernel, in KernelConfig config)
    {
        DeviceLimits limits = _device.Limits;
        long threads = config.GroupDim.LongSize;
        if (threads > limits.GroupThreads) { throw Limit(kernel, "work items a group", threads, limits.GroupThreads); }
        if (IsCuda && threads > kernel.MaxThreads) { throw new KernelLimitException(Name, kernel.Name, "work items a group", threads, kernel.MaxThreads, "its KernelBounds"); }
        if (config.GridDim.X > limits.Grid.X) { throw Limit(kernel, "groups along x", config.GridDim.X, limits.Grid.X); }
        if (config.GridDim.Y > limits.Grid.Y) { throw Limit(kernel, "groups along y", config.GridDim.Y, limits.Grid.Y); }
        if (config.GridDim.Z > limits.Grid.Z) { throw Limit(kernel, "groups along z", config.GridDim.Z, limits.Grid.Z); }
    }

    private KernelLimitException Limit(KernelEntry kernel, string quantity, long wanted, long limit) => new(Name, kernel.Name, quantity, wanted, limit, Device.Name);

    private DeviceLostException LaunchFailed(Delegate kernel, in KernelConfig config, AcceleratorException e) =>
        Lost($"the launch of {KernelEntry.Of(kernel.Method).Name} in {config.GridDim} groups of {config.GroupDim}", e);

    internal void Launch<T1>(Action<T1> kernel, KernelConfig config, T1 a1)
        where T1 : struct
    {
        try { Launcher<Action<AcceleratorStream, KernelConfig, T1>>(kernel.Method, ref config)(_device.Stream, config, a1); }
        catch (AcceleratorException e) { throw LaunchFailed(kernel, config, e); }
    }

    internal void Launch<T1, T2>(Action<T1, T2> kernel, KernelConfig config, T1 a1, T2 a2)
        where T1 : struct where T2 : struct
    {
        try { Launcher<Action<AcceleratorStream, KernelConfig, T1, T2>>(kernel.Method, ref config)(_device.Stream, config, a1, a2); }
        catch (AcceleratorException e) { throw LaunchFailed(kernel, config, e); }
    }

    internal void Launch<T1, T2, T3>(Action<T1, T2, T3> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3)
        where T1 : struct where T2 : struct where T3 : struct
    {
        try { Launcher<Action<AcceleratorStream, KernelConfig, T1, T2, T3>>(kernel.Method, ref config)(_device.Stream, config, a1, a2, a3); }
        catch (AcceleratorException e) { throw LaunchFailed(kernel, config, e); }
    }

    internal void Launch<T1, T2, T3, T4>(Action<T1, T2, T3, T4> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct
    {
        try { Launcher<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4>>(kernel.Method, ref config)(_device.Stream, config, a1, a2, a3, a4); }
        catch (AcceleratorException e) { throw LaunchFailed(kernel, config, e); }
    }

    internal void Launch<T1, T2, T3, T4, T5>(Action<T1, T2, T3, T4, T5> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct
    {
        try { Launcher<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4, T5>>(kernel.Method, ref config)(_device.Stream, config, a1, a2, a3, a4, a5); }
        catch (AcceleratorException e) { throw LaunchFailed(kernel, config, e); }
    }

    internal void Launch<T1, T2, T3, T4, T5, T6>(Action<T1, T2, T3, T4, T5, T6> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct where T6 : struct
    {
        try { Launcher<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4, T5, T6>>(kernel.Method, ref config)(_device.Stream, config, a1, a2, a3, a4, a5, a6); }
        catch (AcceleratorException e) { throw LaunchFailed(kernel, config, e); }
    }

    internal void Launch<T1, T2, T3, T4, T5, T6, T7>(Action<T1, T2, T3, T4, T5, T6, T7> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct where T6 : struct where T7 : struct
    {
        try { Launcher<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4, T5, T6, T7>>(kernel.Method, ref config)(_device.Stream, config, a1, a2, a3, a4, a5, a6, a7); }
        catch (AcceleratorException e) { throw LaunchFailed(kernel, config, e); }
    }

    internal void Launch<T1, T2, T3, T4, T5, T6, T7, T8>(Action<T1, T2, T3, T4, T5, T6, T7, T8> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct where T6 : struct where T7 : struct where T8 : struct
    {
        try { Launcher<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4, T5, T6, T7, T8>>(kernel.Method, ref config)(_device.Stream, config, a1, a2, a3, a4, a5, a6, a7, a8); }
        catch (AcceleratorException e) { throw LaunchFailed(kernel, config, e); }
    }

    internal void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9>(Action<T1, T2, T3, T4, T5, T6, T7, T8, T9> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct where T6 : struct where T7 : struct where T8 : struct where T9 : struct
    {
        try { Launcher<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4, T5, T6, T7, T8, T9>>(kernel.Method, ref config)(_device.Stream, config, a1, a2, a3, a4, a5, a6, a7, a8, a9); }
        catch (AcceleratorException e) { throw LaunchFailed(kernel, config, e); }
    }

    internal void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>(Action<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct where T6 : struct where T7 : struct where T8 : struct where T9 : struct where T10 : struct
    {
        try { Launcher<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>>(kernel.Method, ref config)(_device.Stream, config, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10); }
        catch (AcceleratorException e) { throw LaunchFailed(kernel, config, e); }
    }

    internal void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11>(Action<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct where T6 : struct where T7 : struct where T8 : struct where T9 : struct where T10 : struct where T11 : struct
    {
        try { Launcher<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11>>(kernel.Method, ref config)(_device.Stream, config, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11); }
        catch (AcceleratorException e) { throw LaunchFailed(kernel, config, e); }
    }

    internal void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12>(Action<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11, T12 a12)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct where T6 : struct where T7 : struct where T8 : struct where T9 : struct where T10 : struct where T11 : struct where T12 : struct
    {
        try { Launcher<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12>>(kernel.Method, ref config)(_device.Stream, config, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12); }
        catch (AcceleratorException e) { throw LaunchFailed(kernel, config, e); }
    }

    internal void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13>(Action<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11, T12 a12, T13 a13)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct where T6 : struct where T7 : struct where T8 : struct where T9 : struct where T10 : struct where T11 : struct where T12 : struct where T13 : struct
    {
        try { Launcher<Action<AcceleratorStream, KernelConfig, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13>>(kernel.Method, ref config)(_device.Stream, config, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13); }
        catch (AcceleratorException e) { throw LaunchFailed(kernel, config, e); }
    }
}
