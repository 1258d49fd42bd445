using System.Runtime.InteropServices;

namespace I2M.Cli;

/// <summary>
/// Turns the first Ctrl-C, SIGTERM or hang-up into a cancellation, so that a verb can save its work, however long that takes; the second ends the
/// program at once. Files are written whole or not at all, so nothing is harmed by that.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _exitCode;

    public StopSignals() => _registrations =
        [Register(PosixSignal.SIGINT, 130), Register(PosixSignal.SIGTERM, 143), Register(PosixSignal.SIGHUP, 129)];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>128 and the number of the first signal; null before it.</summary>
    public int? ExitCode => _exitCode == 0 ? null : _exitCode;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations) { registration.Dispose(); }
        _source.Dispose();
    }

    private PosixSignalRegistration Register(PosixSignal signal, int exitCode) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        if (Interlocked.CompareExchange(ref _exitCode, exitCode, 0) != 0) { Environment.Exit(exitCode); }
        _source.Cancel();
    });
}
