using System.Runtime.InteropServices;

namespace I2M.PtxEmulator.Checking;

/// <summary>A registered block of global memory with one byte per byte that tells whether it was written.</summary>
internal sealed unsafe class Allocation : IDisposable
{
    private readonly bool _owned;

    public Allocation(ulong start, long bytes, bool owned, string? name)
    {
        Base = start;
        End = start + (ulong)bytes;
        Name = name;
        _owned = owned;
        Initialized = (byte*)NativeMemory.AllocZeroed((nuint)bytes + sizeof(ulong));
    }

    public ulong Base { get; }

    public ulong End { get; }

    public string? Name { get; }

    public byte* Initialized { get; private set; }

    public override string ToString() => $"{Name ?? "block"} of {End - Base} bytes at 0x{Base:x}";

    public void Dispose()
    {
        NativeMemory.Free(Initialized);
        Initialized = null;
        if (_owned) { NativeMemory.AlignedFree((void*)Base); }
    }
}

/// <summary>Maps with a byte per byte of memory: 1 where somebody wrote.</summary>
internal static unsafe class ByteMap
{
    private const ulong Ones = 0x0101010101010101;

    private const uint FourOnes = 0x01010101;

    private const ushort TwoOnes = 0x0101;

    public static bool AllSet(byte* map, int bytes) => bytes switch
    {
        4 => *(uint*)map == FourOnes,
        8 => *(ulong*)map == Ones,
        16 => *(ulong*)map == Ones && *(ulong*)(map + 8) == Ones,
        2 => *(ushort*)map == TwoOnes,
        1 => *map == 1,
        _ => !new ReadOnlySpan<byte>(map, bytes).Contains((byte)0),
    };

    public static void Set(byte* map, int bytes)
    {
        switch (bytes)
        {
            case 4: *(uint*)map = FourOnes; break;
            case 8: *(ulong*)map = Ones; break;
            case 16: *(ulong*)map = *(ulong*)(map + 8) = Ones; break;
            default: new Span<byte>(map, bytes).Fill(1); break;
        }
    }
}
