using System.Numerics;
using System.Runtime.InteropServices;
using I2M.PtxEmulator.Checking;
using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

/// <summary>
/// Turns the addresses of a warp's lanes into host pointers after checking each. Generic addresses: shared and local memory are windows
/// far above all native pointers.
/// </summary>
internal sealed unsafe class MemoryUnit(Block block, Launch launch) : IDisposable
{
    public const ulong SharedWindow = 1ul << 60;

    public const ulong LocalWindow = 2ul << 60;

    private readonly int _localBytes = (launch.Program.LocalBytes + 15) / 16 * 16;
    private readonly bool _checkGlobalRaces = launch.Options.CheckGlobalRaces;
    private readonly bool _checkSharedRaces = launch.Options.CheckSharedRaces;
    private readonly bool _checkInitialization = launch.Options.CheckInitialization;
    private byte* _local;
    private Allocation? _allocation;
    private nint[] _pages = [];

    public SharedMemory Shared { get; } = new(launch.ReaderColumns);

    /// <summary>Asynchronous copies of the block that are under way.</summary>
    public int CopiesInFlight { get; set; }

    /// <summary>Begins a block: shared and local memory are unwritten.</summary>
    public void Start()
    {
        Shared.Start(launch.Program.DynamicSharedOffset + launch.Shape.DynamicSharedBytes, launch.Program.SharedGrain, _checkSharedRaces);
        CopiesInFlight = 0;
        if (_localBytes == 0) { return; }
        nuint bytes = (nuint)(_localBytes * block.WarpCount * Lanes.Count * 2);
        if (_local == null) { _local = (byte*)NativeMemory.AlignedAlloc(bytes, 64); }
        NativeMemory.Clear(_local, bytes);
    }

    /// <summary>The space of a generic address.</summary>
    public static Space SpaceOf(ulong address) => (address >> 60) switch { 1 => Space.Shared, 2 => Space.Local, _ => Space.Global };

    /// <summary>
    /// Checks an access of each lane of the mask, notes it for the checkers and counts it.
    /// </summary>
    /// <param name="warp">The warp.</param>
    /// <param name="operation">The instruction, for findings.</param>
    /// <param name="space">Global, shared or local.</param>
    /// <param name="addresses">Per lane the address in the space.</param>
    /// <param name="bytes">The size of each lane's access.</param>
    /// <param name="mask">The lanes.</param>
    /// <param name="write">Whether they write; the bytes then count as written.</param>
    /// <param name="pointers">Receives a host pointer per lane.</param>
    /// <param name="values">For stores the new bytes, <paramref name="bytes"/> per lane. They are written lane by lane, so that each is compared with
    /// those before it: writing what is there already is no race.</param>
    /// <param name="races">False for atomics, which order themselves.</param>
    /// <returns>The lanes that may carry the access out.</returns>
    public uint Access(Warp warp, Operation operation, Space space, ulong* addresses, int bytes, uint mask, bool write, byte** pointers, byte* values = null, bool races = true)
    {
        uint good = mask;
        ulong stamp = Stamp.Of(block.Number, warp.Phase, warp.SyncEpoch, warp.Index);
        for (uint rest = mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong address = addresses[lane];
            if ((address & (ulong)(bytes - 1)) != 0)
            {
                good &= ~(1u << lane);
                block.Report(FindingKind.Misaligned, operation, warp, 1u << lane, $"{space} address 0x{address:x} is not a multiple of {bytes}");
                continue;
            }
            byte* value = values == null ? null : values + lane * bytes;
            bool valid = space switch
            {
                Space.Shared => Shared1(warp, operation, address, bytes, lane, write, stamp + (ulong)lane, &pointers[lane], value, races),
                Space.Local => Local1(warp, operation, address, bytes, lane, write, &pointers[lane]),
                _ => Global1(warp, operation, address, bytes, lane, write, stamp + (ulong)lane, &pointers[lane], value, races),
            };
            if (!valid) { good &= ~(1u << lane); }
            else if (value != null) { Put(pointers[lane], value, bytes); }
        }
        Count(space, addresses, bytes, good, write);
        return good;
    }

    private static void Put(byte* to, byte* value, int bytes)
    {
        if (bytes == 4) { *(uint*)to = *(uint*)value; }
        else { new ReadOnlySpan<byte>(value, bytes).CopyTo(new Span<byte>(to, bytes)); }
    }

    private void Count(Space space, ulong* addresses, int bytes, uint mask, bool write)
    {
        LaunchCounters counters = block.Counters;
        long total = (long)BitOperations.PopCount(mask) * bytes;
        if (space == Space.Global)
        {
            if (write) { counters.GlobalStored += total; }
            else { counters.GlobalLoaded += total; }
            if (launch.Options.CountTransactions) { counters.Sectors += Transactions.Sectors(addresses, bytes, mask); }
        }
        else if (space == Space.Shared)
        {
            if (write) { counters.SharedStored += total; }
            else { counters.SharedLoaded += total; }
            if (launch.Options.CountTransactions) { CountPasses(addresses, bytes, mask); }
        }
    }

    public void CountPasses(ulong* addresses, int bytes, uint mask)
    {
        (int passes, int conflicts) = Transactions.Passes(addresses, bytes, mask);
        block.Counters.Passes += passes;
        block.Counters.Conflicts += conflicts;
    }

    /// <summary>Counts what asynchronous copies write to shared memory.</summary>
    public void CountStored(ulong* addresses, int bytes, uint mask) => Count(Space.Shared, addresses, bytes, mask, write: true);

    /// <summary>Checks the source of asynchronous copies that read <paramref name="size"/> bytes; the address is a multiple of <paramref name="alignment"/>.</summary>
    public uint ReadForCopy(Warp warp, Operation operation, ulong* addresses, int size, int alignment, uint mask, byte** pointers)
    {
        for (uint rest = mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong address = addresses[lane];
            bool aligned = address % (ulong)alignment == 0;
            if (!aligned) { block.Report(FindingKind.Misaligned, operation, warp, 1u << lane, $"global address 0x{address:x} is not a multiple of {alignment}"); }
            ulong stamp = StampOf(warp, lane);
            if (!aligned || !Global1(warp, operation, address, size, lane, write: false, stamp, &pointers[lane], null, races: true)) { mask &= ~(1u << lane); }
        }
        Count(Space.Global, addresses, size, mask, write: false);
        return mask;
    }

    private bool Global1(Warp warp, Operation operation, ulong address, int bytes, int lane, bool write, ulong stamp, byte** pointer, byte* value, bool races)
    {
        Allocation? allocation = _allocation;
        if (allocation is null || address < allocation.Base || address + (ulong)bytes > allocation.End)
        {
            allocation = launch.Memory.Find(address);
            if (allocation is null || address + (ulong)bytes > allocation.End)
            {
                block.Report(FindingKind.OutOfBounds, operation, warp, 1u << lane, $"{bytes} bytes at global address 0x{address:x}, {Nearest(address)}");
                return false;
            }
            _allocation = allocation;
            _pages = _checkGlobalRaces ? launch.GlobalRaces.PagesOf(allocation) : [];
        }
        *pointer = (byte*)address;
        byte* map = allocation.Initialized + (address - allocation.Base);
        if (!write && _checkInitialization && !ByteMap.AllSet(map, bytes))
        {
            block.Report(FindingKind.UninitializedMemory, operation, warp, 1u << lane, $"nobody wrote all of the {bytes} bytes at offset {address - allocation.Base} of {allocation}");
        }
        if (write) { ByteMap.Set(map, bytes); }
        if (!_checkGlobalRaces || !races) { return true; }
        Race race = launch.GlobalRaces.Touch(allocation, _pages, address, bytes, warp, stamp, write);
        if (race != Race.None && !IsBenign(race, (byte*)address, value, bytes))
        {
            block.Report(FindingKind.GlobalRace, operation, warp, 1u << lane, $"{Describe(race, write)} offset {address - allocation.Base} of {allocation}");
        }
        return true;
    }

    private string Nearest(ulong address) => launch.Memory.Find(address) is { } inside ? $"the end of {inside}"
        : launch.Memory.Find(address - 256) is { } before ? $"{address - before.End} bytes after the end of {before}" : "in no block";

    private bool Shared1(Warp warp, Operation operation, ulong address, int bytes, int lane, bool write, ulong stamp, byte** pointer, byte* value, bool races)
    {
        if (!SharedInRange(warp, operation, address, bytes, 1u << lane)) { return false; }
        int at = (int)address;
        *pointer = Shared.Data + at;
        if (CopiesInFlight > 0 && Shared.AnyInFlight(at, bytes))
        {
            block.Report(FindingKind.AsyncCopyNotWaited, operation, warp, 1u << lane, $"an asynchronous copy to shared offset {at} has not been waited for");
        }
        else if (!write && _checkInitialization && !ByteMap.AllSet(Shared.Initialized + at, bytes))
        {
            block.Report(FindingKind.UninitializedMemory, operation, warp, 1u << lane, $"nobody wrote all of the {bytes} bytes at shared offset {at}");
        }
        if (write) { ByteMap.Set(Shared.Initialized + at, bytes); }
        if (races) { TouchShared(warp, operation, at, bytes, lane, write, stamp, value); }
        return true;
    }

    public bool SharedInRange(Warp warp, Operation operation, ulong address, int bytes, uint lanes)
    {
        if (address + (ulong)bytes <= (ulong)Shared.Size && address < (ulong)Shared.Size) { return true; }
        block.Report(FindingKind.OutOfBounds, operation, warp, lanes, $"{bytes} bytes at shared offset {(long)address} of {Shared.Size}");
        return false;
    }

    /// <summary>Notes an access to shared memory and reports a race.</summary>
    public void TouchShared(Warp warp, Operation operation, int at, int bytes, int lane, bool write, ulong stamp, byte* value)
    {
        if (!_checkSharedRaces) { return; }
        Race race = Shared.Touch(at, bytes, warp, stamp, write);
        if (race != Race.None && !IsBenign(race, Shared.Data + at, value, bytes))
        {
            block.Report(FindingKind.SharedRace, operation, warp, 1u << lane, $"{Describe(race, write)} shared offset {at}");
        }
    }

    /// <summary>The present stamp of a lane.</summary>
    public ulong StampOf(Warp warp, int lane) => Stamp.Of(block.Number, warp.Phase, warp.SyncEpoch, warp.Index) + (ulong)lane;

    private static bool IsBenign(Race race, byte* memory, byte* value, int bytes) =>
        race == Race.WriteWrite && value != null && new ReadOnlySpan<byte>(memory, bytes).SequenceEqual(new ReadOnlySpan<byte>(value, bytes));

    private static string Describe(Race race, bool write) => !write ? "no barrier between a write by another thread and this read of"
        : race.HasFlag(Race.ReadWrite) ? "no barrier between a read by another thread and this write of"
        : "no barrier between different values that two threads write to";

    private bool Local1(Warp warp, Operation operation, ulong address, int bytes, int lane, bool write, byte** pointer)
    {
        if (address >= (ulong)launch.Program.LocalBytes || address + (ulong)bytes > (ulong)launch.Program.LocalBytes)
        {
            block.Report(FindingKind.OutOfBounds, operation, warp, 1u << lane, $"{bytes} bytes at local offset {(long)address} of {launch.Program.LocalBytes}");
            return false;
        }
        byte* at = _local + (long)_localBytes * (warp.Index * Lanes.Count + lane) * 2 + (long)address;
        *pointer = at;
        byte* map = at + _localBytes;
        if (!write && _checkInitialization && !ByteMap.AllSet(map, bytes))
        {
            block.Report(FindingKind.UninitializedMemory, operation, warp, 1u << lane, $"this thread never wrote all of the {bytes} bytes at local offset {address}");
        }
        if (write) { ByteMap.Set(map, bytes); }
        return true;
    }

    public void Dispose()
    {
        Shared.Dispose();
        NativeMemory.AlignedFree(_local);
        _local = null;
    }
}
