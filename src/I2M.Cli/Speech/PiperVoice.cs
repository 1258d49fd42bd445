using System.Collections.Concurrent;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data.Speech;
using Microsoft.ML.OnnxRuntime;

namespace I2M.Cli.Speech;

/// <summary>
/// A Piper voice (VITS): espeak-ng gives the phonemes, the ONNX model the waveform. Its two noise inputs are 0, so that a text is always spoken alike; the
/// variety of a data set comes from speakers, speeds and pitches.
/// </summary>
internal sealed class PiperVoice : ISpeechSynthesizer, IDisposable
{
    private const int NormalWordsPerMinute = 175;
    private readonly string _path;
    private readonly PiperConfig _config;
    private readonly EspeakSynthesizer _espeak;
    private readonly InferenceSession _session;
    private readonly ConcurrentDictionary<string, string> _phonemes = new();
    private readonly bool _manySpeakers;

    private PiperVoice(string path, PiperConfig config, EspeakSynthesizer espeak, InferenceSession session)
    {
        (_path, _config, _espeak, _session) = (path, config, espeak, session);
        _manySpeakers = session.InputMetadata.ContainsKey("sid");
        string stem = Path.GetFileNameWithoutExtension(path);
        Name = stem;
        Voices = [.. config.Speakers.Select(s => s.Name.Length == 0 ? stem : $"{stem}#{s.Name}")];
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Voices { get; }

    /// <summary>Opens VOICE.onnx and VOICE.onnx.json.</summary>
    /// <exception cref="I2MException">A file is missing or no Piper voice, or espeak-ng is not installed.</exception>
    public static PiperVoice Open(string path)
    {
        if (!File.Exists(path)) { throw new BadFileException(path, "no such file"); }
        PiperConfig config = PiperConfig.Load(path + ".json");
        EspeakSynthesizer espeak = EspeakSynthesizer.TryFind() ?? throw new I2MException("--piper: espeak-ng gives Piper voices their phonemes: install the package espeak-ng");
        InferenceSession session = OpenModel(path);
        string[] inputs = config.Speakers.Count > 1 ? ["input", "input_lengths", "scales", "sid"] : ["input", "input_lengths", "scales"];
        if (inputs.FirstOrDefault(name => !session.InputMetadata.ContainsKey(name)) is { } missing)
        {
            session.Dispose();
            throw new BadFileException(path, $"no input {missing}, expected a Piper voice with {string.Join(", ", inputs)}");
        }
        return new PiperVoice(path, config, espeak, session);
    }

    /// <inheritdoc/>
    public AudioClip Speak(string text, SpeechStyle style)
    {
        int voice = Voices.ToList().IndexOf(style.Voice);
        if (voice < 0) { throw new I2MException($"{Name}: voice: '{style.Voice}' is unknown, expected one of {string.Join(", ", Voices)}"); }
        string phonemes = _phonemes.GetOrAdd(text, t => string.Join(", ", _espeak.Phonemes(t, _config.Language).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));
        float[] samples = Run(_config.Encode(phonemes), _config.LengthScale * NormalWordsPerMinute / style.WordsPerMinute, _config.Speakers[voice].Id);
        int bad = Array.FindIndex(samples, s => !float.IsFinite(s));
        if (samples.Length == 0 || bad >= 0) { throw new BadFileException(_path, samples.Length == 0 ? $"said nothing for '{text}'" : $"sample {bad} is {samples[bad]}"); }
        return new AudioClip(samples, _config.SampleRate);
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    private float[] Run(long[] ids, float lengthScale, long speaker)
    {
        using var input = OrtValue.CreateTensorValueFromMemory(ids, [1, ids.Length]);
        using var lengths = OrtValue.CreateTensorValueFromMemory(new long[] { ids.Length }, [1]);
        using var scales = OrtValue.CreateTensorValueFromMemory(new[] { 0f, lengthScale, 0f }, [3]);
        using var sid = OrtValue.CreateTensorValueFromMemory(new[] { speaker }, [1]);
        var inputs = new Dictionary<string, OrtValue> { ["input"] = input, ["input_lengths"] = lengths, ["scales"] = scales };
        if (_manySpeakers) { inputs["sid"] = sid; }
        try
        {
            using var options = new RunOptions();
            using IDisposableReadOnlyCollection<OrtValue> outputs = _session.Run(options, inputs, [_session.OutputNames[0]]);
            return outputs.First().GetTensorDataAsSpan<float>().ToArray();
        }
        catch (OnnxRuntimeException e)
        {
            throw new BadFileException(_path, "cannot be run: " + e.Message.ReplaceLineEndings(" "), e);
        }
    }

    /// <summary>From memory: a model whose weights lie in other files cannot name files outside its folder.</summary>
    private static InferenceSession OpenModel(string path)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        try
        {
            return new InferenceSession(File.ReadAllBytes(path), options);
        }
        catch (Exception e) when (e is OnnxRuntimeException or IOException)
        {
            throw new BadFileException(path, "is no ONNX model that can be run: " + e.Message.ReplaceLineEndings(" "), e);
        }
    }
}
