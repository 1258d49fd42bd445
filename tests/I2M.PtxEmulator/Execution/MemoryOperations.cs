using System.Numerics;
using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

/// <summary>An address operand: a slot of 4 or 8 bytes, plus a constant.</summary>
internal readonly record struct AddressSlot(Slot Base, int Width, long Offset)
{
    /// <summary>The address of each lane.</summary>
    public unsafe void Fill(ulong* addresses, Warp warp)
    {
        byte* at = warp.Registers + Base.Offset;
        if (Width == 8)
        {
            for (int lane = 0; lane < Lanes.Count; lane++) { addresses[lane] = ((ulong*)at)[lane] + (ulong)Offset; }
            return;
        }
        for (int lane = 0; lane < Lanes.Count; lane++) { addresses[lane] = (ulong)(((uint*)at)[lane] + Offset); }
    }
}

/// <summary>What loads, stores and atomics share: the lanes' addresses, and generic addresses sorted by their space.</summary>
internal abstract unsafe class MemoryOperation(Space space, AddressSlot address, int bytes) : Operation
{
    protected Space Space => space;

    protected int Bytes => bytes;

    public override void Execute(Warp warp, uint mask)
    {
        ulong* addresses = stackalloc ulong[Lanes.Count];
        address.Fill(addresses, warp);
        if (space != Space.Generic) { Access(warp, space, addresses, mask); return; }
        foreach (Space window in (ReadOnlySpan<Space>)[Space.Global, Space.Shared, Space.Local])
        {
            uint lanes = 0;
            for (uint rest = mask; rest != 0; rest &= rest - 1)
            {
                int lane = BitOperations.TrailingZeroCount(rest);
                if (MemoryUnit.SpaceOf(addresses[lane]) == window) { lanes |= 1u << lane; }
            }
            for (uint rest = window == Space.Global ? 0 : lanes; rest != 0; rest &= rest - 1) { addresses[BitOperations.TrailingZeroCount(rest)] &= (1ul << 60) - 1; }
            if (lanes != 0) { Access(warp, window, addresses, lanes); }
        }
    }

    /// <summary>The access in one space.</summary>
    protected abstract void Access(Warp warp, Space where, ulong* addresses, uint mask);

    /// <summary>Reads an element as bits, extended to 64 with its sign if it has one.</summary>
    protected static ulong Read(byte* at, int size, bool signed) => size switch
    {
        1 => signed ? (ulong)*(sbyte*)at : *at,
        2 => signed ? (ulong)*(short*)at : *(ushort*)at,
        4 => signed ? (ulong)*(int*)at : *(uint*)at,
        _ => *(ulong*)at,
    };

    protected static void Write(byte* at, int size, ulong value)
    {
        switch (size)
        {
            case 1: *at = (byte)value; break;
            case 2: *(ushort*)at = (ushort)value; break;
            case 4: *(uint*)at = (uint)value; break;
            default: *(ulong*)at = value; break;
        }
    }
}

/// <summary>ld, also of 2 or 4 elements at once; a destination may be missing.</summary>
internal sealed unsafe class LoadOperation(Space space, AddressSlot address, int size, bool signed, Slot?[] destinations, int width)
    : MemoryOperation(space, address, size * destinations.Length)
{
    protected override void Access(Warp warp, Space where, ulong* addresses, uint mask)
    {
        byte** pointers = stackalloc byte*[Lanes.Count];
        uint good = warp.Block.Memory.Access(warp, this, where, addresses, Bytes, mask, write: false, pointers);
        for (int i = 0; i < destinations.Length; i++)
        {
            if (destinations[i] is not { } d) { continue; }
            byte* to = warp.Registers + d.Offset;
            for (uint rest = mask; rest != 0; rest &= rest - 1)
            {
                int lane = BitOperations.TrailingZeroCount(rest);
                bool valid = (good >> lane & 1) != 0;
                if (size == 4 && width == 4) { ((uint*)to)[lane] = valid ? ((uint*)pointers[lane])[i] : 0; }
                else { Lanes.Set(warp.Registers, d.Offset, width, lane, valid ? Read(pointers[lane] + i * size, size, signed) : 0); }
            }
        }
    }
}

/// <summary>st, also of 2 or 4 elements at once.</summary>
internal sealed unsafe class StoreOperation(Space space, AddressSlot address, int size, Slot[] sources, int width)
    : MemoryOperation(space, address, size * sources.Length)
{
    protected override void Access(Warp warp, Space where, ulong* addresses, uint mask)
    {
        byte** pointers = stackalloc byte*[Lanes.Count];
        byte* values = stackalloc byte[Lanes.Count * 32];
        for (int i = 0; i < sources.Length; i++)
        {
            byte* from = warp.Registers + sources[i].Offset;
            for (int lane = 0; lane < Lanes.Count; lane++)
            {
                byte* to = values + lane * Bytes + i * size;
                if (size == 4) { *(uint*)to = ((uint*)from)[lane]; }
                else { Write(to, size, Lanes.Get(warp.Registers, sources[i].Offset, width, lane)); }
            }
        }
        warp.Block.Memory.Access(warp, this, where, addresses, Bytes, mask, write: true, pointers, values);
    }
}

/// <summary>ld.param of a kernel: the same bits for all lanes.</summary>
internal sealed unsafe class LoadParameterOperation(int offset, int size, bool signed, Slot?[] destinations, int width) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        for (int i = 0; i < destinations.Length; i++)
        {
            if (destinations[i] is not { } d) { continue; }
            ulong value = Read(warp.Block.Parameters.AsSpan(offset + i * size, size));
            for (uint rest = mask; rest != 0; rest &= rest - 1) { Lanes.Set(warp.Registers, d.Offset, width, BitOperations.TrailingZeroCount(rest), value); }
        }
    }

    private ulong Read(ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        bytes.CopyTo(new Span<byte>(&value, sizeof(ulong)));
        return signed ? (ulong)((long)(value << (64 - 8 * size)) >> (64 - 8 * size)) : value;
    }
}

/// <summary>atom and red: lane after lane, each indivisible against other blocks.</summary>
internal sealed unsafe class AtomicOperation(Space space, AddressSlot address, int size, Slot? result, Slot b, Slot? c, Func<ulong, ulong, ulong, ulong> function)
    : MemoryOperation(space, address, size)
{
    private static readonly Lock s_lock = new();

    protected override void Access(Warp warp, Space where, ulong* addresses, uint mask)
    {
        byte** pointers = stackalloc byte*[Lanes.Count];
        uint good = warp.Block.Memory.Access(warp, this, where, addresses, Bytes, mask, write: false, pointers, races: false);
        for (; good != 0; good &= good - 1)
        {
            int lane = BitOperations.TrailingZeroCount(good);
            ulong operand = Lanes.Get(warp.Registers, b.Offset, Bytes, lane);
            ulong other = c is { } third ? Lanes.Get(warp.Registers, third.Offset, Bytes, lane) : 0;
            ulong old;
            lock (s_lock)
            {
                old = Read(pointers[lane], Bytes, signed: false);
                Write(pointers[lane], Bytes, function(old, operand, other));
            }
            if (result is { } d) { Lanes.Set(warp.Registers, d.Offset, Bytes, lane, old); }
        }
    }
}
