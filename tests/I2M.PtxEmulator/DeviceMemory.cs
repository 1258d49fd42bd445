using System.Runtime.InteropServices;
using I2M.PtxEmulator.Checking;

namespace I2M.PtxEmulator;

/// <summary>
/// The global memory that kernels may touch: registered blocks of native memory. Device addresses are native pointers, so buffers that
/// somebody else allocated can be passed as they are. Safe for use by several threads; changing it while a kernel runs is not.
/// </summary>
public sealed unsafe class DeviceMemory : IDisposable
{
    private readonly Lock _lock = new();
    private Allocation[] _allocations = [];

    /// <summary>The registered blocks.</summary>
    public int Count => _allocations.Length;

    /// <summary>Allocates a block that starts at a multiple of 256 bytes; nothing in it counts as written.</summary>
    /// <param name="bytes">The size, at least 1.</param>
    /// <param name="name">A name for findings.</param>
    /// <returns>The device address.</returns>
    public ulong Allocate(long bytes, string? name = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 256);
        Add(new Allocation((ulong)memory, bytes, owned: true, name));
        return (ulong)memory;
    }

    /// <summary>Registers memory that somebody else owns and that outlives the registration.</summary>
    /// <param name="pointer">Its first byte.</param>
    /// <param name="bytes">The size, at least 1.</param>
    /// <param name="name">A name for findings.</param>
    /// <exception cref="ArgumentException">It overlaps a registered block.</exception>
    public void Register(nint pointer, long bytes, string? name = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        Add(new Allocation((ulong)pointer, bytes, owned: false, name));
    }

    /// <summary>Forgets a block, and frees it if <see cref="Allocate"/> made it.</summary>
    /// <exception cref="ArgumentException">No block begins at this address.</exception>
    public void Free(ulong address)
    {
        lock (_lock)
        {
            Allocation allocation = Array.Find(_allocations, a => a.Base == address) ?? throw new ArgumentException($"no block begins at 0x{address:x}", nameof(address));
            _allocations = [.. _allocations.Where(a => a != allocation)];
            allocation.Dispose();
        }
    }

    /// <summary>Tells that the host wrote these bytes.</summary>
    /// <exception cref="ArgumentException">They are not inside of one block.</exception>
    public void MarkInitialized(ulong address, long bytes) => new Span<byte>(Map(address, bytes), checked((int)bytes)).Fill(1);

    /// <summary>Takes <see cref="MarkInitialized"/> back: reads of these bytes are findings until somebody writes them.</summary>
    /// <exception cref="ArgumentException">They are not inside of one block.</exception>
    public void MarkUninitialized(ulong address, long bytes) => new Span<byte>(Map(address, bytes), checked((int)bytes)).Clear();

    /// <summary>Writes values into a block and marks them as initialised.</summary>
    public void Write<T>(ulong address, ReadOnlySpan<T> values) where T : unmanaged
    {
        MarkInitialized(address, (long)values.Length * sizeof(T));
        values.CopyTo(new Span<T>((void*)address, values.Length));
    }

    /// <summary>The first byte of a range that nobody wrote, counted from the range's start; −1 when all were written.</summary>
    /// <exception cref="ArgumentException">They are not inside of one block.</exception>
    public long FirstUnwritten(ulong address, long bytes) => new ReadOnlySpan<byte>(Map(address, bytes), checked((int)bytes)).IndexOf((byte)0);

    /// <summary>Copies bytes between blocks; those that nobody wrote stay so.</summary>
    /// <exception cref="ArgumentException">They are not inside of one block each.</exception>
    public void Copy(ulong source, ulong destination, long bytes)
    {
        byte* written = Map(source, bytes);
        new ReadOnlySpan<byte>(written, checked((int)bytes)).CopyTo(new Span<byte>(Map(destination, bytes), (int)bytes));
        new ReadOnlySpan<byte>((void*)source, (int)bytes).CopyTo(new Span<byte>((void*)destination, (int)bytes));
    }

    /// <summary>Reads values from a block.</summary>
    public T[] Read<T>(ulong address, int count) where T : unmanaged
    {
        _ = Map(address, (long)count * sizeof(T));
        return new ReadOnlySpan<T>((void*)address, count).ToArray();
    }

    /// <summary>Frees the blocks that <see cref="Allocate"/> made and forgets all.</summary>
    public void Dispose()
    {
        foreach (Allocation allocation in _allocations) { allocation.Dispose(); }
        _allocations = [];
    }

    internal Allocation? Find(ulong address)
    {
        Allocation[] all = _allocations;
        int low = 0, high = all.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >> 1;
            if (address < all[middle].Base) { high = middle - 1; }
            else if (address >= all[middle].End) { low = middle + 1; }
            else { return all[middle]; }
        }
        return null;
    }

    private byte* Map(ulong address, long bytes) => Find(address) is { } allocation && address + (ulong)bytes <= allocation.End
        ? allocation.Initialized + (address - allocation.Base)
        : throw new ArgumentException($"{bytes} bytes at 0x{address:x} are not inside of one block", nameof(address));

    private void Add(Allocation allocation)
    {
        lock (_lock)
        {
            if (Array.Find(_allocations, a => a.Base < allocation.End && allocation.Base < a.End) is { } other)
            {
                allocation.Dispose();
                throw new ArgumentException($"0x{allocation.Base:x} overlaps the block at 0x{other.Base:x}");
            }
            _allocations = [.. _allocations.Append(allocation).OrderBy(a => a.Base)];
        }
    }
}
