using System.Text;
using I2M.Kernels;
using I2M.Model.Audio;

namespace I2M.Model.Data.Speech;

/// <summary>
/// Any program that turns a text into a WAV, such as <c>piper --model voice.onnx --output_file {output}</c>. The command is cut into words at spaces (quotes
/// keep words together) and run without a shell; then <c>{text}</c>, <c>{voice}</c> and <c>{output}</c> are filled in. Without <c>{text}</c> the text goes to
/// standard input, without <c>{output}</c> the WAV is expected on standard output.
/// </summary>
public sealed class CommandSynthesizer : ISpeechSynthesizer
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(60);
    private readonly ChildProgram _child;
    private readonly string[] _arguments;
    private readonly bool _textInArguments, _outputInArguments;

    /// <param name="command">The command line with placeholders.</param>
    /// <param name="voices">Values for <c>{voice}</c>; one voice when null.</param>
    /// <param name="timeout">How long one call may take, 60 seconds unless given.</param>
    /// <exception cref="I2MException">The command is empty, ends within quotes, has an unknown placeholder, or there are several voices and no <c>{voice}</c>.</exception>
    public CommandSynthesizer(string command, IReadOnlyList<string>? voices = null, TimeSpan? timeout = null)
    {
        string[] words = Split(command);
        if (words.Length == 0) throw new I2MException("voice command: empty, expected a program");
        Voices = voices is { Count: > 0 } ? voices : ["default"];
        _arguments = words[1..];
        _textInArguments = _arguments.Any(a => a.Contains("{text}", StringComparison.Ordinal));
        _outputInArguments = _arguments.Any(a => a.Contains("{output}", StringComparison.Ordinal));
        if (Voices.Count > 1 && !_arguments.Any(a => a.Contains("{voice}", StringComparison.Ordinal)))
            throw new I2MException($"voice command: {Voices.Count} voices, expected {{voice}} in '{command}'");
        _child = new ChildProgram($"voice command {Path.GetFileName(words[0])}", words[0], timeout ?? DefaultTimeout, "expected a program on the PATH");
        Name = command;
    }

    /// <summary>The command itself: it tells data sets of different programs apart.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Voices { get; }

    /// <inheritdoc/>
    public AudioClip Speak(string text, SpeechStyle style)
    {
        SpeechStyle.Check(this, text, style);
        string output = Path.Combine(Path.GetTempPath(), $"i2m-voice-{Guid.NewGuid():N}.wav");
        try
        {
            text = string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
            byte[] written = _child.Run(_arguments.Select(a => Fill(a, text, style.Voice, output)), _textInArguments ? "" : text + "\n");
            return Read(written, output);
        }
        finally
        {
            File.Delete(output);
        }
    }

    private AudioClip Read(byte[] written, string output)
    {
        try
        {
            if (_outputInArguments) return WavFile.Read(output);
            using MemoryStream stream = new(written);
            return WavFile.Read(stream, "standard output");
        }
        catch (BadFileException e)
        {
            throw new I2MException($"{_child.Name}: no WAV: {e.Message}", e);
        }
    }

    /// <summary>One pass, so that a text that holds "{output}" stays a text.</summary>
    private static string Fill(string argument, string text, string voice, string output)
    {
        StringBuilder filled = new();
        for (int i = 0; i < argument.Length;)
        {
            var (mark, value) = new[] { ("{text}", text), ("{voice}", voice), ("{output}", output) }
                .FirstOrDefault(p => string.CompareOrdinal(argument, i, p.Item1, 0, p.Item1.Length) == 0, (argument.Substring(i, 1), argument.Substring(i, 1)));
            filled.Append(value);
            i += mark.Length;
        }
        return filled.ToString();
    }

    private static string[] Split(string command)
    {
        List<string> words = [];
        StringBuilder? word = null;
        char quote = '\0';
        foreach (char c in command)
        {
            if (quote == '\0' && c is '"' or '\'') { quote = c; word ??= new(); }
            else if (c == quote) { quote = '\0'; }
            else if (quote == '\0' && char.IsWhiteSpace(c)) { Finish(); }
            else { (word ??= new()).Append(c); }
        }
        if (quote != '\0') throw new I2MException($"voice command: {quote} is not closed in '{command}'");
        Finish();
        return [.. words];

        void Finish()
        {
            if (word is not null) words.Add(word.ToString());
            word = null;
        }
    }
}
