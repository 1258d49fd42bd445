using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using I2M.Kernels;

namespace I2M.Model.Data.Speech;

/// <summary>
/// A program that is run for one text: arguments as a list and no shell, so that quotes, leading dashes and <c>$(…)</c> mean nothing. Its time is limited.
/// </summary>
/// <param name="Name">The name in messages.</param>
/// <param name="Program">The executable.</param>
/// <param name="Timeout">A process that takes longer is killed.</param>
/// <param name="Advice">What a user can do when it cannot be run.</param>
internal sealed record ChildProgram(string Name, string Program, TimeSpan Timeout, string Advice)
{
    /// <summary>Runs it to its end and gives what it wrote to standard output.</summary>
    /// <param name="arguments">Words of the command line.</param>
    /// <param name="input">Standard input, UTF-8.</param>
    /// <exception cref="I2MException">It cannot be run, fails, or takes too long.</exception>
    public byte[] Run(IEnumerable<string> arguments, string input)
    {
        using Process process = Start(arguments);
        using CancellationTokenSource limit = new(Timeout);
        using MemoryStream result = new();
        // All three pipes move at once: a full pipe on either side would otherwise stop both processes for ever.
        Task feed = Feed(process, input, limit.Token);
        Task output = process.StandardOutput.BaseStream.CopyToAsync(result, limit.Token);
        Task<string> errors = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            Task.WhenAll(feed, output, errors, process.WaitForExitAsync(limit.Token)).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new I2MException($"{Name}: no answer within {Timeout.TotalSeconds:0.#} s ({Program})");
        }
        if (process.ExitCode != 0)
            throw new I2MException($"{Name}: exit code {process.ExitCode}: {FirstLine(errors.Result)} ({Program})");
        return result.ToArray();
    }

    /// <summary>The file of this name in a folder of the PATH; null when there is none.</summary>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? name + ".exe" : name))
            .FirstOrDefault(File.Exists);

    private Process Start(IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(Program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        try
        {
            return Process.Start(start) ?? throw new I2MException($"{Name}: '{Program}' did not start");
        }
        catch (Exception error) when (error is Win32Exception or IOException)
        {
            throw new I2MException($"{Name}: cannot run '{Program}': {FirstLine(error.Message)}; {Advice}", error);
        }
    }

    private static async Task Feed(Process process, string text, CancellationToken cancellation)
    {
        try
        {
            await process.StandardInput.WriteAsync(text.AsMemory(), cancellation).ConfigureAwait(false);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program ended without reading: its exit code and its output say more than the broken pipe.
        }
    }

    private static string FirstLine(string message)
    {
        string line = message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault() ?? "no message";
        return line.Length > 200 ? line[..200] + "…" : line;
    }
}
