namespace I2M.PtxEmulator;

/// <summary>Blocks of the grid, threads of a block, and bytes of dynamic shared memory per block.</summary>
public readonly record struct LaunchShape(int GridX, int GridY, int GridZ, int BlockX, int BlockY, int BlockZ, int DynamicSharedBytes)
{
    /// <summary>Threads of a block.</summary>
    public int Threads => BlockX * BlockY * BlockZ;

    /// <summary>Blocks of the grid.</summary>
    public long Blocks => (long)GridX * GridY * GridZ;
}
