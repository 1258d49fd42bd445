using System.CommandLine;
using System.CommandLine.Invocation;
using I2M.Kernels;

namespace I2M.Cli;

/// <summary>
/// Parses, runs and turns every outcome into an exit code: 0 success, 1 failure with one line on stderr, 2 wrong usage, 128 + n stopped by signal n (130 for Ctrl-C).
/// </summary>
internal static class CommandRunner
{
    public const int Failure = 1, Usage = 2, Interrupted = 130;

    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        ParseResult result = root.Parse(args);
        if (result.Errors.Count > 0)
        {
            foreach (var error in result.Errors) { Console.Error.WriteLine($"i2m: {error.Message}"); }
            Console.Error.WriteLine($"i2m: see: i2m {string.Join(' ', PathOf(result))} --help".Replace("  ", " ", StringComparison.Ordinal));
            return Usage;
        }
        // System.CommandLine's own handling of signals aborts the process at the second Ctrl-C, so it is switched off.
        var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        using StopSignals? signals = result.Action is AsynchronousCommandLineAction ? new StopSignals() : null;
        try
        {
            int code = await result.InvokeAsync(configuration, signals?.Token ?? CancellationToken.None).ConfigureAwait(false);
            return code == Interrupted ? signals?.ExitCode ?? code : code;
        }
        catch (I2MException e)
        {
            return Fail(e.Message);
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("i2m: stopped");
            return signals?.ExitCode ?? Interrupted;
        }
        catch (IOException e)
        {
            return Fail(e.Message);
        }
        catch (UnauthorizedAccessException e)
        {
            return Fail(e.Message);
        }
        catch (OutOfMemoryException)
        {
            return Fail("out of memory: use a smaller --preset or batch");
        }
        catch (Exception e) when (Environment.GetEnvironmentVariable("I2M_DEBUG") is null)
        {
            return Fail($"unexpected {e.GetType().Name}: {e.Message} (set I2M_DEBUG=1 for the whole report)");
        }
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine($"i2m: {message.ReplaceLineEndings(" ")}");
        return Failure;
    }

    private static IEnumerable<string> PathOf(ParseResult result)
    {
        var names = new Stack<string>();
        for (var command = result.CommandResult; command is not null; command = command.Parent as System.CommandLine.Parsing.CommandResult)
        {
            if (command.Command is not RootCommand) { names.Push(command.Command.Name); }
        }
        return names;
    }
}
