using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Evaluation;

namespace I2M.Cli.Commands;

/// <summary><c>i2m vocode</c>: a log-mel in, sound out; of a sound, the round trip through its mel, measured.</summary>
internal static class VocodeCommand
{
    private static readonly Argument<string> Input = new("input") { Description = "A sound (round trip through its mel), or a .safetensors file with a tensor mel [bands, frames]." };
    private static readonly Option<string> Out = new("--out", "-o") { Description = "WAV to write.", Required = true, HelpName = "file.wav" };
    private static readonly Option<string?> Vocoder = CommonOptions.Vocoder();
    private static readonly Option<bool> Force = CommonOptions.Force();
    private static readonly Option<string> Device = CommonOptions.Device();
    private static readonly Option<int> Threads = CommonOptions.Threads();
    private static readonly Option<bool> Json = CommonOptions.Json();

    public static Command Create()
    {
        var command = new Command("vocode", "Turn a log-mel into sound; of a sound, measure the round trip through its mel.\n\nExamples:\n  i2m vocode mel.safetensors --out speech.wav --vocoder vocos-mel-24khz\n  i2m vocode speech.wav --out again.wav")
        {
            Input, Out, Vocoder, Force, Device, Threads, Json,
        };
        command.SetAction(int (ParseResult parse) => Run(parse));
        return command;
    }

    private static int Run(ParseResult parse)
    {
        string input = parse.GetRequiredValue(Input), output = parse.GetRequiredValue(Out);
        CommonOptions.RequireFree(output, parse.GetValue(Force));
        bool isMel = input.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase);
        MelFile? given = isMel ? MelFile.Read(input) : null;
        // The voice's sample rate is known once it is open; a file that is no sound is found before that.
        AudioClip? clip = isMel ? null : AudioLoader.Load(input);
        using IBackend backend = CommonOptions.OpenBackend(parse.GetValue(Device)!, parse.GetValue(Threads));
        using IVocoder vocoder = Vocoders.Open(backend, parse.GetValue(Vocoder), given?.Settings);
        MelSettings settings = vocoder.Settings;
        Console.Error.WriteLine($"voice: {vocoder.Name}");
        if (clip is not null && clip.SampleRate != settings.SampleRate) { clip = AudioLoader.Load(input, settings.SampleRate); }
        MelFile mel = given ?? MelCommand.Compute(backend, input, clip!, settings, frames: null);
        if (mel.Bands != settings.Bands) { throw new BadFileException(input, $"tensor 'mel': {mel.Bands} bands: expected the voice's {settings.Bands}"); }
        float[] wave = vocoder.Decode(mel.Values, mel.Frames);
        WavFile.Write(output, new AudioClip(wave, settings.SampleRate), comment: JsonSerializer.Serialize(new { program = "i2m", vocoded = Path.GetFileName(input), vocoder = vocoder.Name }));
        Report(parse.GetValue(Json), output, vocoder.Name, (double)wave.Length / settings.SampleRate, given is null ? RoundTrip(backend, output, mel, wave, settings) : null);
        return 0;
    }

    /// <summary>The mel of the decoded wave against the one it was decoded from, over the frames that both have.</summary>
    private static MelMetrics RoundTrip(IBackend backend, string output, MelFile mel, float[] wave, MelSettings settings)
    {
        MelFile again = MelCommand.Compute(backend, output, new AudioClip(wave, settings.SampleRate), settings, frames: null);
        int frames = Math.Min(mel.Frames, again.Frames);
        return MelMetrics.Compare(Cut(mel, frames), Cut(again, frames));
    }

    private static float[] Cut(MelFile mel, int frames)
    {
        if (frames == mel.Frames) { return mel.Values; }
        var values = new float[mel.Bands * frames];
        for (int b = 0; b < mel.Bands; b++) { mel.Values.AsSpan(b * mel.Frames, frames).CopyTo(values.AsSpan(b * frames)); }
        return values;
    }

    private static void Report(bool json, string output, string voice, double seconds, MelMetrics? m)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new
            {
                written = output,
                voice,
                seconds,
                mae = m?.MeanAbsoluteError,
                mse = m?.MeanSquaredError,
                maxDifference = m?.MaxDifference,
                snr = CommonOptions.Finite(m?.SignalToNoise),
                correlation = CommonOptions.Finite(m?.Correlation),
            }));
            return;
        }
        if (m is not null)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"mel round trip: MAE {m.MeanAbsoluteError:F4}, MSE {m.MeanSquaredError:F4}, max {m.MaxDifference:F3}, SNR {m.SignalToNoise:F2} dB, correlation {m.Correlation:F5}"));
        }
        Console.WriteLine(output);
    }
}
