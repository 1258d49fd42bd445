namespace I2M.Model.Dit;

/// <summary>
/// The modulations of a sampler's timesteps: each is computed once, many at a time, and long lists in parts that bound the memory.
/// </summary>
/// <param name="model">Whose.</param>
/// <param name="timesteps">In the sampler's order.</param>
/// <param name="condition">The pictures.</param>
/// <param name="batch">Samples in a step.</param>
public sealed class SamplingModulations(DitModel model, int[] timesteps, ImageCondition condition, int batch) : IDisposable
{
    /// <summary>Samples times timesteps in one table: 43 MB of the full preset's modulations.</summary>
    private const int MostRows = 128;
    private readonly int _stepsAtOnce = Math.Max(1, MostRows / batch);
    private ModulationTable? _table;
    private int _part = -1;

    /// <summary>The table that holds a timestep and its place in it. Call outside of a step's scope: the table outlives the step.</summary>
    public (ModulationTable Table, int Step) At(int timestep)
    {
        int index = Array.IndexOf(timesteps, timestep);
        if (index < 0) { throw new ArgumentException($"The sampler has no timestep {timestep}.", nameof(timestep)); }
        int part = index / _stepsAtOnce, first = part * _stepsAtOnce;
        if (part != _part || _table is null)
        {
            _table?.Dispose();
            _table = model.Modulate(timesteps.AsSpan(first, Math.Min(_stepsAtOnce, timesteps.Length - first)), condition);
            _part = part;
        }
        return (_table, index - first);
    }

    /// <inheritdoc/>
    public void Dispose() => _table?.Dispose();
}
