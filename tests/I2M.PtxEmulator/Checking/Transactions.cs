using System.Numerics;

namespace I2M.PtxEmulator.Checking;

/// <summary>Counts what the memory system has to do for one access of a warp.</summary>
internal static unsafe class Transactions
{
    private const int Banks = 32;

    /// <summary>Different sectors of 32 bytes.</summary>
    public static int Sectors(ulong* addresses, int bytes, uint mask)
    {
        ulong* seen = stackalloc ulong[32];
        int count = 0;
        ulong last = ulong.MaxValue;
        for (; mask != 0; mask &= mask - 1)
        {
            ulong sector = addresses[BitOperations.TrailingZeroCount(mask)] >> 5;
            if (sector == last) { continue; }
            last = sector;
            if (new ReadOnlySpan<ulong>(seen, count).Contains(sector)) { continue; }
            seen[count++] = sector;
        }
        return count;
    }

    /// <summary>
    /// Passes over the 32 banks of 4 bytes. Accesses of 8 bytes go half a warp at a time, of 16 bytes a quarter; lanes that want the same word
    /// share it. Conflicts are the passes beyond one per such part.
    /// </summary>
    public static (int Passes, int Conflicts) Passes(ulong* addresses, int bytes, uint mask)
    {
        int part = bytes switch { 8 => 16, 16 => 8, _ => 32 };
        int passes = 0, parts = 0;
        for (int first = 0; first < 32; first += part)
        {
            uint lanes = mask >> first & (part == 32 ? uint.MaxValue : (1u << part) - 1);
            if (lanes == 0) { continue; }
            parts++;
            passes += IsRun(addresses + first, bytes, lanes) ? 1 : WorstBank(addresses + first, bytes, lanes);
        }
        return (passes, passes - parts);
    }

    /// <summary>Whether the lanes lie one after the other, which is free of conflicts, as is one address for all.</summary>
    private static bool IsRun(ulong* addresses, int bytes, uint lanes)
    {
        int count = BitOperations.TrailingZeroCount(~lanes);
        if (count < 32 && lanes >> count != 0) { return false; }
        bool run = true, same = true;
        for (int i = 1; i < count; i++)
        {
            run &= addresses[i] == addresses[i - 1] + (ulong)bytes;
            same &= addresses[i] == addresses[0];
        }
        return run || same;
    }

    private static int WorstBank(ulong* addresses, int bytes, uint lanes)
    {
        ulong* words = stackalloc ulong[Banks * 32];
        int* counts = stackalloc int[Banks];
        new Span<int>(counts, Banks).Clear();
        int worst = 0, wordsPerLane = Math.Max(1, bytes / 4);
        for (; lanes != 0; lanes &= lanes - 1)
        {
            ulong word = addresses[BitOperations.TrailingZeroCount(lanes)] / 4;
            for (int i = 0; i < wordsPerLane; i++, word++)
            {
                int bank = (int)(word % Banks);
                if (new ReadOnlySpan<ulong>(words + bank * 32, counts[bank]).Contains(word)) { continue; }
                words[bank * 32 + counts[bank]++] = word;
                worst = Math.Max(worst, counts[bank]);
            }
        }
        return worst;
    }
}
