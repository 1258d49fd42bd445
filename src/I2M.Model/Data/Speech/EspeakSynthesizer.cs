using I2M.Kernels;
using I2M.Model.Audio;

namespace I2M.Model.Data.Speech;

/// <summary>
/// espeak-ng as a child process, 22,050 Hz. It is GPL-3 and therefore run, not linked. The text goes through standard input, so it is only ever spoken.
/// </summary>
public sealed class EspeakSynthesizer : ISpeechSynthesizer
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);
    private readonly ChildProgram _child;

    /// <param name="program">The espeak-ng executable.</param>
    /// <param name="timeout">How long one call may take, 30 seconds unless given; a process that takes longer is killed.</param>
    public EspeakSynthesizer(string program, TimeSpan? timeout = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(program);
        _child = new ChildProgram("espeak-ng", program, timeout ?? DefaultTimeout, "install the package espeak-ng or use the built-in voice");
    }

    /// <summary>The executable that is run.</summary>
    public string Program => _child.Program;

    /// <inheritdoc/>
    public string Name => _child.Name;

    /// <summary>
    /// English accents with espeak's male (m), female (f) and named variants. The list is ours because espeak-ng silently speaks an
    /// unknown variant with the plain voice, and several of its variants sound alike; British variants hang on "en" because espeak-ng
    /// 1.51 ignores them on "en-gb".
    /// </summary>
    public IReadOnlyList<string> Voices { get; init; } =
    [
        "en-us", "en-us+m1", "en-us+m2", "en-us+m3", "en-us+m4", "en-us+m5", "en-us+m6", "en-us+m7", "en-us+f1", "en-us+f2", "en-us+f3", "en-us+f4",
        "en-gb", "en+m1", "en+m3", "en+m7", "en+f1", "en+f2", "en+f4", "en-gb-x-rp", "en-gb-x-rp+f2", "en-gb-x-rp+m3",
        "en-gb-scotland", "en-gb-scotland+f3", "en-gb-scotland+m4", "en-gb-x-gbclan", "en-gb-x-gbclan+f1", "en-gb-x-gbcwmd", "en-029", "en-029+f2",
        "en-us+Alex", "en-us+Andrea", "en-us+Annie", "en-us+adam", "en-us+aunty", "en-us+belinda", "en-us+boris", "en-us+david", "en-us+ed", "en-us+edward",
        "en-us+norbert", "en-us+iven", "en-us+john", "en-us+linda", "en-us+Lee", "en-us+max", "en-us+michel", "en-us+pablo", "en-us+paul", "en-us+pedro",
        "en-us+quincy", "en-us+robert", "en-us+sandro", "en-us+steph", "en-us+victor", "en-us+zac", "en-us+m8", "en-us+f5",
    ];

    /// <summary>Looks for espeak-ng on the PATH; null when it is not there.</summary>
    public static EspeakSynthesizer? TryFind() => ChildProgram.Find("espeak-ng") is { } program ? new(program) : null;

    /// <inheritdoc/>
    public AudioClip Speak(string text, SpeechStyle style)
    {
        SpeechStyle.Check(this, text, style);
        // "-b 1": the text is UTF-8.
        return EspeakWav.Parse(_child.Run(["-b", "1", "-v", style.Voice, "-s", $"{style.WordsPerMinute}", "-p", $"{style.Pitch}", "--stdin", "--stdout"], Plain(text)));
    }

    /// <summary>The text in the International Phonetic Alphabet, a line for each clause, as voices of other synthesisers were trained on.</summary>
    /// <param name="text">What is to be said.</param>
    /// <param name="language">One of espeak-ng's voices, such as "en-us".</param>
    /// <exception cref="I2MException">espeak-ng failed.</exception>
    public string Phonemes(string text, string language) =>
        System.Text.Encoding.UTF8.GetString(_child.Run(["-b", "1", "-v", language, "-q", "--ipa", "--stdin"], Plain(text)));

    /// <summary>Removes what espeak-ng would not read aloud as text: control characters, and "[[", which opens its phoneme notation.</summary>
    private static string Plain(string text) =>
        string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Replace("[[", "[ [", StringComparison.Ordinal) + "\n";
}
