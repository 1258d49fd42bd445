using System.Linq.Expressions;
using I2M.Kernels.Ilgpu;
using I2M.PtxEmulator;
using ILGPU;
using ILGPU.Runtime;

namespace I2M.Testing.Emulation;

/// <summary>A kernel as PTX, ready to run on the emulator.</summary>
internal sealed class EmulatedKernel(KernelEntry entry, PtxKernel ptx, Action<EmulatedKernel, LaunchShape, KernelArguments> run)
{
    /// <summary>The kernel and its bounds.</summary>
    public KernelEntry Entry => entry;

    /// <summary>Its parsed text.</summary>
    public PtxKernel Ptx => ptx;

    /// <summary>(queue, config, a, b, …) ⇒ Launch(config, new KernelArguments(ptx).AddView(a).AddValue(b)…), for any number of arguments.</summary>
    public TLauncher CreateLauncher<TLauncher>() where TLauncher : Delegate
    {
        Type[] types = typeof(TLauncher).GetGenericArguments();
        ParameterExpression[] parameters = [.. types.Select(type => Expression.Parameter(type))];
        Expression block = Expression.New(typeof(KernelArguments).GetConstructors()[0], Expression.Constant(ptx));
        foreach (ParameterExpression argument in parameters.Skip(2))
        {
            bool isView = argument.Type.IsGenericType && argument.Type.GetGenericTypeDefinition() == typeof(ArrayView<>);
            Type type = isView ? argument.Type.GetGenericArguments()[0] : argument.Type;
            block = Expression.Call(block, isView ? nameof(KernelArguments.AddView) : nameof(KernelArguments.AddValue), [type], argument);
        }
        Expression launch = Expression.Call(Expression.Constant(this), nameof(Launch), null, parameters[1], block);
        return Expression.Lambda<TLauncher>(launch, parameters).Compile();
    }

    /// <summary>Runs the kernel to its end.</summary>
    public void Launch(KernelConfig config, KernelArguments arguments)
    {
        int shared = config.SharedMemoryConfig.NumElements * config.SharedMemoryConfig.ElementSize;
        var shape = new LaunchShape(config.GridDim.X, config.GridDim.Y, config.GridDim.Z, config.GroupDim.X, config.GroupDim.Y, config.GroupDim.Z, shared);
        run(this, shape, arguments);
    }
}
