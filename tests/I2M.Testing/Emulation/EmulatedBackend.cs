using I2M.Kernels;
using I2M.Kernels.Ilgpu;

namespace I2M.Testing.Emulation;

/// <summary>A backend of its own on the emulator, for tests outside the matrix of <see cref="Backends"/>.</summary>
public static class EmulatedBackend
{
    /// <summary>Opens one; the caller disposes of it.</summary>
    public static IBackend Open() => new IlgpuBackend(Backends.Emulated, new EmulatedDevice());
}
