using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Data.Speech;

namespace I2M.Cli.Commands;

/// <summary><c>i2m data speech</c>: speech of many voices to train a vocoder on.</summary>
internal static class DataSpeechCommand
{
    private static readonly Option<string> Out = new("--out", "-o") { Description = "New folder for the sound files.", Required = true, HelpName = "folder" };
    private static readonly Option<double> Minutes = CommonOptions.Number("--minutes", "Minutes of speech.", 60, 0.01, 100_000);
    private static readonly Option<bool> HeldOut = new("--held-out") { Description = "Speak with the voices that are never trained on, to judge by." };
    private static readonly Option<ulong> Seed = CommonOptions.Seed("voices, manners and sentences");
    private static readonly Option<bool> Json = CommonOptions.Json();

    public static Command Create()
    {
        var command = new Command("speech", "Speak random sentences with many espeak-ng voices, speeds and pitches.\n\nExample:\n  i2m data speech --out speech --minutes 60 --seed 1") { Out, Minutes, HeldOut, Seed, Json };
        command.SetAction(Run);
        return command;
    }

    private static Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        EspeakSynthesizer espeak = EspeakSynthesizer.TryFind() ?? throw new I2MException("data speech: espeak-ng was not found on the PATH: install the package espeak-ng");
        using var progress = new ProgressLine();
        SpeechCorpusResult result = SpeechCorpus.Build(parse.GetRequiredValue(Out), espeak.Program, parse.GetValue(Minutes), parse.GetValue(Seed), parse.GetValue(HeldOut), (done, total) => progress.Show("seconds of speech", done, total), cancel);
        progress.Dispose();
        Console.WriteLine(parse.GetValue(Json)
            ? JsonSerializer.Serialize(new { clips = result.Clips, seconds = result.Seconds, voices = result.Voices })
            : string.Create(CultureInfo.InvariantCulture, $"{result.Clips} clips, {result.Seconds / 60:F1} minutes, {result.Voices} voices in {parse.GetRequiredValue(Out)}"));
        return Task.FromResult(0);
    }
}
