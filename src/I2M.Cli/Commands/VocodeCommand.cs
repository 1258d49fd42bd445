using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Evaluation;
using I2M.Model.Evaluation.Plots;

namespace I2M.Cli.Commands;

/// <summary><c>i2m vocode</c>: a log-mel in, sound out; of a sound, the round trip through its mel; measured and judged.</summary>
internal static class VocodeCommand
{
    private static readonly Argument<string> Input = new("input") { Description = "A sound (round trip through its mel), or a .safetensors file with a tensor mel [bands, frames]." };
    private static readonly Option<string> Out = new("--out", "-o") { Description = "WAV to write.", Required = true, HelpName = "file.wav" };
    private static readonly Option<bool> Plot = new("--plot") { Description = "Also plot the mel, the mel of the result and their difference beside the WAV (.png)." };
    private static readonly Option<string?> Vocoder = CommonOptions.Vocoder();
    private static readonly Option<bool> Float = CommonOptions.Float();
    private static readonly Option<bool> Force = CommonOptions.Force();
    private static readonly Option<string> Device = CommonOptions.Device();
    private static readonly Option<int> Threads = CommonOptions.Threads();
    private static readonly Option<bool> Json = CommonOptions.Json();

    public static Command Create()
    {
        var command = new Command("vocode", "Turn a log-mel into sound, or a sound into its mel and back; measure what comes back and judge it: MAE below 0.2, correlation above 0.99, SNR above 20 dB.\n\nExamples:\n  i2m vocode speech.wav --out again.wav --plot\n  i2m vocode mel.safetensors --out speech.wav --vocoder vocos-mel-24khz")
        {
            Input, Out, Plot, Vocoder, Float, Force, Device, Threads, Json,
        };
        command.SetAction(int (ParseResult parse) => Run(parse));
        return command;
    }

    private static int Run(ParseResult parse)
    {
        string input = parse.GetRequiredValue(Input), output = parse.GetRequiredValue(Out);
        string? plot = parse.GetValue(Plot) ? Path.ChangeExtension(output, ".png") : null;
        CommonOptions.RequireFree(output, parse.GetValue(Force));
        if (plot is not null) { CommonOptions.RequireFree(plot, parse.GetValue(Force)); }
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
        var clock = Stopwatch.StartNew();
        float[] wave = vocoder.Decode(mel.Values, mel.Frames);
        double seconds = (double)wave.Length / settings.SampleRate, realTime = seconds / clock.Elapsed.TotalSeconds;
        string comment = JsonSerializer.Serialize(new { program = "i2m", vocoded = Path.GetFileName(input), vocoder = vocoder.Name });
        string? warning = CommonOptions.WriteWav(output, new AudioClip(wave, settings.SampleRate), parse.GetValue(Float), comment);
        RoundTrip? trip = RoundTrip.Measure(backend, settings, mel.Values, wave);
        if (trip is null) { plot = null; }
        if (plot is not null) { MelPlot.SaveComparison(plot, trip!.Mel, trip.Again, settings, trip.Frames, Path.GetFileName(input), $"decoded by {vocoder.Name}"); }
        if (parse.GetValue(Json)) { PrintJson(output, plot, vocoder.Name, seconds, realTime, warning, trip); }
        else { Print(output, plot, seconds, realTime, trip); }
        return 0;
    }

    private static void PrintJson(string output, string? plot, string voice, double seconds, double realTime, string? warning, RoundTrip? trip) =>
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            written = output,
            plot,
            voice,
            seconds,
            realTime,
            warning,
            mae = trip?.Metrics.MeanAbsoluteError,
            mse = trip?.Metrics.MeanSquaredError,
            maxDifference = trip?.Metrics.MaxDifference,
            snr = CommonOptions.Finite(trip?.Metrics.SignalToNoise),
            correlation = CommonOptions.Finite(trip?.Metrics.Correlation),
            faithful = trip is null ? (bool?)null : trip.Failures.Count == 0,
            failures = trip?.Failures,
        }));

    private static void Print(string output, string? plot, double seconds, double realTime, RoundTrip? trip)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{seconds:F2} s decoded, {realTime:F0} times real time"));
        if (trip is null) { Console.WriteLine("too short to be analysed again: not measured"); }
        else
        {
            MelMetrics m = trip.Metrics;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"mel round trip: MAE {m.MeanAbsoluteError:F4}, MSE {m.MeanSquaredError:F4}, max {m.MaxDifference:F3}, SNR {m.SignalToNoise:F2} dB, correlation {m.Correlation:F5}"));
            Console.WriteLine(trip.Verdict);
        }
        if (plot is not null) { Console.WriteLine(plot); }
        Console.WriteLine(output);
    }
}
