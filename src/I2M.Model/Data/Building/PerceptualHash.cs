using System.Numerics;
using I2M.Model.Images;

namespace I2M.Model.Data.Building;

/// <summary>
/// A 64-bit difference hash: the picture at 9×8 grey pixels, a bit for each pixel that is brighter than its right neighbour. Copies that were scaled, saved
/// anew or slightly retouched differ in a few bits, other pictures in about half.
/// Source: N. Krawetz, "Kind of like that", hackerfactor.com, 2013.
/// </summary>
public static class PerceptualHash
{
    /// <summary>Pictures at most so many bits apart count as near-duplicates.</summary>
    public const int NearBits = 5;

    private const int Columns = 8, Rows = 8;

    /// <summary>The hash of a picture.</summary>
    public static ulong Of(RgbImage picture)
    {
        byte[] small = ImageResize.Bilinear(picture, Columns + 1, Rows).Pixels;
        ulong hash = 0;
        for (int y = 0; y < Rows; y++)
        {
            for (int x = 0; x < Columns; x++)
            {
                int at = 3 * (y * (Columns + 1) + x);
                hash = (hash << 1) | (Luma(small, at) > Luma(small, at + 3) ? 1UL : 0);
            }
        }
        return hash;
    }

    /// <summary>Groups what is near, directly or through others.</summary>
    /// <returns>For every hash the index of its group's first member.</returns>
    public static int[] Group(IReadOnlyList<ulong> hashes)
    {
        int[] parent = [.. Enumerable.Range(0, hashes.Count)];
        // Equal hashes are joined first, so that a thousand empty pictures are not compared a million times.
        Dictionary<ulong, int> firsts = [];
        for (int i = 0; i < hashes.Count; i++)
        {
            if (!firsts.TryAdd(hashes[i], i)) { parent[i] = firsts[hashes[i]]; }
        }
        int[] distinct = [.. firsts.Values.Order()];
        foreach (var (a, b) in NearPairs([.. distinct.Select(i => hashes[i])]))
        {
            int x = Find(parent, distinct[a]), y = Find(parent, distinct[b]);
            parent[Math.Max(x, y)] = Math.Min(x, y);
        }
        return [.. Enumerable.Range(0, hashes.Count).Select(i => Find(parent, i))];
    }

    /// <summary>
    /// All pairs of hashes that are at most <see cref="NearBits"/> = k bits apart, each once, by index. They agree in at least one of k + 1 bands of bits, so only
    /// those that share a band are compared.
    /// </summary>
    public static IEnumerable<(int First, int Second)> NearPairs(IReadOnlyList<ulong> hashes)
    {
        for (int band = 0; band <= NearBits; band++)
        {
            ulong mask = BandMask(band);
            foreach (var bucket in Enumerable.Range(0, hashes.Count).GroupBy(i => hashes[i] & mask))
            {
                int[] members = [.. bucket];
                for (int a = 0; a < members.Length; a++)
                {
                    for (int b = a + 1; b < members.Length; b++)
                    {
                        ulong differing = hashes[members[a]] ^ hashes[members[b]];
                        if (BitOperations.PopCount(differing) <= NearBits && !AgreeBefore(differing, band)) { yield return (members[a], members[b]); }
                    }
                }
            }
        }
    }

    private static ulong BandMask(int band)
    {
        const int bands = NearBits + 1;
        int from = 64 * band / bands, width = 64 * (band + 1) / bands - from;
        return ((1UL << width) - 1) << from;
    }

    private static bool AgreeBefore(ulong differing, int band)
    {
        for (int earlier = 0; earlier < band; earlier++)
        {
            if ((differing & BandMask(earlier)) == 0) { return true; }
        }
        return false;
    }

    private static int Find(int[] parent, int item)
    {
        while (parent[item] != item) { item = parent[item] = parent[parent[item]]; }
        return item;
    }

    private static int Luma(byte[] rgb, int at) => 299 * rgb[at] + 587 * rgb[at + 1] + 114 * rgb[at + 2];
}
