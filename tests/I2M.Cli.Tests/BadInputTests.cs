using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using I2M.Kernels;
using I2M.Model.Io;
using I2M.Testing;
using Xunit;

namespace I2M.Cli.Tests;

/// <summary>Bad files and places: exit 1, one line that names the file, and nothing left behind.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly TinyData _data;
    private readonly Scratch _scratch = new();

    public BadInputTests(TinyData data) => _data = data;

    public void Dispose() => _scratch.Dispose();

    private string Out => _scratch.File("out.wav");

    /// <summary>Runs, expects a refusal that names the words, and finds the folder as it was.</summary>
    private void Refused(IEnumerable<string> args, params ReadOnlySpan<string> words)
    {
        _scratch.Remember();
        CliProcess.Run(args, timeout: TimeSpan.FromSeconds(20)).Refused(words);
        _scratch.AssertUnchanged();
    }

    private string[] Generate(string checkpoint, string picture, string? output = null) =>
        ["generate", "--checkpoint", checkpoint, "--image", picture, "--out", output ?? Out, "--steps", "1", "--device", "host"];

    private string[] Train(string pairs, params string[] more) => ["train", "--data", pairs, "--config", _data.Config, "--out", _scratch.File("run"), "--steps", "2", "--device", "host", .. more];

    [Fact]
    public void MissingPicture() => Refused(Generate(_data.Run, _scratch.File("none.jpg")), "none.jpg", "no such file");

    [Fact]
    public void TextAsPicture() => Refused(Generate(_data.Run, _scratch.File("text.jpg", "a cat"u8)), "text.jpg", "expected a JPEG");

    [Fact]
    public void CutPicture() => Refused(Generate(_data.Run, _scratch.File("cut.png", File.ReadAllBytes(_data.Picture).AsSpan(0, 300))), "cut.png");

    [Fact]
    public void CutJpeg()
    {
        byte[] whole = File.ReadAllBytes(Path.Combine(SharedData.Require(), "seed_examples", "images", "000.jpg"));
        Refused(Generate(_data.Run, _scratch.File("cut.jpg", whole.AsSpan(0, whole.Length / 2))), "cut.jpg", "damaged JPEG");
    }

    [Fact]
    public void FolderWithoutPictures() => Refused(Generate(_data.Run, _scratch.Root), "no picture");

    [Fact]
    public void FolderAsSound() => Refused(["vocode", _scratch.Root, "--out", Out], _scratch.Root, "folder");

    [Fact]
    public void EmptySound() => Refused(["vocode", _scratch.File("empty.wav", []), "--out", Out], "empty.wav", "empty");

    [Fact]
    public void SoundOfAHeaderAlone() => Refused(["vocode", _scratch.File("header.wav", File.ReadAllBytes(_data.Sound).AsSpan(0, 44)), "--out", Out], "header.wav", "no samples");

    [Fact]
    public void SoundTooShortToAnalyse()
    {
        string path = _scratch.File("short.wav");
        I2M.Model.Audio.WavFile.Write(path, new I2M.Model.Audio.AudioClip(new float[100], 24000));
        Refused(["mel", path, "--out", _scratch.File("mel.safetensors"), "--device", "host"], "short.wav", "expected more than");
    }

    [Fact]
    public void UnknownPrecision()
    {
        Refused([.. Train(_data.Pairs), "--precision", "fp8"], "--precision fp8", "expected one of f32, tf32, bf16");
        Refused([.. Generate(_data.Run, _data.Picture), "--precision", "BF16"], "--precision BF16", "expected one of f32, tf32, bf16");
    }

    [Fact]
    public void MelWithoutOutput() => Refused(["mel", _data.Sound], "--out-png");

    [Theory]
    [InlineData("{ not json", "not valid JSON")]
    [InlineData("[]", "empty list")]
    [InlineData("{}", "expected a list")]
    [InlineData("""[{"image":"/nowhere/a.jpg","audio":"/nowhere/a.wav"}]""", "2 of 2 files do not exist")]
    [InlineData("""[{"image":3,"audio":"a.wav"}]""", "image")]
    public void BadPairs(string json, string problem) => Refused(Train(_scratch.File("pairs.json", Encoding.UTF8.GetBytes(json))), "pairs.json", problem);

    [Fact]
    public void PairsOfAnotherMachine() => Refused(Train(Path.Combine(SharedData.Require(), "seed_examples", "pairs.json")), "pairs.json", "files do not exist");

    [Theory]
    [InlineData("{ \"batchSize\": 0 }", "batchSize")]
    [InlineData("{ \"batchsize\": 1 }", "batchsize")]
    [InlineData("{ \"model\": { \"hidden\": 10, \"heads\": 3 } }", "heads")]
    [InlineData("{ \"model\": null }", "model")]
    [InlineData("{ \"model\": { \"hidden\": 2000000000, \"heads\": 20000000 } }", "hidden")]
    [InlineData("{ \"model\": { \"melFrames\": 2000000000 } }", "melFrames")]
    [InlineData("{ \"model\": { \"imageSize\": 2147483640 } }", "imageSize")]
    [InlineData("{ \"mel\": { \"fftSize\": 1000 } }", "fftSize")]
    [InlineData("{ \"mel\": { \"hopLength\": 0 } }", "hopLength")]
    [InlineData("{ \"diffusion\": { \"steps\": 2000000000 } }", "2000000000")]
    [InlineData("[1]", "bad.json")]
    public void BadSettings(string json, string problem) =>
        Refused(["train", "--data", _data.Pairs, "--out", _scratch.File("run"), "--config", _scratch.File("bad.json", Encoding.UTF8.GetBytes(json))], "bad.json", problem);

    [Fact]
    public void BadSoundAmongThePairs()
    {
        _scratch.File("a.wav", "RIFF"u8);
        File.Copy(_data.Picture, _scratch.File("a.png"));
        Refused(Train(_scratch.File("pairs.json", """[{"image":"a.png","audio":"a.wav"}]"""u8)), "a.wav");
    }

    [Fact]
    public void BadPictureAmongThePairs()
    {
        _scratch.File("a.png", "no picture"u8);
        File.Copy(_data.Sound, _scratch.File("a.wav"));
        Refused(Train(_scratch.File("pairs.json", """[{"image":"a.png","audio":"a.wav"}]"""u8)), "a.png", "expected a JPEG");
    }

    [Fact]
    public void CheckpointWithATensorOfAnotherShape()
    {
        const string name = "ema.mel_proj.weight";
        Refused(Generate(Edited((tensor, shape) => tensor == name ? [.. shape.Reverse()] : shape), _data.Picture), "edited.safetensors", name, "shape");
    }

    [Fact]
    public void CheckpointWithoutATensor()
    {
        const string name = "ema.mel_proj.weight";
        Refused(Generate(Edited((tensor, shape) => tensor == name ? null : shape), _data.Picture), "edited.safetensors", name, "missing");
    }

    [Fact]
    public void CheckpointWithADamagedHeader()
    {
        byte[] bytes = File.ReadAllBytes(_data.Checkpoint);
        bytes[20] = 0xFF;
        Refused(Generate(_scratch.File("damaged.safetensors", bytes), _data.Picture), "damaged.safetensors", "header");
    }

    [Fact]
    public void CutCheckpoint() => Refused(Generate(_scratch.File("cut.safetensors", File.ReadAllBytes(_data.Checkpoint).AsSpan(0, 100_000)), _data.Picture), "cut.safetensors");

    [Fact]
    public void CheckpointWithAFlippedBit()
    {
        using SafetensorsFile file = SafetensorsFile.Open(_data.Checkpoint);
        byte[] bytes = File.ReadAllBytes(_data.Checkpoint);
        const string name = "ema.mel_proj.weight";
        bytes[8 + BitConverter.ToInt64(bytes) + file.Tensors[name].Begin + 17] ^= 1;
        Refused(Generate(_scratch.File("flipped.safetensors", bytes), _data.Picture), "flipped.safetensors", name, "checksum");
    }

    [Fact]
    public void OtherSafetensorsAsCheckpoint() => Refused(Generate(ReferenceData.Path("ops.safetensors"), _data.Picture), "ops.safetensors", "i2m.format");

    [Fact]
    public void OwnModelToTheOriginalsFormat() => Refused(["convert", _data.Checkpoint, _scratch.File("out.pt")], "--compat seed");

    [Theory]
    [InlineData("convert")]
    [InlineData("info")]
    public void PickleThatCallsTheSystem(string verb)
    {
        string proof = _scratch.File("proof"), command = $"touch {proof}";
        byte[] pickle = [0x80, 2, .. "cposix\nsystem\n("u8, (byte)'X', .. BitConverter.GetBytes(command.Length), .. Encoding.ASCII.GetBytes(command), .. "tR."u8];
        using (var zip = new ZipArchive(File.Create(_scratch.File("evil.pt")), ZipArchiveMode.Create))
        {
            using Stream entry = zip.CreateEntry("m/data.pkl", CompressionLevel.NoCompression).Open();
            entry.Write(pickle);
        }
        Refused(verb == "info" ? [verb, _scratch.File("evil.pt")] : [verb, _scratch.File("evil.pt"), _scratch.File("out.safetensors")], "evil.pt", "posix.system", "not allowed");
        Assert.False(File.Exists(proof));
    }

    [Fact]
    public void FolderThatCannotBeWritten()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "a folder of Linux's kernel");
        Refused(Generate(_data.Run, _data.Picture, "/proc/sys/x/out.wav"), "/proc/sys/x");
        Refused(["train", "--data", _data.Pairs, "--config", _data.Config, "--out", "/proc/sys/x", "--device", "host"], "/proc/sys/x");
    }

    [Fact]
    public void FullDisk()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "a file system in memory of Linux");
        string disk = Directory.CreateDirectory(_scratch.File("disk")).FullName;
        // Room for one checkpoint and a half.
        long size = new FileInfo(_data.Checkpoint).Length * 3 / 2 / 4096 * 4096;
        Assert.SkipUnless(Shell("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", disk) == 0, "no right to mount");
        try
        {
            string run = Path.Combine(disk, "run");
            CliProcess.Run(["train", "--data", _data.Pairs, "--config", _data.Config, "--out", run, "--steps", "6", "--save-every", "2", "--eval", "0", "--device", "host"]).Refused(run, "space");
            Assert.Equal(["step-000002.safetensors"], Directory.GetFiles(Path.Combine(run, "checkpoints")).Select(Path.GetFileName));
            CliProcess.Run("info", run).Succeeded();
        }
        finally
        {
            Shell("umount", disk);
        }
    }

    [Fact]
    public void DeviceThatIsNotThere()
    {
        Assert.SkipWhen(BackendSelector.List().Any(d => d.Option == "cuda"), "there is a CUDA device");
        Refused(["vocode", _data.Sound, "--out", Out, "--device", "cuda"], "--device cuda", "nvidia-smi");
    }

    [Fact]
    public void UnknownDevice() => Refused(["vocode", _data.Sound, "--out", Out, "--device", "tpu"], "--device tpu", "auto, host, opencl, cuda");

    [Theory]
    [InlineData("vocode", "--out")]
    [InlineData("mel", "--out")]
    [InlineData("mel", "--out-png")]
    public void OutputExists(string verb, string option)
    {
        string path = _scratch.File("old", "old"u8);
        Refused([verb, _data.Sound, option, path, "--device", "host"], path, "--force");
        Assert.Equal("old"u8, File.ReadAllBytes(path));
    }

    [Theory]
    [InlineData("info")]
    [InlineData("vocode")]
    [InlineData("generate")]
    [InlineData("train")]
    [InlineData("convert")]
    public void NamedPipe(string verb)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Shell("mkfifo", _scratch.File("pipe")) == 0, "no named pipes here");
        string pipe = _scratch.File("pipe");
        string[] words = verb switch
        {
            "info" => ["info", pipe],
            "vocode" => ["vocode", pipe, "--out", Out],
            "generate" => Generate(_data.Run, pipe),
            "train" => Train(pipe),
            _ => ["convert", pipe, _scratch.File("out.safetensors")],
        };
        Refused(words, pipe, "expected a regular file");
    }

    [Theory]
    [InlineData("bands", 80L, 10L)]
    [InlineData("one frame", 100L, 1L)]
    [InlineData("rank", 100L, 10L, 1L)]
    public void MelThatCannotBeSpoken(string name, params long[] shape)
    {
        string path = _scratch.File("mel.safetensors");
        SafetensorsWriter.Write(path, [TensorData.Singles("mel", shape, new float[shape.Aggregate(1L, (a, b) => a * b)])]);
        Assert.NotEmpty(name);
        Refused(["vocode", path, "--out", Out, "--device", "host"], path, "bands");
    }

    [Fact]
    public void MelWithNaN()
    {
        string path = _scratch.File("mel.safetensors");
        SafetensorsWriter.Write(path, [TensorData.Singles("mel", [100, 10], Enumerable.Repeat(float.NaN, 1000).ToArray())]);
        Refused(["vocode", path, "--out", Out, "--device", "host"], path, "finite");
    }

    /// <summary>A copy of the checkpoint with other shapes; null leaves a tensor out.</summary>
    private string Edited(Func<string, long[], long[]?> shapeOf)
    {
        using SafetensorsFile file = SafetensorsFile.Open(_data.Checkpoint);
        TensorData[] tensors = [.. from t in file.Tensors
                                   let shape = shapeOf(t.Key, t.Value.Shape)
                                   where shape is not null
                                   select TensorData.Singles(t.Key, shape, file.ReadSingles(t.Key))];
        SafetensorsWriter.Write(_scratch.File("edited.safetensors"), tensors, file.Metadata);
        return _scratch.File("edited.safetensors");
    }

    private static int Shell(string program, params string[] args)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1;
        }
    }
}
