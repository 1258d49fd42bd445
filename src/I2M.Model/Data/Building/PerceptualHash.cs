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

    /// <summary>
    /// Groups what is near, directly or through others. Hashes at most k bits apart agree in at least one of k + 1 bands, so only those that share a band are
    /// compared.
    /// </summary>
    /// <returns>For every hash the index of its group's first member.</returns>
    public static int[] Group(IReadOnlyList<ulong> hashes)
    {
        const int bands = NearBits + 1;
        int[] parent = [.. Enumerable.Range(0, hashes.Count)];
        for (int band = 0; band < bands; band++)
        {
            int from = 64 * band / bands, width = 64 * (band + 1) / bands - from;
            ulong mask = (1UL << width) - 1;
            foreach (var bucket in Enumerable.Range(0, hashes.Count).GroupBy(i => (hashes[i] >> from) & mask)) { JoinNear([.. bucket], hashes, parent); }
        }
        return [.. Enumerable.Range(0, hashes.Count).Select(i => Find(parent, i))];
    }

    private static void JoinNear(int[] bucket, IReadOnlyList<ulong> hashes, int[] parent)
    {
        for (int a = 0; a < bucket.Length; a++)
        {
            for (int b = a + 1; b < bucket.Length; b++)
            {
                if (BitOperations.PopCount(hashes[bucket[a]] ^ hashes[bucket[b]]) > NearBits) { continue; }
                int x = Find(parent, bucket[a]), y = Find(parent, bucket[b]);
                parent[Math.Max(x, y)] = Math.Min(x, y);
            }
        }
    }

    private static int Find(int[] parent, int item)
    {
        while (parent[item] != item) { item = parent[item] = parent[parent[item]]; }
        return item;
    }

    private static int Luma(byte[] rgb, int at) => 299 * rgb[at] + 587 * rgb[at + 1] + 114 * rgb[at + 2];
}
