using System.Numerics;
using System.Runtime.Intrinsics;

namespace I2M.PtxEmulator.Execution;

internal interface IUnary<T>
{
    static abstract Vector256<T> Apply(Vector256<T> a);
}

internal interface IBinary<T>
{
    static abstract Vector256<T> Apply(Vector256<T> a, Vector256<T> b);
}

internal interface ITernary<T>
{
    static abstract Vector256<T> Apply(Vector256<T> a, Vector256<T> b, Vector256<T> c);
}

internal interface IScalar<TIn, TOut>
{
    static abstract TOut Apply(TIn a);
}

internal interface IScalar<TA, TB, TOut>
{
    static abstract TOut Apply(TA a, TB b);
}

/// <summary>d = f(a), eight or four lanes at a time.</summary>
internal sealed unsafe class Unary<T, TOp>(Slot d, Slot a) : Operation where T : unmanaged where TOp : struct, IUnary<T>
{
    public override void Execute(Warp warp, uint mask)
    {
        T* x = (T*)(warp.Registers + a.Offset), to = (T*)(warp.Registers + d.Offset);
        for (int i = 0; i < Lanes.Count; i += Vector256<T>.Count) { Lanes.Store(to, i, TOp.Apply(Vector256.Load(x + i)), mask); }
    }
}

/// <summary>d = f(a, b).</summary>
internal sealed unsafe class Binary<T, TOp>(Slot d, Slot a, Slot b) : Operation where T : unmanaged where TOp : struct, IBinary<T>
{
    public override void Execute(Warp warp, uint mask)
    {
        T* x = (T*)(warp.Registers + a.Offset), y = (T*)(warp.Registers + b.Offset), to = (T*)(warp.Registers + d.Offset);
        for (int i = 0; i < Lanes.Count; i += Vector256<T>.Count) { Lanes.Store(to, i, TOp.Apply(Vector256.Load(x + i), Vector256.Load(y + i)), mask); }
    }
}

/// <summary>d = f(a, b, c).</summary>
internal sealed unsafe class Ternary<T, TOp>(Slot d, Slot a, Slot b, Slot c) : Operation where T : unmanaged where TOp : struct, ITernary<T>
{
    public override void Execute(Warp warp, uint mask)
    {
        byte* file = warp.Registers;
        T* x = (T*)(file + a.Offset), y = (T*)(file + b.Offset), z = (T*)(file + c.Offset), to = (T*)(file + d.Offset);
        for (int i = 0; i < Lanes.Count; i += Vector256<T>.Count)
        {
            Lanes.Store(to, i, TOp.Apply(Vector256.Load(x + i), Vector256.Load(y + i), Vector256.Load(z + i)), mask);
        }
    }
}

/// <summary>d = f(a), lane by lane.</summary>
internal sealed unsafe class ScalarUnary<TIn, TOut, TOp>(Slot d, Slot a) : Operation
    where TIn : unmanaged where TOut : unmanaged where TOp : struct, IScalar<TIn, TOut>
{
    public override void Execute(Warp warp, uint mask)
    {
        TIn* x = (TIn*)(warp.Registers + a.Offset);
        TOut* to = (TOut*)(warp.Registers + d.Offset);
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            to[lane] = TOp.Apply(x[lane]);
        }
    }
}

/// <summary>d = f(a, b), lane by lane.</summary>
internal sealed unsafe class ScalarBinary<TA, TB, TOut, TOp>(Slot d, Slot a, Slot b) : Operation
    where TA : unmanaged where TB : unmanaged where TOut : unmanaged where TOp : struct, IScalar<TA, TB, TOut>
{
    public override void Execute(Warp warp, uint mask)
    {
        TA* x = (TA*)(warp.Registers + a.Offset);
        TB* y = (TB*)(warp.Registers + b.Offset);
        TOut* to = (TOut*)(warp.Registers + d.Offset);
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            to[lane] = TOp.Apply(x[lane], y[lane]);
        }
    }
}

/// <summary>A rare operation whose function works on bits that are widened to 64.</summary>
internal sealed unsafe class BitFunction(Slot d, int width, (Slot Slot, int Width)[] sources, Func<ulong, ulong, ulong, ulong> function) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            ulong value = function(Source0(warp, lane, 0), Source0(warp, lane, 1), Source0(warp, lane, 2));
            Lanes.Set(warp.Registers, d.Offset, width, lane, value);
        }
    }

    private ulong Source0(Warp warp, int lane, int index) =>
        index < sources.Length ? Lanes.Get(warp.Registers, sources[index].Slot.Offset, sources[index].Width, lane) : 0;
}
