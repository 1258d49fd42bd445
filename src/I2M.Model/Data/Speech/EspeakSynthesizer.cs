using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using I2M.Kernels;
using I2M.Model.Audio;

namespace I2M.Model.Data.Speech;

/// <summary>
/// espeak-ng as a child process, 22,050 Hz. It is GPL-3 and therefore run, not linked. No shell is involved: arguments go as a list and the text
/// through standard input, so quotes, leading dashes and <c>$(…)</c> are only ever spoken.
/// </summary>
public sealed class EspeakSynthesizer : ISpeechSynthesizer
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);
    private readonly TimeSpan timeout;

    /// <param name="program">The espeak-ng executable.</param>
    /// <param name="timeout">How long one call may take, 30 seconds unless given; a process that takes longer is killed.</param>
    public EspeakSynthesizer(string program, TimeSpan? timeout = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(program);
        Program = program;
        this.timeout = timeout ?? DefaultTimeout;
    }

    /// <summary>The executable that is run.</summary>
    public string Program { get; }

    /// <inheritdoc/>
    public string Name => "espeak-ng";

    /// <summary>
    /// English accents with espeak's male (m) and female (f) variants. The list is ours because espeak-ng silently speaks an
    /// unknown variant with the plain voice; British variants hang on "en" because espeak-ng 1.51 ignores them on "en-gb".
    /// </summary>
    public IReadOnlyList<string> Voices { get; init; } =
    [
        "en-us", "en-us+m1", "en-us+m2", "en-us+m3", "en-us+m4", "en-us+m5", "en-us+m6", "en-us+m7", "en-us+f1", "en-us+f2", "en-us+f3", "en-us+f4",
        "en-gb", "en+m1", "en+m3", "en+m7", "en+f1", "en+f2", "en+f4", "en-gb-x-rp", "en-gb-x-rp+f2", "en-gb-x-rp+m3",
        "en-gb-scotland", "en-gb-scotland+f3", "en-gb-scotland+m4", "en-gb-x-gbclan", "en-gb-x-gbclan+f1", "en-gb-x-gbcwmd", "en-029", "en-029+f2",
    ];

    /// <summary>Looks for espeak-ng on the PATH; null when it is not there.</summary>
    public static EspeakSynthesizer? TryFind()
    {
        string name = OperatingSystem.IsWindows() ? "espeak-ng.exe" : "espeak-ng";
        string? program = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
        return program is null ? null : new(program);
    }

    /// <inheritdoc/>
    public AudioClip Speak(string text, SpeechStyle style)
    {
        SpeechStyle.Check(this, text, style);
        return EspeakWav.Parse(Run(Plain(text), style));
    }

    /// <summary>Removes what espeak-ng would not read aloud as text: control characters, and "[[", which opens its phoneme notation.</summary>
    private static string Plain(string text) =>
        string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Replace("[[", "[ [", StringComparison.Ordinal) + "\n";

    private byte[] Run(string text, SpeechStyle style)
    {
        using Process process = Start(style);
        using CancellationTokenSource limit = new(timeout);
        using MemoryStream wav = new();
        // All three pipes move at once: a full pipe on either side would otherwise stop both processes for ever.
        Task input = Feed(process, text, limit.Token);
        Task output = process.StandardOutput.BaseStream.CopyToAsync(wav, limit.Token);
        Task<string> errors = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            Task.WhenAll(input, output, errors, process.WaitForExitAsync(limit.Token)).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new I2MException($"espeak-ng: no answer within {timeout.TotalSeconds:0.#} s ({Program})");
        }
        if (process.ExitCode != 0)
            throw new I2MException($"espeak-ng: exit code {process.ExitCode}: {FirstLine(errors.Result)} ({Program})");
        return wav.ToArray();
    }

    private Process Start(SpeechStyle style)
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
        // "-b 1": the text is UTF-8.
        string[] arguments = ["-b", "1", "-v", style.Voice, "-s", $"{style.WordsPerMinute}", "-p", $"{style.Pitch}", "--stdin", "--stdout"];
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        try
        {
            return Process.Start(start) ?? throw new I2MException($"espeak-ng: '{Program}' did not start");
        }
        catch (Exception error) when (error is Win32Exception or IOException)
        {
            string advice = "install the package espeak-ng or use the built-in voice";
            throw new I2MException($"espeak-ng: cannot run '{Program}': {FirstLine(error.Message)}; {advice}", error);
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
