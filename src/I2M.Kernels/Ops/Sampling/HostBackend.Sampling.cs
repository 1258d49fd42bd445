namespace I2M.Kernels.Host;

public sealed unsafe partial class HostBackend
{
    /// <inheritdoc cref="IBackend.GuideRows"/>
    public void GuideRows(BufferView conditional, BufferView unconditional, int rows, float scale, float rescale, BufferView destination)
    {
        long columns = ColumnsOf(destination, rows);
        RequireLength(destination.Length, conditional);
        RequireLength(destination.Length, unconditional);
        float* pc = Pointer(conditional), pu = Pointer(unconditional), pd = Pointer(destination);
        _rows.Run(rows, 1, (start, end) =>
        {
            for (long r = start, i = r * columns; r < end; r++, i += columns)
            {
                // Before the destination is written, which may be c.
                double wanted = rescale > 0 ? SquaresAroundMean(pc + i, columns) : 0;
                ElementwiseDrivers.Apply(new Combination(scale, 1 - scale), pc + i, pu + i, pd + i, columns);
                double given = rescale > 0 ? SquaresAroundMean(pd + i, columns) : 0;
                if (given > 0) { ElementwiseDrivers.Apply(new Scaled((float)(rescale * Math.Sqrt(wanted / given) + 1 - rescale)), pd + i, pd + i, columns); }
            }
        });
    }

    /// <summary>Σ (x − mean)².</summary>
    private static double SquaresAroundMean(float* x, long length) =>
        Reductions.Sum(new SquaredDistance((float)(Reductions.Sum(new Identity(), x, length) / length)), x, length);
}
