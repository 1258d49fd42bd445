using I2M.Autograd;
using I2M.Autograd.Modules;

namespace I2M.Model.Dit;

/// <summary>
/// The outputs of all modulation layers for a list of timesteps, computed before sampling begins, so that a step reads rows instead of multiplying
/// matrices. A row's bits do not depend on which other timesteps are in the table. From <see cref="DitModel.Modulate"/>; disposing gives the memory back.
/// </summary>
public sealed class ModulationTable : IDisposable
{
    private readonly IReadOnlyDictionary<Linear, Tensor> _rows;
    private readonly int _rowsPerStep;

    internal ModulationTable(IReadOnlyDictionary<Linear, Tensor> rows, int rowsPerStep) => (_rows, _rowsPerStep) = (rows, rowsPerStep);

    /// <summary>The modulation of step <paramref name="step"/> by one layer: [batch, chunks · hidden], or [1, chunks · hidden] where all samples share it.</summary>
    internal Tensor Of(Linear layer, int step) => _rows[layer].SliceRows(step * _rowsPerStep, _rowsPerStep);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor rows in _rows.Values) { rows.Dispose(); }
    }
}

/// <summary>Where adaptive layers get shift, scale and gate from: computed from the activated condition [batch, hidden], or a step of a table.</summary>
internal readonly struct ModulationSource
{
    private readonly Tensor? _activated;
    private readonly ModulationTable? _table;
    private readonly int _step;

    public ModulationSource(Tensor activated) => _activated = activated;

    public ModulationSource(ModulationTable table, int step) => (_table, _step) = (table, step);

    /// <summary>The activated condition, which is an input where a block is recomputed; null for a table.</summary>
    public Tensor? Activated => _activated;

    /// <summary>What a modulation layer gives, [batch, chunks · hidden] or [1, chunks · hidden].</summary>
    public Tensor Of(Linear layer) => _table is null ? layer.Forward(_activated!) : _table.Of(layer, _step);
}
