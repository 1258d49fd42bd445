using I2M.PtxEmulator;

namespace I2M.Testing.Emulation;

/// <summary>The emulator's checkers found something in a launch.</summary>
public sealed class EmulatorFindingException : Exception
{
    private const int Shown = 8;

    internal EmulatorFindingException(string kernel, LaunchShape shape, IReadOnlyList<Finding> findings)
        : base($"{kernel}, {shape}: {findings.Count} findings: {string.Join("; ", findings.Take(Shown).Select(f => $"{f.Kind}: {f.Message}"))}") => Findings = findings;

    /// <summary>A copy to the host of bytes that nobody wrote.</summary>
    internal EmulatorFindingException(long bytes, long first)
        : this("copy to the host", default, [new Finding(FindingKind.UninitializedMemory, $"of {bytes} bytes nobody wrote byte {first}", 0)])
    {
    }

    /// <summary>What was found.</summary>
    public IReadOnlyList<Finding> Findings { get; }
}
