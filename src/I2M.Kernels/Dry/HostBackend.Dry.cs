using I2M.Kernels.Dry;

namespace I2M.Kernels.Host;

public sealed unsafe partial class HostBackend
{
    private readonly DryMemory? _dry;

    /// <summary>A host whose loops do not run; see <see cref="DryBackend"/>.</summary>
    internal static HostBackend Dry(int threads) => new(threads, new DryMemory());

    private HostBackend(int threads, DryMemory? dry)
    {
        _dry = dry;
        _rows = new ForRows(threads > 0 ? threads : Environment.ProcessorCount, idle: dry is not null);
        Device = Describe(Threads);
        Pool = new BufferPool(length => dry is null ? Allocate(length) : new HostBuffer(length, dry.At(length)));
    }
}
