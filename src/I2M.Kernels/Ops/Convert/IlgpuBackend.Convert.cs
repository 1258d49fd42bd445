namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Convert(BufferView source, long elements, BufferView destination)
    {
        Require(source.Type != destination.Type, nameof(destination), $"both views hold {source.Type}");
        RequireLength(source, source.Type.Words(elements));
        RequireLength(destination, destination.Type.Words(elements));
        if (elements == 0) { return; }
        if (destination.Type == ElementType.BFloat16) { Launch(ConvertKernels.Narrow, Grid(destination.Length), View(source), elements, IntView(destination)); }
        else { Launch(ConvertKernels.Widen, Grid(source.Length), IntView(source), elements, View(destination)); }
    }
}
