using System.Runtime.InteropServices;
using I2M.PtxEmulator.Execution;

namespace I2M.PtxEmulator.Checking;

/// <summary>The shared memory of one block with the state that its checkers need.</summary>
/// <param name="columns">See <see cref="RaceGrid"/>.</param>
internal sealed unsafe class SharedMemory(int columns) : IDisposable
{
    private byte* _memory;
    private int _capacity, _grainCapacity;
    private ulong* _stamps;

    public int Size { get; private set; }

    public int Grain { get; private set; } = 4;

    public byte* Data => _memory;

    /// <summary>1 for each byte that was written, after the data.</summary>
    public byte* Initialized => _memory + _capacity;

    /// <summary>1 for each byte that an asynchronous copy will write.</summary>
    public byte* InFlight => _memory + 2 * _capacity;

    private int Grains => Size / Grain + 1;

    /// <summary>Begins a block: all forgotten.</summary>
    public void Start(int size, int grain, bool races)
    {
        (Size, Grain) = (size, grain);
        if (_capacity < size + 16)
        {
            NativeMemory.AlignedFree(_memory);
            _capacity = (size + 16 + 127) / 128 * 128;
            _memory = (byte*)NativeMemory.AlignedAlloc((nuint)_capacity * 3, 128);
        }
        NativeMemory.Clear(_memory, (nuint)_capacity * 3);
        if (!races) { return; }
        if (_grainCapacity < Grains)
        {
            NativeMemory.Free(_stamps);
            _grainCapacity = Grains;
            _stamps = (ulong*)NativeMemory.Alloc((nuint)Grains * (nuint)(1 + columns), sizeof(ulong));
        }
        NativeMemory.Clear(_stamps, (nuint)Grains * (nuint)(1 + columns) * sizeof(ulong));
    }

    public Race Touch(int address, int bytes, Warp warp, ulong mine, bool write)
    {
        ulong* writers = _stamps + address / Grain, readers = writers + Grains;
        return write ? RaceGrid.Write(writers, readers, columns, Grains, bytes / Grain, mine, warp.Known)
            : RaceGrid.Read(writers, readers + (columns > 1 ? warp.Index * Grains : 0), bytes / Grain, mine, warp.Known);
    }

    public bool AnyInFlight(int address, int bytes) => new ReadOnlySpan<byte>(InFlight + address, bytes).Contains((byte)1);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        NativeMemory.Free(_stamps);
        _memory = null;
        _stamps = null;
    }
}
