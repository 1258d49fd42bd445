using I2M.Autograd;

namespace I2M.Model.Dit;

/// <summary>The modulations of a sampler's timesteps: each is computed once, many at a time, and long lists in parts that bound the memory.</summary>
public sealed class SamplingModulations : IDisposable
{
    /// <summary>Samples times timesteps in one table: 43 MB of the full preset's modulations.</summary>
    private const int MostRows = 128;
    private readonly DitModel _model;
    private readonly int[] _timesteps;
    private readonly ImageCondition _condition;
    private readonly int _stepsAtOnce;
    private readonly Tensor _features;
    private readonly bool _ownsFeatures;
    private ModulationTable? _table;
    private int _part = -1;

    /// <param name="model">Whose.</param>
    /// <param name="timesteps">In the sampler's order.</param>
    /// <param name="condition">The pictures.</param>
    /// <param name="batch">Samples in a step.</param>
    public SamplingModulations(DitModel model, int[] timesteps, ImageCondition condition, int batch)
        : this(model, timesteps, condition, batch, Tensor.Persistent(condition.KeyValues[0].Backend, model.FilledFeatures(timesteps), timesteps.Length + DitModel.FewestTableRows, TimestepEmbedding.Features)) =>
        _ownsFeatures = true;

    /// <summary>The same with what <see cref="DitModel.FilledFeatures"/> gives for the timesteps on the device, which stays the caller's.</summary>
    internal SamplingModulations(DitModel model, int[] timesteps, ImageCondition condition, int batch, Tensor features)
    {
        (_model, _timesteps, _condition, _features) = (model, timesteps, condition, features);
        _stepsAtOnce = Math.Max(1, MostRows / batch);
    }

    /// <summary>The table that holds a timestep and its place in it. Call outside of a step's scope: the table outlives the step.</summary>
    public (ModulationTable Table, int Step) At(int timestep)
    {
        int index = Array.IndexOf(_timesteps, timestep);
        if (index < 0) { throw new ArgumentException($"The sampler has no timestep {timestep}.", nameof(timestep)); }
        int part = index / _stepsAtOnce, first = part * _stepsAtOnce;
        if (part != _part || _table is null)
        {
            _table?.Dispose();
            _table = _model.ModulatePart(_features, first, Math.Min(_stepsAtOnce, _timesteps.Length - first), _condition);
            _part = part;
        }
        return (_table, index - first);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _table?.Dispose();
        if (_ownsFeatures) { _features.Dispose(); }
    }
}
