using System.Runtime.InteropServices;
using Xunit;

namespace I2M.PtxEmulator.Tests;

/// <summary>A memory and a machine for one test: buffers, parameters, launch.</summary>
internal sealed class Workbench : IDisposable
{
    private readonly List<byte> _parameters = [];

    public DeviceMemory Memory { get; } = new();

    public EmulatorOptions Options { get; init; } = new();

    public ulong Buffer<T>(params ReadOnlySpan<T> values) where T : unmanaged
    {
        ulong address = Memory.Allocate(values.Length * Marshal.SizeOf<T>());
        Memory.Write(address, values);
        return address;
    }

    /// <summary>Appends a parameter at its natural alignment.</summary>
    public Workbench With<T>(T value) where T : unmanaged
    {
        int size = Marshal.SizeOf<T>();
        while (_parameters.Count % Math.Min(size, 8) != 0) { _parameters.Add(0); }
        byte[] bytes = new byte[size];
        MemoryMarshal.Write(bytes, in value);
        _parameters.AddRange(bytes);
        return this;
    }

    /// <summary>Appends an ILGPU view: pointer and length.</summary>
    public Workbench View(ulong address, long length) => With(address).With(length);

    public LaunchReport Run(string ptx, LaunchShape shape)
    {
        PtxKernel kernel = PtxModule.Parse(ptx).Kernels.Values.Single();
        while (_parameters.Count < kernel.ParameterBytes) { _parameters.Add(0); }
        return new PtxMachine(Memory, Options).Run(kernel, shape, CollectionsMarshal.AsSpan(_parameters));
    }

    /// <summary>Runs and expects no findings.</summary>
    public LaunchReport RunClean(string ptx, LaunchShape shape)
    {
        LaunchReport report = Run(ptx, shape);
        Assert.True(report.Findings.Count == 0, string.Join('\n', report.Findings.Select(f => f.Message)));
        return report;
    }

    public static LaunchShape Line(int blocks, int threads, int dynamicBytes = 0) => new(blocks, 1, 1, threads, 1, 1, dynamicBytes);

    public void Dispose() => Memory.Dispose();
}
