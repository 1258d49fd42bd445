using I2M.Kernels.Ilgpu;
using I2M.PtxEmulator;
using ILGPU;
using ILGPU.Runtime;

namespace I2M.Testing.Emulation;

/// <summary>
/// Memory that the emulator watches. Only what the pool has handed out is registered, and to the word: a kernel that reads or writes past a rented
/// length, into the pool's rounding, or into a buffer that was returned is caught. Renting makes the contents undefined again.
/// </summary>
internal sealed class EmulatedBuffer(ArrayView<float> view, IDisposable owner, DeviceMemory memory) : IlgpuBuffer(view, owner)
{
    private bool _registered;

    /// <inheritdoc/>
    protected internal override void Rented(long length)
    {
        _registered = length > 0;
        if (_registered) { memory.Register(View.LoadEffectiveAddressAsPtr(), length * sizeof(float)); }
    }

    /// <inheritdoc/>
    protected internal override void Returned()
    {
        if (_registered) { memory.Free((ulong)View.LoadEffectiveAddressAsPtr()); }
        _registered = false;
    }

    /// <inheritdoc/>
    protected internal override void Free()
    {
        Returned();
        base.Free();
    }
}
