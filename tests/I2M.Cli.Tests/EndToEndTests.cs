using System.Text.Json;
using I2M.Model.Audio;
using I2M.Model.Training;
using Xunit;

namespace I2M.Cli.Tests;

/// <summary>Train, stop, be killed, resume and generate, as a user does, with a model so small that it takes a second.</summary>
public sealed class EndToEndTests(TinyData data) : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    private static void AssertSame(string expected, string actual) => Assert.Equal(File.ReadAllBytes(expected), File.ReadAllBytes(actual));

    private static int NewestStep(string run) => new RunFolder(run).Checkpoints() is [var (step, _), ..] ? step : 0;

    [Fact]
    public void TwoRunsAreEqualToTheBit()
    {
        CliProcess.Run(data.TrainWords(_scratch.File("run"), "--steps", "6", "--save-every", "3", "--threads", "1")).Succeeded();
        AssertSame(data.Checkpoint, _scratch.File("run/checkpoints/step-000006.safetensors"));
        AssertSame(data.File("run/best.safetensors"), _scratch.File("run/best.safetensors"));
    }

    [Fact]
    public void ARunThatWasStoppedGoesOnToTheBit()
    {
        string run = _scratch.File("run");
        CliResult first = CliProcess.Run(data.TrainWords(run, "--steps", "6", "--save-every", "3", "--stop-at", "3")).Succeeded();
        Assert.Contains("--resume", first.Out);
        Assert.Equal(3, NewestStep(run));
        CliProcess.Run("train", "--data", data.Pairs, "--out", run, "--device", "host", "--resume").Succeeded();
        AssertSame(data.Checkpoint, _scratch.File("run/checkpoints/step-000006.safetensors"));
        Assert.Equal(Steps(data.File("run/train.jsonl")), Steps(_scratch.File("run/train.jsonl")));
    }

    [Fact]
    public void ARunMayGoOnWithRecomputation()
    {
        string run = _scratch.File("run");
        CliProcess.Run(data.TrainWords(run, "--steps", "6", "--save-every", "3", "--stop-at", "3")).Succeeded();
        CliProcess.Run("train", "--data", data.Pairs, "--out", run, "--device", "host", "--resume", "--recompute").Succeeded();
        double[] expected = Losses(data.File("run/train.jsonl"));
        Assert.NotEmpty(expected);
        Assert.Equal(expected, Losses(_scratch.File("run/train.jsonl")));
    }

    [Fact]
    public void ARunIsNotOverwritten() => CliProcess.Run(data.TrainWords(data.Run, "--steps", "6")).Refused(data.Run, "--resume");

    [Fact]
    public void ResumingWithOtherSettingsIsRefused() =>
        CliProcess.Run(data.TrainWords(data.Run, "--steps", "7", "--save-every", "3", "--resume")).Refused("settings", "\"steps\": 6 against \"steps\": 7");

    [Fact]
    public void ResumingInAnotherPrecisionIsRefused() =>
        CliProcess.Run("train", "--data", data.Pairs, "--out", data.Run, "--device", "host", "--resume", "--precision", "bf16").Refused("settings", "\"precision\": \"f32\" against \"precision\": \"bf16\"");

    [Fact]
    public void BFloat16TrainsResumesAndSpeaks()
    {
        string straight = _scratch.File("straight"), stopped = _scratch.File("stopped"), wav = _scratch.File("a.wav");
        CliResult whole = CliProcess.Run(data.TrainWords(straight, "--steps", "6", "--save-every", "3", "--precision", "bf16")).Succeeded();
        Assert.Contains("saves memory but not time on host", whole.Error);
        CliProcess.Run(data.TrainWords(stopped, "--steps", "6", "--save-every", "3", "--stop-at", "3", "--precision", "bf16")).Succeeded();
        CliProcess.Run("train", "--data", data.Pairs, "--out", stopped, "--device", "host", "--resume").Succeeded();
        AssertSame(_scratch.File("straight/checkpoints/step-000006.safetensors"), _scratch.File("stopped/checkpoints/step-000006.safetensors"));
        CliProcess.Run("generate", "-m", straight, "-i", data.Picture, "-o", wav, "--device", "host", "--steps", "2", "--precision", "bf16").Succeeded();
        Assert.True(new FileInfo(wav).Length > 1000);
    }

    [Fact]
    public void InterruptSavesAndEndsWith130()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "signals of Linux");
        string run = _scratch.File("run");
        string[] words = data.TrainWords(run, "--steps", "100000", "--save-every", "50000");
        using (CliProcess process = CliProcess.Start(words, "step "))
        {
            process.WaitForLine();
            process.Send(CliProcess.Interrupt);
            CliResult result = process.End(TimeSpan.FromSeconds(20));
            Assert.True(result.ExitCode == 130, $"exit {result.ExitCode}\n{result.Error}");
            Assert.Empty(result.Complaints);
            Assert.Contains("continue with --resume", result.Out);
        }
        int step = NewestStep(run);
        Assert.True(step > 0);
        CliProcess.Run([.. words, "--resume", "--stop-at", $"{step + 2}"]).Succeeded();
        Assert.Equal(step + 2, NewestStep(run));
    }

    [Fact]
    public void TheTerminationSignalSavesAndEndsWith143()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "signals of Linux");
        using CliProcess process = CliProcess.Start(data.TrainWords(_scratch.File("run"), "--steps", "100000", "--save-every", "50000"), "step ");
        process.WaitForLine();
        process.Send(CliProcess.Terminate);
        Assert.Equal(143, process.End(TimeSpan.FromSeconds(20)).ExitCode);
        Assert.True(NewestStep(_scratch.File("run")) > 0);
    }

    [Fact]
    public void TheSecondInterruptEndsAtOnce()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "signals of Linux");
        // A step of this model takes seconds.
        using CliProcess process = CliProcess.Start(["train", "--data", data.Pairs, "--preset", "small", "--batch", "64", "--device", "host", "--out", _scratch.File("run")], "objective: ");
        process.WaitForLine();
        process.Send(CliProcess.Interrupt);
        Thread.Sleep(300);
        process.Send(CliProcess.Interrupt);
        CliResult result = process.End(TimeSpan.FromSeconds(5));
        Assert.True(result.ExitCode == 130, $"exit {result.ExitCode}\n{result.Error}");
        Assert.Empty(result.Complaints);
    }

    [Fact]
    public void AKilledRunResumesToTheBit()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "signals of Linux");
        string run = _scratch.File("run"), whole = _scratch.File("whole");
        string[] More(params string[] more) => ["--steps", "100000", "--save-every", "2", .. more];
        var random = new Random(1);
        for (int i = 0, last = 0; i < 10; i++)
        {
            using CliProcess process = CliProcess.Start(data.TrainWords(run, More("--resume")), "step ");
            // Three kills fall anywhere in the start, the others among steps and saves.
            if (i % 3 != 2) { process.WaitForLine(); }
            Thread.Sleep(random.Next(0, 250));
            process.Send(CliProcess.Kill);
            process.End();
            int step = NewestStep(run);
            Assert.True(step >= last, $"step {step} after {last}");
            last = step;
        }
        int end = NewestStep(run) + 3;
        CliProcess.Run(data.TrainWords(run, More("--resume", "--stop-at", $"{end}"))).Succeeded();
        CliProcess.Run(data.TrainWords(whole, More("--stop-at", $"{end}"))).Succeeded();
        AssertSame(new RunFolder(whole).CheckpointPath(end), new RunFolder(run).CheckpointPath(end));
        Assert.Equal(Steps(new RunFolder(whole).LogPath), Steps(new RunFolder(run).LogPath));
        Assert.Empty(Directory.EnumerateFiles(run, "*.tmp-*", SearchOption.AllDirectories));
    }

    [Fact]
    public void GeneratedSpeechIsReadableAndRepeatable()
    {
        string first = _scratch.File("a.wav"), second = _scratch.File("b.wav");
        foreach (string wav in new[] { first, second })
        {
            CliResult result = CliProcess.Run("generate", "-m", data.Run, "-i", data.Picture, "-o", wav, "--steps", "2", "--device", "host").Succeeded();
            Assert.Equal(wav, result.Out.TrimEnd());
        }
        AssertSame(first, second);
        AudioClip clip = WavFile.Read(first);
        Assert.Equal(24000, clip.SampleRate);
        Assert.InRange(clip.Seconds, 2.9, 3.0);
        Assert.Contains("\"Steps\":2", WavFile.ReadComment(first));
        CliProcess.Run("generate", "-m", data.Run, "-i", data.Picture, "-o", first, "--device", "host").Refused(first, "--force");
    }

    [Fact]
    public void OneBadPictureAmongThreeDoesNotStopTheOthers()
    {
        File.Copy(data.Picture, _scratch.File("a.png"));
        _scratch.File("b.png", "no picture"u8);
        File.Copy(data.File("1.png"), _scratch.File("c.png"));
        CliResult result = CliProcess.Run("generate", "-m", data.Run, "-i", _scratch.Root, "-o", _scratch.File("out"), "--steps", "1", "--device", "host", "--json");
        result.Refused("b.png");
        using JsonDocument json = JsonDocument.Parse(result.Out);
        Assert.Equal(2, json.RootElement.GetProperty("written").GetArrayLength());
        Assert.Equal([_scratch.File("out/a.wav"), _scratch.File("out/c.wav")], Directory.GetFiles(_scratch.File("out")).Order(StringComparer.Ordinal));
    }

    private static int[] Steps(string log) => [.. File.ReadLines(log).Select(line =>
    {
        using JsonDocument entry = JsonDocument.Parse(line);
        return entry.RootElement.GetProperty("step").GetInt32();
    })];

    private static double[] Losses(string log) => [.. File.ReadLines(log).Select(line =>
    {
        using JsonDocument entry = JsonDocument.Parse(line);
        return entry.RootElement.TryGetProperty("loss", out JsonElement loss) ? loss.GetDouble() : entry.RootElement.GetProperty("validationLoss").GetDouble();
    })];
}
