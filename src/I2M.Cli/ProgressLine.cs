using System.Diagnostics;
using System.Globalization;
using I2M.Model.Profiling;
using I2M.Model.Training;
using I2M.Model.Vocos.Training;

namespace I2M.Cli;

/// <summary>
/// Progress on stderr: one line that rewrites itself on a terminal, a plain line now and then in a pipe or file. No colours, no control codes in pipes.
/// </summary>
internal sealed class ProgressLine : IDisposable
{
    private static readonly TimeSpan TerminalInterval = TimeSpan.FromMilliseconds(200), PipeInterval = TimeSpan.FromSeconds(10);
    private readonly bool _terminal = !Console.IsErrorRedirected;
    private readonly Stopwatch _sinceLast = Stopwatch.StartNew();
    private bool _open, _shown;

    /// <summary>Shows a training step.</summary>
    public void Show(TrainProgress p) => Show(p.Step == p.Total, () => TrainLine(p));

    /// <summary>Shows a step of a vocoder's training.</summary>
    public void Show(VocoderProgress p) => Show(p.Result.Step == p.End, () => string.Create(CultureInfo.InvariantCulture,
        $"step {p.Result.Step}/{p.End} | loss {p.Result.Loss:F3} | mel {p.Result.Mel:F4} | stft {p.Result.Stft:F4} | norm {p.Result.GradientNorm:F1} | lr {p.Result.LearningRate:E1} | {p.CropsPerSecond:F1} crops/s, {p.RealTime:F1} times real time | {Format(p.Remaining)} left"));

    /// <summary>Shows a count of work.</summary>
    public void Show(string what, int done, int total) => Show(done == total, () => $"{what} {done}/{total}");

    /// <summary>Shows what is going on; the last of a kind is always shown.</summary>
    public void Show(string what, bool last) => Show(last, () => what);

    /// <summary>Shows what is going on: at once on a terminal, at most every ten seconds in a pipe.</summary>
    public void Show(string what) => Show(false, () => what);

    /// <summary>Takes the rewriting line away, so that a result can be printed in its place.</summary>
    public void Clear()
    {
        if (_open) { Console.Error.Write("\r\u001b[K"); }
        (_open, _shown) = (false, false);
    }

    /// <summary>Ends the rewriting line and prints a message.</summary>
    public void Say(string message)
    {
        Close();
        Console.Error.WriteLine(message);
    }

    /// <summary>Ends the rewriting line.</summary>
    public void Dispose() => Close();

    /// <summary>A time span as 1h02m, 3m05s or 12s.</summary>
    public static string Format(TimeSpan time) => time.TotalHours >= 1 ? $"{(int)time.TotalHours}h{time.Minutes:D2}m" : time.TotalMinutes >= 1 ? $"{time.Minutes}m{time.Seconds:D2}s" : $"{time.Seconds}s";

    private static string TrainLine(TrainProgress p)
    {
        StepFigures f = p.Figures;
        string share = f.ShareOfPeak is { } mfu ? $" ({Units.Percent(mfu)} of peak)" : "";
        return string.Create(CultureInfo.InvariantCulture, $"step {p.Step}/{p.Total} | loss {p.Result.Loss:F4} | norm {p.Result.GradientNorm:F3} | lr {p.Result.LearningRate:E1} | {f.SamplesPerSecond:F1} samples/s, {f.TokensPerSecond:F0} tokens/s | {Units.Flops(f.FlopsPerSecond, "/s")}{share}")
            + $" | memory {Units.Bytes(f.MemoryBytes)}, peak {Units.Bytes(f.PeakMemoryBytes)}, planned {Units.Bytes(f.PlannedMemoryBytes)} | data wait {Units.Percent(f.DataWait)} | {Format(f.Remaining)} left";
    }

    private void Show(bool last, Func<string> text)
    {
        if (_shown && !last && _sinceLast.Elapsed < (_terminal ? TerminalInterval : PipeInterval)) { return; }
        _shown = true;
        _sinceLast.Restart();
        if (!_terminal)
        {
            Console.Error.WriteLine(text());
            return;
        }
        Console.Error.Write($"\r{text()}\u001b[K");
        _open = true;
        if (last) { Close(); }
    }

    private void Close()
    {
        if (_open) { Console.Error.WriteLine(); }
        _open = false;
    }
}
