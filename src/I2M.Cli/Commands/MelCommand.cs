using System.CommandLine;
using System.Globalization;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Evaluation.Plots;

namespace I2M.Cli.Commands;

/// <summary><c>i2m mel</c>: the log-mel of a sound, as a picture and as numbers.</summary>
internal static class MelCommand
{
    private static readonly Argument<string> Input = new("sound") { Description = "WAV, or FLAC, OGG, MP3, AIFF where libsndfile is installed." };
    private static readonly Option<string?> OutPng = new("--out-png") { Description = "Plot to write.", HelpName = "file.png" };
    private static readonly Option<string?> Out = new("--out", "-o") { Description = "Numbers to write: tensor mel, F32 [bands, frames].", HelpName = "file.safetensors" };
    private static readonly Option<int?> Frames = CommonOptions.OptionalInteger("--frames", "Pad with silence or cut to so many frames of 256 samples, as training does.", 2, MelFile.MaxFrames);
    private static readonly Option<bool> Force = CommonOptions.Force();
    private static readonly Option<string> Device = CommonOptions.Device();
    private static readonly Option<int> Threads = CommonOptions.Threads();

    public static Command Create()
    {
        var command = new Command("mel", "Compute the log-mel spectrogram of a sound.\n\nExamples:\n  i2m mel speech.wav --out-png speech.png\n  i2m mel speech.wav --out speech.safetensors --frames 280")
        {
            Input, OutPng, Out, Frames, Force, Device, Threads,
        };
        command.SetAction(int (ParseResult parse) => Run(parse));
        return command;
    }

    private static int Run(ParseResult parse)
    {
        string input = parse.GetRequiredValue(Input);
        string? png = parse.GetValue(OutPng), tensors = parse.GetValue(Out);
        string[] outputs = [.. new[] { png, tensors }.OfType<string>()];
        if (outputs.Length == 0) { throw new I2MException("mel: nothing to write: expected --out, --out-png or both"); }
        foreach (string output in outputs) { CommonOptions.RequireFree(output, parse.GetValue(Force)); }
        MelSettings settings = new();
        AudioClip clip = AudioLoader.Load(input, settings.SampleRate);
        using IBackend backend = CommonOptions.OpenBackend(parse.GetValue(Device)!, parse.GetValue(Threads));
        MelFile mel = Compute(backend, input, clip, settings, parse.GetValue(Frames));
        if (tensors is not null) { mel.Write(tensors); }
        if (png is not null) { MelPlot.Save(png, mel.Values, mel.Bands, mel.Frames, Path.GetFileName(input)); }
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{input}: {clip.Seconds:F2} s, {mel.Bands} bands × {mel.Frames} frames, {mel.Values.Min():F2} to {mel.Values.Max():F2}"));
        foreach (string output in outputs) { Console.WriteLine(output); }
        return 0;
    }

    /// <summary>The mel of a whole clip, or of as many frames as are asked for.</summary>
    /// <exception cref="BadFileException">The clip is too short to be analysed as it is.</exception>
    public static MelFile Compute(IBackend backend, string path, AudioClip clip, MelSettings settings, int? frames)
    {
        if (frames is { } count)
        {
            using var extractor = new MelExtractor(backend, settings, count);
            return new MelFile(extractor.FromClip(clip), settings.Bands, count, settings);
        }
        if (clip.Samples.Length <= settings.Pad) { throw new BadFileException(path, $"{clip.Samples.Length} samples at {settings.SampleRate} Hz: expected more than {settings.Pad} (i2m mel --frames pads)"); }
        using var spectrogram = new MelSpectrogram(backend, settings);
        return new MelFile(spectrogram.Compute(clip.Samples), settings.Bands, settings.FrameCount(clip.Samples.Length), settings);
    }
}
