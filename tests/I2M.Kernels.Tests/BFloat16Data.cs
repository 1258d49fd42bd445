namespace I2M.Kernels.Tests;

/// <summary>bfloat16 test data: two numbers a word, the first in its lower half.</summary>
internal static class BFloat16Data
{
    /// <summary>Every number to the nearest bfloat16, ties to even.</summary>
    public static float[] Round(float[] values) => [.. values.Select(v => BitConverter.UInt32BitsToSingle((Bits(v) + 0x7FFF + (Bits(v) >> 16 & 1)) & 0xFFFF0000))];

    /// <summary>What lies above an odd last number: not a number, so that an operation which reads it is found.</summary>
    private const uint Above = 0x7FC0_0000;

    /// <summary>Words of numbers that <see cref="Round"/> gave.</summary>
    public static float[] Pack(float[] values) =>
        [.. values.Chunk(2).Select(pair => BitConverter.UInt32BitsToSingle(Bits(pair[0]) >> 16 | (pair.Length > 1 ? Bits(pair[1]) : Above)))];

    /// <summary>Both numbers of every word.</summary>
    public static float[] Unpack(int[] words) =>
        [.. words.SelectMany(word => (int[])[word << 16, word & unchecked((int)0xFFFF0000)]).Select(BitConverter.Int32BitsToSingle)];

    private static uint Bits(float value) => BitConverter.SingleToUInt32Bits(value);
}
