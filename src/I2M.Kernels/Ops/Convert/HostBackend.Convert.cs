using System.Numerics;

namespace I2M.Kernels.Host;

public sealed unsafe partial class HostBackend
{
    private const uint NaNAbove = 0x7F800000, Quiet = 0x00400000, NoSign = 0x7FFFFFFF;

    /// <inheritdoc cref="IBackend.Convert"/>
    public void Convert(BufferView source, long elements, BufferView destination)
    {
        if (source.Type == destination.Type) { throw new ArgumentException($"Both views hold {source.Type}.", nameof(destination)); }
        RequireLength(source.Type.Words(elements), source);
        RequireLength(destination.Type.Words(elements), destination);
        float* from = Pointer(source), to = Pointer(destination);
        if (destination.Type == ElementType.BFloat16)
        {
            _rows.Run(elements, MemoryGrain, (start, end) => Narrow((uint*)from + start, (ushort*)to + start, end - start));
            if (elements % 2 != 0) { ((ushort*)to)[elements] = 0; }
        }
        else
        {
            _rows.Run(elements, MemoryGrain, (start, end) => Widen((ushort*)from + start, (uint*)to + start, end - start));
        }
    }

    /// <inheritdoc cref="IBackend.ConvertRows"/>
    public void ConvertRows(BufferView source, in RowBlock block, BufferView destination)
    {
        if (source.Type == destination.Type) { throw new ArgumentException($"Both views hold {source.Type}.", nameof(destination)); }
        RowBlock b = block;
        CheckExtent(nameof(source), source, b.Rows, b.Width, b.Leading, b.Batch, b.Stride);
        CheckExtent(nameof(destination), destination, b.Rows, b.Width, b.Leading, b.Batch, b.Stride);
        float* from = Pointer(source), to = Pointer(destination);
        bool narrow = destination.Type == ElementType.BFloat16;
        _rows.Run(b.Batch * b.Rows, Math.Max(1, MemoryGrain / Math.Max(1, b.Width)), (start, end) =>
        {
            for (long row = start; row < end; row++)
            {
                long at = row / b.Rows * b.Stride + row % b.Rows * b.Leading;
                if (narrow) { Narrow((uint*)from + at, (ushort*)to + at, b.Width); }
                else { Widen((ushort*)from + at, (uint*)to + at, b.Width); }
            }
        });
    }

    private static void Narrow(uint* source, ushort* destination, long length)
    {
        long i = 0;
        int lanes = Vector<uint>.Count;
        for (; i <= length - 2 * lanes; i += 2 * lanes)
        {
            Vector.Narrow(Round(Vector.Load(source + i)), Round(Vector.Load(source + i + lanes))).Store(destination + i);
        }
        for (; i < length; i++)
        {
            uint bits = source[i];
            destination[i] = (ushort)(((bits & NoSign) > NaNAbove ? bits | Quiet : bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
        }
    }

    /// <summary>Half a unit of the last kept place less one, plus that place's own bit: ties go to even. The carry may run into the exponent, which is right.</summary>
    private static Vector<uint> Round(Vector<uint> bits)
    {
        Vector<uint> rounded = bits + new Vector<uint>(0x7FFF) + (bits >> 16 & Vector<uint>.One);
        Vector<uint> isNaN = Vector.GreaterThan(bits & new Vector<uint>(NoSign), new Vector<uint>(NaNAbove));
        return Vector.ConditionalSelect(isNaN, bits | new Vector<uint>(Quiet), rounded) >> 16;
    }

    private static void Widen(ushort* source, uint* destination, long length)
    {
        long i = 0;
        int lanes = Vector<ushort>.Count;
        for (; i <= length - lanes; i += lanes)
        {
            Vector.Widen(Vector.Load(source + i), out Vector<uint> low, out Vector<uint> high);
            (low << 16).Store(destination + i);
            (high << 16).Store(destination + i + lanes / 2);
        }
        for (; i < length; i++) { destination[i] = (uint)source[i] << 16; }
    }
}
