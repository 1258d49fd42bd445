using System.Reflection;

namespace I2M.Kernels.Ilgpu;

/// <summary>A kernel with its launch bounds.</summary>
internal sealed class KernelEntry
{
    private KernelEntry(MethodInfo method, KernelBoundsAttribute bounds)
    {
        Method = method;
        Name = $"{method.DeclaringType!.Name}.{method.Name}";
        (MaxThreads, MinGroups, SharedBytes) = (bounds.MaxThreads, bounds.MinGroups, bounds.SharedBytes);
    }

    /// <summary>The explicitly grouped static method.</summary>
    public MethodInfo Method { get; }

    /// <summary>Class and method, such as GemmKernels.Tiled.</summary>
    public string Name { get; }

    /// <summary>See <see cref="KernelBoundsAttribute"/>.</summary>
    public int MaxThreads { get; }

    /// <summary>See <see cref="KernelBoundsAttribute"/>.</summary>
    public int MinGroups { get; }

    /// <summary>See <see cref="KernelBoundsAttribute"/>.</summary>
    public int SharedBytes { get; }

    /// <summary>Reads a kernel's bounds.</summary>
    public static KernelEntry Of(MethodInfo method) =>
        new(method, method.GetCustomAttribute<KernelBoundsAttribute>() ?? new KernelBoundsAttribute(IlgpuBackend.GroupSize));
}

/// <summary>
/// All kernels of an assembly, by convention: the public static methods without a result in static classes whose name ends in "Kernels", all of whose
/// parameters are values. The static check of PTX goes over them; the emulated device refuses a kernel that is not among them.
/// </summary>
internal static class KernelCatalog
{
    /// <summary>The kernels, ordered by name.</summary>
    public static IReadOnlyList<KernelEntry> Of(Assembly assembly) =>
    [
        .. assembly.GetTypes().SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(IsKernel).Select(KernelEntry.Of).OrderBy(entry => entry.Name, StringComparer.Ordinal),
    ];

    /// <summary>True for a method that the convention above takes for a kernel.</summary>
    public static bool IsKernel(MethodInfo method)
    {
        Type type = method.DeclaringType!;
        return type is { IsAbstract: true, IsSealed: true, IsGenericType: false } && type.Name.EndsWith("Kernels", StringComparison.Ordinal)
            && method is { IsPublic: true, IsStatic: true, IsGenericMethod: false } && method.ReturnType == typeof(void)
            && method.GetParameters() is { Length: > 0 } parameters && parameters.All(p => p.ParameterType.IsValueType);
    }
}
