using I2M.Kernels.Ilgpu;
using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>Which kernel a pass of attention takes on CUDA.</summary>
public sealed class FlashPlanTests
{
    private const int H200 = 132, Large = 227 * 1024;

    /// <summary>Many groups take the tallest tile; few are divided finer, so that no multiprocessor has much more than the others.</summary>
    [Theory]
    [InlineData(32, 875, 875, FlashTile.Rows128)]
    [InlineData(8, 875, 1024, FlashTile.Rows128)]
    [InlineData(4, 875, 875, FlashTile.Rows128)]
    [InlineData(2, 875, 875, FlashTile.Rows128)]
    [InlineData(1, 875, 875, FlashTile.Rows64)]
    [InlineData(1, 750, 750, FlashTile.Rows64)]
    [InlineData(8, 150, 150, FlashTile.Rows32)]
    [InlineData(1, 150, 150, FlashTile.Rows32)]
    [InlineData(4, 150, 150, FlashTile.Rows32)]
    [InlineData(64, 256, 256, FlashTile.Rows128)]
    internal void The_busiest_multiprocessor_decides(int batch, int queries, int keys, FlashTile tile)
    {
        var shape = new AttentionShape(batch, 12, queries, keys, 64, 0.125f);
        FlashPlan plan = FlashPlan.For(AttentionPass.Forward, shape, H200, Large);
        Assert.Equal(tile, plan.Tile);
        Assert.Equal(plan.Groups, batch * 12L * FlashPlan.GroupsOf(queries, tile));
        Assert.StartsWith($"{plan.Groups} groups of {(int)tile} rows on 132 multiprocessors: at most ", plan.Reason, StringComparison.Ordinal);
        Assert.Equal("measured", (plan with { Measured = "measured" }).Reason);
    }

    [Fact]
    public void Keys_are_divided_by_their_own_number()
    {
        var shape = new AttentionShape(1, 12, 2816, 64, 64, 0.125f);
        Assert.Equal(12 * 2, FlashPlan.For(AttentionPass.Keys, shape, H200, Large).Groups);
        Assert.Equal(FlashTile.Rows128, FlashPlan.For(AttentionPass.Queries, shape, H200, Large).Tile);
    }

    /// <summary>Heads above 64 channels have no registers for 128 rows backward, and little shared memory leaves out what does not fit.</summary>
    [Fact]
    public void What_does_not_fit_is_left_out()
    {
        var shape = new AttentionShape(32, 12, 875, 875, 128, 0.1f);
        Assert.Equal(FlashTile.Rows128, FlashPlan.For(AttentionPass.Forward, shape, H200, Large).Tile);
        Assert.Equal(FlashTile.Rows64, FlashPlan.For(AttentionPass.Keys, shape, H200, Large).Tile);
        Assert.Equal(FlashTile.Rows64, FlashPlan.For(AttentionPass.Forward, shape, H200, 48 * 1024).Tile);
        Assert.Equal(FlashTile.Rows32, FlashPlan.For(AttentionPass.Keys, shape, H200, 60 * 1024).Tile);
        Assert.False(FlashPlan.Fits(AttentionPass.Queries, 96, FlashTile.Rows128, Large));
    }

    /// <summary>Every kernel of the table is launched with the work items of its bounds.</summary>
    [Fact]
    public void Work_items_are_those_of_the_kernels()
    {
        foreach (var (key, kernel) in FlashTable.Forward) { Assert.Equal(KernelEntry.Of(kernel.Method).MaxThreads, FlashPlan.Threads(key.Tile)); }
        foreach (var (key, kernel) in FlashTable.Keys) { Assert.Equal(KernelEntry.Of(kernel.Method).MaxThreads, FlashPlan.Threads(key.Tile)); }
        foreach (var (key, kernel) in FlashTable.Queries) { Assert.Equal(KernelEntry.Of(kernel.Method).MaxThreads, FlashPlan.Threads(key.Tile)); }
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void A_measured_tile_takes_the_place_of_the_default(string backend)
    {
        if (Backends.Get(backend) is not ITunable tunable) { return; }
        var shape = new AttentionShape(1, 1, 40, 40, 64, 0.125f);
        IReadOnlyList<string> tiles = tunable.TilesFor(AttentionPass.Forward, shape);
        Assert.Equal(tiles, tiles.Distinct());
        if (backend == "opencl")
        {
            Assert.Single(tiles);
            Assert.Null(tunable.ChoiceFor(AttentionPass.Forward, shape));
            return;
        }
        Assert.Equal(3, tiles.Count);
        TileTable before = tunable.Tiles;
        try
        {
            tunable.Tiles = new TileTable([], [new TileChoice<AttentionTileKey>(AttentionTileKey.Of(AttentionPass.Forward, shape), tiles[2], "for this test")]);
            FlashPlan plan = ((IlgpuBackend)tunable).PlanAttention(AttentionPass.Forward, shape);
            Assert.Equal((tiles[2], "for this test"), (plan.Tile.ToString(), plan.Reason));
            Assert.Equal($"{tiles[2]}: for this test", tunable.ChoiceFor(AttentionPass.Forward, shape));
            Assert.StartsWith("Portable: the head dimension 12", tunable.ChoiceFor(AttentionPass.Forward, shape with { HeadDim = 12 }), StringComparison.Ordinal);
            Assert.Null(((IlgpuBackend)tunable).PlanAttention(AttentionPass.Keys, shape).Measured);
            // The default stays first, so that another tuning compares with it.
            Assert.Equal(tiles, tunable.TilesFor(AttentionPass.Forward, shape));
            Assert.Single(tunable.TilesFor(AttentionPass.Forward, shape with { HeadDim = 12 }));
        }
        finally { tunable.Tiles = before; }
    }
}
