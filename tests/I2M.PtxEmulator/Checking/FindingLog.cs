using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Checking;

/// <summary>Keeps the first finding of each kind at each instruction.</summary>
internal sealed class FindingLog(int limit)
{
    private readonly Dictionary<(FindingKind, Instruction), (Finding Finding, long Block)> _findings = [];
    private readonly Lock _lock = new();

    public long Suppressed { get; private set; }

    /// <summary>Of the same finding in several blocks that of the lowest stays, so that reports do not depend on the threads.</summary>
    public void Add(FindingKind kind, Instruction source, long block, Func<string> message)
    {
        lock (_lock)
        {
            bool known = _findings.TryGetValue((kind, source), out (Finding Finding, long Block) first);
            if (known || _findings.Count >= limit) { Suppressed++; }
            if (known ? block < first.Block : _findings.Count < limit) { _findings[(kind, source)] = (new Finding(kind, message(), source.Line), block); }
        }
    }

    public IReadOnlyList<Finding> All => [.. _findings.Values.Select(v => v.Finding).OrderBy(f => f.Line).ThenBy(f => f.Kind)];
}
