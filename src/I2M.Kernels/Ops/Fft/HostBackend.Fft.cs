namespace I2M.Kernels.Host;

public sealed unsafe partial class HostBackend
{
    private readonly Dictionary<int, FftPlan> _fftPlans = [];

    /// <inheritdoc cref="IBackend.RealFft"/>
    public void RealFft(BufferView x, int n, float edge, float interior, BufferView spectrum)
    {
        FftPlan plan = PlanOf(n);
        long rows = RowsOf(x, n), bins = n + 2;
        RequireLength(rows * bins, spectrum);
        float* px = Pointer(x), ps = Pointer(spectrum);
        _rows.Run(rows, RowGrain(MathGrain, n), (start, end) =>
        {
            float* scratch = stackalloc float[plan.ScratchLength];
            for (long r = start; r < end; r++) { plan.Forward(px + r * n, edge, interior, ps + r * bins, scratch); }
        });
    }

    /// <inheritdoc cref="IBackend.InverseRealFft"/>
    public void InverseRealFft(BufferView spectrum, int n, float edge, float interior, BufferView x)
    {
        FftPlan plan = PlanOf(n);
        long rows = RowsOf(x, n), bins = n + 2;
        RequireLength(rows * bins, spectrum);
        float* px = Pointer(x), ps = Pointer(spectrum);
        _rows.Run(rows, RowGrain(MathGrain, n), (start, end) =>
        {
            float* scratch = stackalloc float[plan.ScratchLength];
            for (long r = start; r < end; r++) { plan.Inverse(ps + r * bins, edge, interior, px + r * n, scratch); }
        });
    }

    private FftPlan PlanOf(int n)
    {
        if (!_fftPlans.TryGetValue(n, out var plan)) { _fftPlans[n] = plan = new FftPlan(n); }
        return plan;
    }
}
