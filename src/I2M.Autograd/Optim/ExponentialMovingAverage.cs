using I2M.Autograd.Modules;
using I2M.Kernels;

namespace I2M.Autograd.Optim;

/// <summary>
/// An exponential moving average of an arena's values. The decay warms up as min(decay, (1 + n)/(10 + n)) after n updates, so that a short run is
/// not dominated by its initial weights.
/// </summary>
public sealed class ExponentialMovingAverage : IDisposable
{
    private readonly ParameterArena _arena;
    private readonly double _decay;

    /// <summary>The averages, in the arena's layout.</summary>
    public BufferView Values { get; }

    /// <summary>Updates made.</summary>
    public long UpdateCount { get; set; }

    /// <summary>The average starts at the current values.</summary>
    public ExponentialMovingAverage(ParameterArena arena, double decay)
    {
        (_arena, _decay) = (arena, decay);
        Values = arena.Backend.Pool.Rent(arena.Length);
        arena.Backend.Copy(arena.Values, Values);
    }

    /// <summary>Takes the arena's present values into the average.</summary>
    public void Update() => _arena.Backend.Ema(_arena.Values, NextDecay(), Values);

    /// <summary>Counts an update and gives its decay.</summary>
    internal float NextDecay()
    {
        double decay = Math.Min(_decay, (1.0 + UpdateCount) / (10.0 + UpdateCount));
        UpdateCount++;
        return (float)decay;
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => _arena.Backend.Pool.Return(Values);
}
