using I2M.Kernels;
using I2M.Kernels.Ilgpu;
using I2M.PtxEmulator;

namespace I2M.Testing.Emulation;

/// <summary>A backend of its own on the emulator, for tests outside the matrix of <see cref="Backends"/>.</summary>
public static class EmulatedBackend
{
    /// <summary>Opens one; the caller disposes of it.</summary>
    /// <param name="observer">Gets the kernel's name and the counts of every launch, or null.</param>
    /// <param name="queued">Gets the kernel's name with its shape and its parameter block of every launch before it runs or is recorded, or null.</param>
    /// <param name="plant">Changes a kernel's PTX by its name, to plant a fault, or null.</param>
    public static IBackend Open(Action<string, LaunchReport>? observer = null, Action<string, byte[]>? queued = null, Func<string, string, string>? plant = null) =>
        new IlgpuBackend(Backends.Emulated, new EmulatedDevice
        {
            Launched = observer,
            Queued = queued is null ? null : (kernel, shape, parameters) => queued($"{kernel} {shape}", parameters),
            Plant = plant,
        });
}
