using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Data.Drawing;
using I2M.Model.Data.Speech;
using I2M.Model.Images;
using I2M.Model.Training;

namespace I2M.Model.Tests.Training;

/// <summary>Drawn pictures with spoken names in a folder of their own.</summary>
internal sealed class TinyPairs : IDisposable
{
    private readonly PairManifest _manifest;

    public TinyPairs(int count = 4, int size = 32)
    {
        var voice = new BuiltInVoice();
        List<Pair> pairs = [];
        for (int i = 0; i < count; i++)
        {
            AnimalClass animal = AnimalClass.All[i % 2 == 0 ? 1 : 9];
            PngWriter.Write(File($"{i}.png"), AnimalPainter.Paint(animal, (ulong)i, size));
            WavFile.Write(File($"{i}.wav"), voice.Speak(animal.Name, new SpeechStyle(voice.Voices[i % voice.Voices.Count])));
            pairs.Add(new Pair(File($"{i}.png"), File($"{i}.wav"), animal.Name, animal.Name, voice.Voices[i % voice.Voices.Count]));
        }
        _manifest = new PairManifest(File("pairs.json"), pairs);
        _manifest.Save();
    }

    /// <summary>The folder.</summary>
    public string Root { get; } = Directory.CreateTempSubdirectory("i2m-pairs-").FullName;

    /// <summary>A path below it.</summary>
    public string File(string name) => Path.Combine(Root, name);

    /// <summary>The data for a config.</summary>
    public PairDataset Load(IBackend backend, TrainConfig config) => PairDataset.Load(backend, _manifest, config);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
