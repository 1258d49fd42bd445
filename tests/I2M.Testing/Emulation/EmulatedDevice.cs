using I2M.Kernels;
using I2M.Kernels.Ilgpu;
using I2M.PtxEmulator;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;

namespace I2M.Testing.Emulation;

/// <summary>
/// A CUDA device of compute capability 8.0 without a GPU: kernels are compiled to the PTX that such a device would get, and run on the emulator, which
/// checks every access. Anything that it finds fails the launch.
/// </summary>
internal sealed class EmulatedDevice : KernelDevice
{
    /// <summary>Shared memory of a group of compute capability 8.0 in bytes, static and dynamic together, and of the static alone.</summary>
    private const int SharedBytes = 163 * 1024, StaticSharedBytes = 48 * 1024;

    /// <summary>Buffers begin at multiples of so many words, and at least so many unregistered words lie between two.</summary>
    private const int AlignWords = 64;

    private readonly Context _context = Context.Create(builder => builder.CPU(new CPUDevice(2, 1, 1)));
    private readonly CPUAccelerator _accelerator;
    private readonly PtxCompiler _compiler = new(CudaArchitecture.SM_80);
    private readonly DeviceMemory _memory = new();
    private readonly PtxMachine _machine;
    private readonly EmulatedRecorder _recorder = new();

    public EmulatedDevice()
    {
        _accelerator = (CPUAccelerator)_context.GetCPUDevices()[0].CreateAccelerator(_context);
        _machine = new PtxMachine(_memory, new EmulatorOptions());
    }

    /// <summary>Told of every launch that ran without a finding: the kernel's name and what it did.</summary>
    public Action<string, LaunchReport>? Launched { get; init; }

    /// <summary>Told of every launch before it runs, or is recorded: the kernel's name, its shape and its parameter block.</summary>
    public Action<string, LaunchShape, byte[]>? Queued { get; init; }

    /// <summary>Changes a kernel's text by its name before it is loaded, or null: for faults that the emulator must find.</summary>
    public Func<string, string, string>? Plant { get; init; }

    /// <inheritdoc/>
    public override DeviceInfo Info { get; } = new("PTX emulator", "compute capability 8.0, emulated", GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, 1);

    /// <inheritdoc/>
    public override KernelTarget Target => KernelTarget.Cuda;

    /// <inheritdoc/>
    public override DeviceLimits Limits { get; } = new(1024, new Index3D(int.MaxValue, ushort.MaxValue, ushort.MaxValue), SharedBytes);

    /// <inheritdoc/>
    public override AcceleratorStream Stream => _accelerator.DefaultStream;

    /// <inheritdoc/>
    public override IlgpuBuffer Allocate(long words)
    {
        MemoryBuffer1D<float, Stride1D.Dense> memory = _accelerator.Allocate1D<float>(words + 3 * AlignWords);
        ArrayView<float> all = memory.View.AsContiguous();
        long start = AlignWords + AlignWords - (long)all.LoadEffectiveAddressAsPtr() / sizeof(float) % AlignWords;
        return new EmulatedBuffer(all.SubView(start, words), memory, _memory, _recorder);
    }

    /// <inheritdoc/>
    public override TLauncher Load<TLauncher>(KernelEntry kernel)
    {
        if (!KernelCatalog.IsKernel(kernel.Method)) { throw new InvalidOperationException($"{kernel.Name} is not found by KernelCatalog: ptx-report would leave it out"); }
        (string text, string entry) = _compiler.Compile(kernel);
        text = Plant?.Invoke(kernel.Name, text) ?? text;
        PtxKernel ptx = PtxModule.Parse(text).Kernels[entry];
        if (ptx.StaticSharedBytes > StaticSharedBytes || ptx.StaticSharedBytes + kernel.SharedBytes > SharedBytes)
        {
            throw new InvalidOperationException($"{kernel.Name}: {ptx.StaticSharedBytes} bytes of static shared memory beside {kernel.SharedBytes} dynamic: at most {StaticSharedBytes}, {SharedBytes} together");
        }
        return new EmulatedKernel(kernel, ptx, Queue).CreateLauncher<TLauncher>();
    }

    /// <inheritdoc/>
    public override void CopyIn<T>(ReadOnlySpan<T> source, ArrayView<T> destination)
    {
        source.CopyTo(Host(destination));
        _memory.MarkInitialized((ulong)destination.LoadEffectiveAddressAsPtr(), destination.LengthInBytes);
    }

    /// <summary>Copies what kernels or copies have written.</summary>
    /// <exception cref="EmulatorFindingException">Some of it nobody wrote.</exception>
    public override void CopyOut<T>(ArrayView<T> source, Span<T> destination)
    {
        long first = _memory.FirstUnwritten((ulong)source.LoadEffectiveAddressAsPtr(), source.LengthInBytes);
        if (first >= 0) { throw new EmulatorFindingException(source.LengthInBytes, first); }
        Host(source).CopyTo(destination);
    }

    /// <summary>Copies; what nobody wrote stays unwritten.</summary>
    public override void Copy(ArrayView<float> source, ArrayView<float> destination)
    {
        ulong from = (ulong)source.LoadEffectiveAddressAsPtr(), to = (ulong)destination.LoadEffectiveAddressAsPtr();
        long bytes = source.LengthInBytes;
        if (_recorder.IsRecording) { _recorder.Add(() => _memory.Copy(from, to, bytes)); }
        else { _memory.Copy(from, to, bytes); }
    }

    /// <inheritdoc/>
    public override void Synchronize() { }

    /// <inheritdoc/>
    public override bool CanRecord => true;

    /// <inheritdoc/>
    public override void BeginRecording() => _recorder.Begin();

    /// <inheritdoc/>
    public override IDeviceRecording EndRecording() => _recorder.End();

    /// <inheritdoc/>
    public override void AbandonRecording() => _recorder.End().Dispose();

    /// <inheritdoc/>
    public override void Dispose()
    {
        _compiler.Dispose();
        _accelerator.Dispose();
        _context.Dispose();
        _memory.Dispose();
    }

    private void Queue(EmulatedKernel kernel, LaunchShape shape, KernelArguments arguments)
    {
        Queued?.Invoke(kernel.Entry.Name, shape, arguments.Bytes.ToArray());
        if (_recorder.IsRecording) { _recorder.Add(() => Run(kernel, shape, arguments)); }
        else { Run(kernel, shape, arguments); }
    }

    private void Run(EmulatedKernel kernel, LaunchShape shape, KernelArguments arguments)
    {
        LaunchReport report = _machine.Run(kernel.Ptx, shape, arguments.Bytes);
        if (report.Findings.Count > 0) { throw new EmulatorFindingException(kernel.Entry.Name, shape, report.Findings); }
        Launched?.Invoke(kernel.Entry.Name, report);
    }

    private static unsafe Span<T> Host<T>(ArrayView<T> view) where T : unmanaged => new((void*)view.LoadEffectiveAddressAsPtr(), checked((int)view.Length));
}
