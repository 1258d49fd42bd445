namespace I2M.Kernels.Dry;

/// <summary>A GPU by its data sheet, for plans without one.</summary>
/// <param name="Option">What <c>--device</c> calls it.</param>
/// <param name="Name">Its name.</param>
/// <param name="MemoryBytes">Device memory.</param>
/// <param name="Multiprocessors">Multiprocessors.</param>
/// <param name="SharedBytes">The most shared memory of a group.</param>
/// <param name="Nominal">Dense operations and bytes a second.</param>
public sealed record GpuCard(string Option, string Name, long MemoryBytes, int Multiprocessors, int SharedBytes, NominalPeaks Nominal)
{
    private const long GiB = 1L << 30;

    /// <summary>The cards with their vendor's figures (NVIDIA's data sheets of A100 80 GB SXM, H100 SXM and H200 SXM, without sparsity).</summary>
    public static IReadOnlyList<GpuCard> Known { get; } =
    [
        new("a100", "NVIDIA A100 80 GB SXM", 80 * GiB, 108, 163 << 10, new NominalPeaks(19.5e12, 156e12, 312e12, 2.039e12)),
        new("h100", "NVIDIA H100 SXM", 80 * GiB, 132, 227 << 10, new NominalPeaks(67e12, 494.5e12, 989e12, 3.35e12)),
        new("h200", "NVIDIA H200 SXM", 139 * GiB, 132, 227 << 10, new NominalPeaks(67e12, 494.5e12, 989e12, 4.8e12)),
    ];

    /// <summary>The card of that name, or null.</summary>
    public static GpuCard? Find(string option) => Known.FirstOrDefault(card => card.Option.Equals(option, StringComparison.OrdinalIgnoreCase));
}
