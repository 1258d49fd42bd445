using System.Reflection;
using ILGPU;
using ILGPU.Runtime;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// Kernels are explicitly grouped static methods; each is compiled once, at its first launch. <see cref="Grid(long)"/> is the only place that
/// rounds a size up to whole groups, so every kernel that is launched over it guards its tail.
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

    private TDelegate Compiled<TDelegate>(Delegate kernel, Func<TDelegate> load) where TDelegate : Delegate
    {
        MethodInfo method = kernel.Method;
        if (_kernels.TryGetValue(method, out Delegate? compiled)) { return (TDelegate)compiled; }
        TDelegate loaded = load();
        _kernels.Add(method, loaded);
        return loaded;
    }

    private void Launch<T1>(Action<T1> kernel, KernelConfig config, T1 a1) where T1 : struct =>
        Compiled(kernel, () => _accelerator.LoadKernel(kernel))(_stream, config, a1);

    private void Launch<T1, T2>(Action<T1, T2> kernel, KernelConfig config, T1 a1, T2 a2)
        where T1 : struct where T2 : struct =>
        Compiled(kernel, () => _accelerator.LoadKernel(kernel))(_stream, config, a1, a2);

    private void Launch<T1, T2, T3>(Action<T1, T2, T3> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3)
        where T1 : struct where T2 : struct where T3 : struct =>
        Compiled(kernel, () => _accelerator.LoadKernel(kernel))(_stream, config, a1, a2, a3);

    private void Launch<T1, T2, T3, T4>(Action<T1, T2, T3, T4> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct =>
        Compiled(kernel, () => _accelerator.LoadKernel(kernel))(_stream, config, a1, a2, a3, a4);

    private void Launch<T1, T2, T3, T4, T5>(Action<T1, T2, T3, T4, T5> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct =>
        Compiled(kernel, () => _accelerator.LoadKernel(kernel))(_stream, config, a1, a2, a3, a4, a5);

    private void Launch<T1, T2, T3, T4, T5, T6>(Action<T1, T2, T3, T4, T5, T6> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct where T6 : struct =>
        Compiled(kernel, () => _accelerator.LoadKernel(kernel))(_stream, config, a1, a2, a3, a4, a5, a6);

    private void Launch<T1, T2, T3, T4, T5, T6, T7>(Action<T1, T2, T3, T4, T5, T6, T7> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct where T6 : struct where T7 : struct =>
        Compiled(kernel, () => _accelerator.LoadKernel(kernel))(_stream, config, a1, a2, a3, a4, a5, a6, a7);

    private void Launch<T1, T2, T3, T4, T5, T6, T7, T8>(Action<T1, T2, T3, T4, T5, T6, T7, T8> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct where T6 : struct where T7 : struct where T8 : struct =>
        Compiled(kernel, () => _accelerator.LoadKernel(kernel))(_stream, config, a1, a2, a3, a4, a5, a6, a7, a8);

    private void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9>(Action<T1, T2, T3, T4, T5, T6, T7, T8, T9> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct where T6 : struct where T7 : struct where T8 : struct where T9 : struct =>
        Compiled(kernel, () => _accelerator.LoadKernel(kernel))(_stream, config, a1, a2, a3, a4, a5, a6, a7, a8, a9);

    private void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>(Action<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct where T6 : struct where T7 : struct where T8 : struct where T9 : struct where T10 : struct =>
        Compiled(kernel, () => _accelerator.LoadKernel(kernel))(_stream, config, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10);

    private void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11>(Action<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct where T6 : struct where T7 : struct where T8 : struct where T9 : struct where T10 : struct where T11 : struct =>
        Compiled(kernel, () => _accelerator.LoadKernel(kernel))(_stream, config, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11);

    private void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12>(Action<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11, T12 a12)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct where T6 : struct where T7 : struct where T8 : struct where T9 : struct where T10 : struct where T11 : struct where T12 : struct =>
        Compiled(kernel, () => _accelerator.LoadKernel(kernel))(_stream, config, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12);

    private void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13>(Action<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13> kernel, KernelConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11, T12 a12, T13 a13)
        where T1 : struct where T2 : struct where T3 : struct where T4 : struct where T5 : struct where T6 : struct where T7 : struct where T8 : struct where T9 : struct where T10 : struct where T11 : struct where T12 : struct where T13 : struct =>
        Compiled(kernel, () => _accelerator.LoadKernel(kernel))(_stream, config, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13);
}
