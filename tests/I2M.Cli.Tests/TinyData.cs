using I2M.Cli.Tests;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Data.Drawing;
using I2M.Model.Data.Speech;
using I2M.Model.Images;
using Xunit;

[assembly: AssemblyFixture(typeof(TinyData))]

namespace I2M.Cli.Tests;

/// <summary>Four drawn pictures with spoken names, settings of a tiny model, and a run of six steps on them; shared by all tests, which do not change it.</summary>
public sealed class TinyData : IDisposable
{
    private const string Settings = """
        {
          "model": { "imageSize": 16, "imagePatch": 8, "melPatchBands": 20, "melPatchFrames": 40, "hidden": 16, "heads": 2, "layers": 1, "imageTowerLayers": 1 },
          "batchSize": 2, "warmupSteps": 1, "evalFraction": 0.25, "validateEvery": 3
        }
        """;

    public string Root { get; } = Directory.CreateTempSubdirectory("i2m-cli-").FullName;

    public string Pairs => File("pairs.json");

    public string Config => File("tiny.json");

    public string Run => File("run");

    /// <summary>The newest checkpoint of <see cref="Run"/>.</summary>
    public string Checkpoint => File("run/checkpoints/step-000006.safetensors");

    public string Picture => File("0.png");

    public string Sound => File("0.wav");

    public TinyData()
    {
        var voice = new BuiltInVoice();
        List<Pair> pairs = [];
        for (int i = 0; i < 4; i++)
        {
            AnimalClass animal = AnimalClass.All[i < 2 ? 1 : 9];
            PngWriter.Write(File($"{i}.png"), AnimalPainter.Paint(animal, (ulong)i, 32));
            WavFile.Write(File($"{i}.wav"), voice.Speak(animal.Name, new SpeechStyle(voice.Voices[i])));
            pairs.Add(new Pair(File($"{i}.png"), File($"{i}.wav"), animal.Name, animal.Name, voice.Voices[i]));
        }
        new PairManifest(Pairs, pairs).Save();
        System.IO.File.WriteAllText(Config, Settings);
        CliProcess.Run(TrainWords(Run, "--steps", "6", "--save-every", "3")).Succeeded();
    }

    /// <summary>A path below the folder.</summary>
    public string File(string name) => Path.Combine(Root, name);

    /// <summary>Words that train on the pairs with the settings.</summary>
    public string[] TrainWords(string run, params string[] more) => ["train", "--data", Pairs, "--config", Config, "--out", run, "--device", "host", .. more];

    public void Dispose() => Directory.Delete(Root, recursive: true);
}

/// <summary>A folder of a test's own that tells whether anything was left in it.</summary>
internal sealed class Scratch : IDisposable
{
    private string[] _before = [];

    public string Root { get; } = Directory.CreateTempSubdirectory("i2m-cli-test-").FullName;

    public string File(string name) => Path.Combine(Root, name);

    /// <summary>Writes a file and gives its path.</summary>
    public string File(string name, ReadOnlySpan<byte> content)
    {
        System.IO.File.WriteAllBytes(File(name), content);
        return File(name);
    }

    /// <summary>Remembers what is there.</summary>
    public void Remember() => _before = All();

    /// <summary>Fails when anything was added or removed since; the cache of mels may stay.</summary>
    public void AssertUnchanged() => Assert.Equal(_before, All());

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private string[] All() => [.. Directory.EnumerateFileSystemEntries(Root, "*", SearchOption.AllDirectories).Where(f => !f.Contains(".i2m-cache", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}
