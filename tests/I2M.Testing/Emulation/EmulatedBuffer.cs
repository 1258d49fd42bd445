using I2M.Kernels.Ilgpu;
using I2M.PtxEmulator;
using ILGPU;
using ILGPU.Runtime;

namespace I2M.Testing.Emulation;

/// <summary>
/// Memory that the emulator watches. Only what the pool has handed out is registered, and to the word: a kernel that reads or writes past a rented
/// length, into the pool's rounding, or into a buffer that was returned is caught. Renting makes the contents undefined again.
/// While the device records, renting and returning are recorded too: a replay is checked as the work itself is.
/// </summary>
internal sealed class EmulatedBuffer(ArrayView<float> view, IDisposable owner, DeviceMemory memory, EmulatedRecorder recorder) : IlgpuBuffer(view, owner)
{
    private bool _registered;

    /// <inheritdoc/>
    protected internal override void Rented(long length)
    {
        if (recorder.IsRecording) { recorder.Add(() => Register(length)); }
        else { Register(length); }
    }

    /// <inheritdoc/>
    protected internal override void Returned()
    {
        if (recorder.IsRecording) { recorder.Add(Unregister); }
        else { Unregister(); }
    }

    /// <inheritdoc/>
    protected internal override void Free()
    {
        Unregister();
        base.Free();
    }

    private void Register(long length)
    {
        _registered = length > 0;
        if (_registered) { memory.Register(View.LoadEffectiveAddressAsPtr(), length * sizeof(float)); }
    }

    private void Unregister()
    {
        if (_registered) { memory.Free((ulong)View.LoadEffectiveAddressAsPtr()); }
        _registered = false;
    }
}
