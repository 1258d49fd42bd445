using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

/// <summary>One decoded instruction. Operands are slots of the register file, constants and special registers included.</summary>
internal abstract class Operation
{
    /// <summary>The statement in the text.</summary>
    public Instruction Source { get; set; } = null!;

    /// <summary>The pipe that it counts for.</summary>
    public InstructionClass Class { get; set; }

    /// <summary>The offset of the guarding predicate, −1 without one.</summary>
    public int Guard { get; set; } = -1;

    public bool GuardNegated { get; set; }

    /// <summary>Ids of the slots that it reads and writes, for the check of registers that were never written.</summary>
    public int[] Reads { get; set; } = [];

    public int[] Writes { get; set; } = [];

    /// <summary>Branches, returns and barriers run even if no lane passes the guard, and move the program counter themselves.</summary>
    public virtual bool IsControl => false;

    /// <summary>Runs the operation for the lanes of the mask.</summary>
    public abstract void Execute(Warp warp, uint mask);
}

/// <summary>Vectors over the 32 lanes of a warp.</summary>
internal static unsafe class Lanes
{
    public const int Count = 32;

    public const uint All = uint.MaxValue;

    /// <summary>Writes a vector to the lanes from <paramref name="first"/> on that the mask holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(T* destination, int first, Vector256<T> value, uint mask) where T : unmanaged
    {
        if (mask != All) { value = Vector256.ConditionalSelect(Mask<T>(mask, first), value, Vector256.Load(destination + first)); }
        value.Store(destination + first);
    }

    /// <summary>All bits set in the elements whose lanes the mask holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Mask<T>(uint mask, int first) where T : unmanaged
    {
        if (sizeof(T) == 4)
        {
            Vector256<uint> bits = Vector256.Create(1u, 2u, 4u, 8u, 16u, 32u, 64u, 128u);
            return Vector256.Equals(Vector256.Create(mask >> first) & bits, bits).As<uint, T>();
        }
        Vector256<ulong> wide = Vector256.Create(1ul, 2ul, 4ul, 8ul);
        return Vector256.Equals(Vector256.Create((ulong)(mask >> first)) & wide, wide).As<ulong, T>();
    }

    /// <summary>A lane's value as bits, zero-extended.</summary>
    public static ulong Get(byte* file, int offset, int width, int lane) => width == 8 ? ((ulong*)(file + offset))[lane] : ((uint*)(file + offset))[lane];

    public static void Set(byte* file, int offset, int width, int lane, ulong value)
    {
        if (width == 8) { ((ulong*)(file + offset))[lane] = value; }
        else { ((uint*)(file + offset))[lane] = (uint)value; }
    }
}
