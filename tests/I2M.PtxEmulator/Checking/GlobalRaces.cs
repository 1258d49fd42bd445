using System.Runtime.InteropServices;
using I2M.PtxEmulator.Execution;

namespace I2M.PtxEmulator.Checking;

/// <summary>
/// Stamps for the global memory that one launch touches, in pages that are made at the first touch. Blocks run in parallel and update stamps
/// without locks: a race between blocks is missed only if both sides touch the bytes within the same few nanoseconds.
/// </summary>
internal sealed unsafe class GlobalRaces(int grain, int columns) : IDisposable
{
    private const int PageBytes = 4096;

    private int PageGrains => PageBytes / grain;

    private readonly Dictionary<Allocation, nint[]> _pages = [];
    private readonly Lock _lock = new();

    public nint[] PagesOf(Allocation allocation)
    {
        lock (_lock)
        {
            if (!_pages.TryGetValue(allocation, out nint[]? pages))
            {
                _pages[allocation] = pages = new nint[(allocation.End - 1) / PageBytes - allocation.Base / PageBytes + 1];
            }
            return pages;
        }
    }

    /// <summary>Notes an access to bytes that lie on one page, as aligned accesses do.</summary>
    public Race Touch(Allocation allocation, nint[] pages, ulong address, int bytes, Warp warp, ulong mine, bool write)
    {
        ref nint page = ref pages[address / PageBytes - allocation.Base / PageBytes];
        if (page == 0) { Make(ref page); }
        ulong* writers = (ulong*)page + (int)(address % PageBytes) / grain;
        ulong* readers = writers + PageGrains;
        return write ? RaceGrid.Write(writers, readers, columns, PageGrains, bytes / grain, mine, warp.Known)
            : RaceGrid.Read(writers, readers + (columns > 1 ? warp.Index * PageGrains : 0), bytes / grain, mine, warp.Known);
    }

    private void Make(ref nint page)
    {
        nint made = (nint)NativeMemory.AllocZeroed((nuint)(PageGrains * (1 + columns)), sizeof(ulong));
        if (Interlocked.CompareExchange(ref page, made, 0) != 0) { NativeMemory.Free((void*)made); }
    }

    public void Dispose()
    {
        foreach (nint page in _pages.Values.SelectMany(p => p)) { NativeMemory.Free((void*)page); }
        _pages.Clear();
    }
}
