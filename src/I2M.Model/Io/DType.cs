using System.Numerics;
using System.Runtime.InteropServices;

namespace I2M.Model.Io;

/// <summary>Element types of stored tensors, named as safetensors names them; all are little-endian.</summary>
public enum DType
{
    /// <summary>IEEE double precision.</summary>
    F64,
    /// <summary>IEEE single precision.</summary>
    F32,
    /// <summary>IEEE half precision.</summary>
    F16,
    /// <summary>The upper half of a single: 8 exponent bits, 7 fraction bits.</summary>
    BF16,
    /// <summary>Signed 64-bit integer.</summary>
    I64,
    /// <summary>Signed 32-bit integer.</summary>
    I32,
    /// <summary>Signed 16-bit integer.</summary>
    I16,
    /// <summary>Signed byte.</summary>
    I8,
    /// <summary>Unsigned byte.</summary>
    U8,
    /// <summary>One byte; every value but zero is true.</summary>
    BOOL,
}

/// <summary>Sizes and conversions of stored element types.</summary>
public static class DTypes
{
    /// <summary>Bytes an element takes in a file.</summary>
    public static int SizeInBytes(this DType type) => type switch
    {
        DType.F64 or DType.I64 => 8,
        DType.F32 or DType.I32 => 4,
        DType.F16 or DType.BF16 or DType.I16 => 2,
        _ => 1,
    };

    /// <summary>Whether the type holds fractions: such a tensor cannot be read as integers.</summary>
    public static bool IsFloating(this DType type) => type is DType.F64 or DType.F32 or DType.F16 or DType.BF16;

    /// <summary>A single rounded to bfloat16, to nearest and ties to even. NaN stays NaN (quiet), never rounds to infinity.</summary>
    public static ushort ToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value)) return (ushort)((bits >> 16) | 0x0040);
        // Adding just under half a unit of the kept part, plus its lowest bit, carries exactly when nearest-even rounds up.
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>The single that <see cref="ToBFloat16"/> makes of a value.</summary>
    public static float RoundToBFloat16(float value) => BitConverter.UInt32BitsToSingle((uint)ToBFloat16(value) << 16);

    /// <summary>The element type whose bytes are those of <typeparamref name="T"/>, so that reading needs no conversion.</summary>
    internal static DType? NativeOf<T>() where T : unmanaged =>
        typeof(T) == typeof(float) ? DType.F32
        : typeof(T) == typeof(double) ? DType.F64
        : typeof(T) == typeof(long) ? DType.I64
        : null;

    /// <summary>Converts stored elements to <typeparamref name="T"/>; F64 rounds to nearest when T is float.</summary>
    internal static void Convert<T>(DType type, ReadOnlySpan<byte> source, Span<T> destination) where T : unmanaged, INumberBase<T>
    {
        switch (type)
        {
            case DType.F64: Cast<double, T>(source, destination); break;
            case DType.F32: Cast<float, T>(source, destination); break;
            case DType.F16: Cast<Half, T>(source, destination); break;
            case DType.I64: Cast<long, T>(source, destination); break;
            case DType.I32: Cast<int, T>(source, destination); break;
            case DType.I16: Cast<short, T>(source, destination); break;
            case DType.I8: Cast<sbyte, T>(source, destination); break;
            case DType.U8: Cast<byte, T>(source, destination); break;
            case DType.BOOL:
                for (int i = 0; i < destination.Length; i++) destination[i] = source[i] != 0 ? T.One : T.Zero;
                break;
            case DType.BF16:
                ReadOnlySpan<ushort> halves = MemoryMarshal.Cast<byte, ushort>(source);
                for (int i = 0; i < destination.Length; i++)
                    destination[i] = T.CreateTruncating(BitConverter.UInt32BitsToSingle((uint)halves[i] << 16));
                break;
            default: throw new ArgumentOutOfRangeException(nameof(type));
        }
    }

    private static void Cast<TFrom, TTo>(ReadOnlySpan<byte> source, Span<TTo> destination)
        where TFrom : unmanaged, INumberBase<TFrom> where TTo : unmanaged, INumberBase<TTo>
    {
        ReadOnlySpan<TFrom> values = MemoryMarshal.Cast<byte, TFrom>(source);
        for (int i = 0; i < destination.Length; i++) destination[i] = TTo.CreateTruncating(values[i]);
    }
}
