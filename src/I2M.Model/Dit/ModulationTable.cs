using I2M.Autograd;

namespace I2M.Model.Dit;

/// <summary>
/// The modulations of all layers for a list of timesteps, computed before sampling begins, so that a step reads rows instead of multiplying matrices. A
/// row's bits do not depend on which other timesteps are in the table. From <see cref="DitModel.Modulate"/>; disposing gives the memory back.
/// </summary>
public sealed class ModulationTable : IDisposable
{
    private readonly Tensor _rows;
    private readonly int _rowsPerStep;

    internal ModulationTable(Tensor rows, int rowsPerStep) => (_rows, _rowsPerStep) = (rows, rowsPerStep);

    /// <summary>The modulations of step <paramref name="step"/>: [batch, chunks · hidden], or [1, chunks · hidden] where all samples share them.</summary>
    internal Tensor Of(int step) => _rows.SliceRows(step * _rowsPerStep, _rowsPerStep);

    /// <inheritdoc/>
    public void Dispose() => _rows.Dispose();
}
