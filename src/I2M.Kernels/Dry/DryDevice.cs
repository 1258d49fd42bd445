using System.Linq.Expressions;
using I2M.Kernels.Ilgpu;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;

namespace I2M.Kernels.Dry;

/// <summary>A device on which launches and copies do nothing; see <see cref="DryBackend"/>. ILGPU's processor accelerator lends the types that launches need.</summary>
internal sealed class DryDevice : KernelDevice
{
    private readonly Context _context = Context.Create(builder => builder.CPU(new CPUDevice(2, 1, 1)));
    private readonly CPUAccelerator _accelerator;
    private readonly List<IDisposable> _pieces = [];
    private ArrayView<float> _memory;

    /// <summary>A twin of another device.</summary>
    public DryDevice(KernelDevice device) : this(device.Info, device.Target, device.Limits, device.Nominal) { }

    /// <summary>A device by its data sheet.</summary>
    public DryDevice(GpuCard card) : this(new DeviceInfo(card.Name, "by its data sheet", card.MemoryBytes, card.Multiprocessors), KernelTarget.Cuda,
        new DeviceLimits(1024, new Index3D(int.MaxValue, ushort.MaxValue, ushort.MaxValue), card.SharedBytes), card.Nominal)
    { }

    private DryDevice(DeviceInfo info, KernelTarget target, DeviceLimits limits, NominalPeaks nominal)
    {
        (Info, Target, Limits, Nominal) = (info, target, limits, nominal);
        _accelerator = (CPUAccelerator)_context.GetCPUDevices()[0].CreateAccelerator(_context);
    }

    /// <inheritdoc/>
    public override DeviceInfo Info { get; }

    /// <inheritdoc/>
    public override KernelTarget Target { get; }

    /// <inheritdoc/>
    public override DeviceLimits Limits { get; }

    /// <inheritdoc/>
    public override NominalPeaks Nominal { get; }

    /// <inheritdoc/>
    public override bool IsDry => true;

    /// <inheritdoc/>
    public override AcceleratorStream Stream => _accelerator.DefaultStream;

    /// <summary>All buffers share one piece of memory, as in <see cref="DryMemory"/>.</summary>
    public override IlgpuBuffer Allocate(long words)
    {
        if (words > _memory.Length)
        {
            MemoryBuffer1D<float, Stride1D.Dense> piece = _accelerator.Allocate1D<float>(words);
            _pieces.Add(piece);
            _memory = piece.View.AsContiguous();
        }
        return new IlgpuBuffer(_memory.SubView(0, words), Nothing.Instance);
    }

    /// <summary>(queue, config, a, b, …) ⇒ nothing.</summary>
    public override TLauncher Load<TLauncher>(KernelEntry kernel)
    {
        IEnumerable<ParameterExpression> parameters = typeof(TLauncher).GetMethod("Invoke")!.GetParameters().Select(p => Expression.Parameter(p.ParameterType));
        return Expression.Lambda<TLauncher>(Expression.Empty(), parameters).Compile();
    }

    /// <inheritdoc/>
    public override void CopyIn<T>(ReadOnlySpan<T> source, ArrayView<T> destination) { }

    /// <inheritdoc/>
    public override void CopyOut<T>(ArrayView<T> source, Span<T> destination) => destination.Clear();

    /// <inheritdoc/>
    public override void Copy(ArrayView<float> source, ArrayView<float> destination) { }

    /// <inheritdoc/>
    public override void Synchronize() { }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (IDisposable piece in _pieces) { piece.Dispose(); }
        _accelerator.Dispose();
        _context.Dispose();
    }

    /// <summary>What a buffer gives back: its memory belongs to the device.</summary>
    private sealed class Nothing : IDisposable
    {
        public static readonly Nothing Instance = new();

        public void Dispose() { }
    }
}
