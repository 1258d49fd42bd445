using I2M.Kernels;

namespace I2M.Model.Training;

/// <summary>
/// Losses and gradient norms of the last steps in a ring on the device. When it is full it is copied to the host by one transfer that waits for nothing: the results
/// are there some steps later.
/// </summary>
internal sealed class StepLog : IDisposable
{
    private readonly IBackend _backend;
    private readonly int _steps, _parts;
    private readonly BufferView _ring;
    private readonly IDownload _download;
    private readonly List<StepResult> _ready = [];
    private List<(int Step, double Rate)> _open = [], _sent = [];

    /// <param name="backend">Where.</param>
    /// <param name="steps">Steps between two copies.</param>
    /// <param name="parts">Losses a step.</param>
    public StepLog(IBackend backend, int steps, int parts)
    {
        (_backend, _steps, _parts) = (backend, steps, parts);
        _ring = backend.Pool.Rent(checked((long)steps * (parts + 1)));
        _download = backend.OpenDownload(_ring);
        // A copy of a ring that is not full reads all of it.
        backend.Fill(_ring, 0);
    }

    /// <summary>Steps between two copies.</summary>
    public int Steps => _steps;

    /// <summary>Notes the loss of a part of the present step.</summary>
    public void AddPart(BufferView loss, int part) => _backend.Copy(loss, Word(part));

    /// <summary>Ends the present step.</summary>
    public void EndStep(int step, double rate, BufferView sumSquares)
    {
        _backend.Copy(sumSquares, Word(_parts));
        _open.Add((step, rate));
        if (_open.Count == _steps) { Send(); }
    }

    /// <summary>Moves the results that have arrived since the last call into a list; with <paramref name="wait"/>, those of all steps.</summary>
    public void Take(bool wait, List<StepResult> results)
    {
        if (_download.IsPending && (wait || _download.IsReady)) { Read(); }
        if (wait && _open.Count > 0)
        {
            Send();
            if (_download.IsPending) { Read(); }
        }
        results.AddRange(_ready);
        _ready.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _download.Dispose();
        _backend.Pool.Return(_ring);
    }

    private BufferView Word(int column) => _ring.Slice((long)_open.Count * (_parts + 1) + column, 1);

    private void Send()
    {
        if (_download.IsPending) { Read(); }
        _download.Queue();
        (_open, _sent) = (_sent, _open);
        // On the host the data are there already, and the next step would write over them.
        if (_download.IsReady) { Read(); }
    }

    private void Read()
    {
        ReadOnlySpan<float> ring = _download.Read();
        for (int i = 0; i < _sent.Count; i++)
        {
            ReadOnlySpan<float> row = ring.Slice(i * (_parts + 1), _parts + 1);
            double loss = 0;
            // A part's loss is divided by the number of parts on the device, for its gradient.
            for (int part = 0; part < _parts; part++) { loss += row[part] * _parts / _parts; }
            _ready.Add(new StepResult(loss, Math.Sqrt(row[_parts]), _sent[i].Rate, _sent[i].Step));
        }
        _sent.Clear();
    }
}
