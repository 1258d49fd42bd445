using System.Diagnostics;
using System.Runtime.InteropServices;
using Xunit;

namespace I2M.Cli.Tests;

/// <summary>How a run of the program ended.</summary>
internal sealed record CliResult(int ExitCode, string Out, string Error)
{
    private static readonly string[] Chatter = ["device ", "data: ", "model: ", "model ", "objective: ", "precision ", "reading pairs ", "voice: ", "vocoder", "Griffin-Lim", "seconds of speech", "step ", "resuming ", "pictures ", "bench ", "packing ", "verifying ", "batches "];

    /// <summary>What stderr says besides the device and progress.</summary>
    public string[] Complaints => [.. Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !Chatter.Any(c => line.StartsWith(c, StringComparison.Ordinal)))];

    /// <summary>Fails, with all that was printed, unless the program succeeded.</summary>
    public CliResult Succeeded()
    {
        Assert.True(ExitCode == 0, $"exit {ExitCode}\n{Out}\n{Error}");
        Assert.DoesNotContain('\u001b', Error + Out);
        return this;
    }

    /// <summary>Fails unless the program refused with exactly one line on stderr that holds every given word.</summary>
    public void Refused(params ReadOnlySpan<string> words)
    {
        Assert.True(ExitCode == 1, $"exit {ExitCode}\n{Out}\n{Error}");
        string line = Assert.Single(Complaints);
        Assert.StartsWith("i2m: ", line);
        Assert.DoesNotContain("   at ", Error);
        Assert.DoesNotContain("unexpected ", line);
        foreach (string word in words) { Assert.Contains(word, line); }
    }
}

/// <summary>The program as a child process, as a user runs it with both streams in pipes.</summary>
internal sealed class CliProcess : IDisposable
{
    public const int Interrupt = 2, Kill = 9, Terminate = 15;
    private readonly Process _process;
    private readonly Task<string> _out, _error;
    private readonly TaskCompletionSource _seen = new();

    private CliProcess(string[] args, string? stdin, IReadOnlyDictionary<string, string>? env, string? waitFor)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "i2m");
        var start = new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in env ?? new Dictionary<string, string>()) { start.Environment[name] = value; }
        _process = Process.Start(start)!;
        if (stdin is not null) { _process.StandardInput.Write(stdin); }
        _process.StandardInput.Close();
        _out = _process.StandardOutput.ReadToEndAsync();
        _error = ReadError(waitFor);
    }

    /// <summary>Runs the program to its end.</summary>
    /// <exception cref="TimeoutException">It did not end in time; it is killed.</exception>
    public static CliResult Run(IEnumerable<string> args, string? stdin = null, IReadOnlyDictionary<string, string>? env = null, TimeSpan? timeout = null)
    {
        using var process = new CliProcess([.. args], stdin, env, null);
        return process.End(timeout);
    }

    /// <summary>Runs the program with the given words.</summary>
    public static CliResult Run(params string[] args) => Run(args, null);

    /// <summary>Starts the program without waiting.</summary>
    /// <param name="args">Its words.</param>
    /// <param name="waitFor">Start of a line on stderr that <see cref="WaitForLine"/> waits for.</param>
    public static CliProcess Start(IEnumerable<string> args, string? waitFor = null) => new([.. args], null, null, waitFor);

    /// <summary>Waits until the line was printed.</summary>
    public void WaitForLine() => Assert.True(_seen.Task.Wait(TimeSpan.FromSeconds(30)), "the expected line was not printed within 30 s");

    /// <summary>Sends a signal.</summary>
    public void Send(int signal) => Assert.Equal(0, SendSignal(_process.Id, signal));

    /// <summary>Sends a signal unless the program has ended already.</summary>
    public bool TrySend(int signal) => SendSignal(_process.Id, signal) == 0;

    /// <summary>Waits for the end.</summary>
    public CliResult End(TimeSpan? timeout = null)
    {
        TimeSpan limit = timeout ?? TimeSpan.FromSeconds(60);
        if (!_process.WaitForExit(limit)) { throw new TimeoutException($"i2m did not end within {limit}"); }
        return new CliResult(_process.ExitCode, _out.GetAwaiter().GetResult(), _error.GetAwaiter().GetResult());
    }

    public void Dispose()
    {
        if (!_process.HasExited) { _process.Kill(entireProcessTree: true); }
        _process.Dispose();
    }

    private async Task<string> ReadError(string? waitFor)
    {
        var lines = new System.Text.StringBuilder();
        while (await _process.StandardError.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            lines.Append(line).Append('\n');
            if (waitFor is not null && line.StartsWith(waitFor, StringComparison.Ordinal)) { _seen.TrySetResult(); }
        }
        return lines.ToString();
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int process, int signal);
}
