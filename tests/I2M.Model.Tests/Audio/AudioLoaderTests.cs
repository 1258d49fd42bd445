using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Tests.Data;
using I2M.Model.Tests.Io;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Audio;

public class AudioLoaderTests
{
    private static readonly string[] SoundNames = [".wav", ".flac", ".ogg", ".mp3", ".aiff"];

    [Fact]
    public void RealSpeechLoads()
    {
        var files = Files("speech24k").Append(Path.Combine(SharedData.Require(), "seed_examples", "audio", "000.wav"))
            .Append(Path.Combine(SharedData.Require(), "fixtures", "librispeech_1272_24k_f32.wav"))
            .Where(f => SoundNames.Contains(Path.GetExtension(f)) && (SoundFile.IsAvailable || f.EndsWith(".wav"))).ToList();
        Assert.True(files.Count >= 40, $"{files.Count} sounds");
        foreach (var file in files)
        {
            var clip = AudioLoader.Load(file);
            Assert.Equal(24000, clip.SampleRate);
            Assert.InRange(clip.Seconds, 0.1, 120);
            Assert.InRange(clip.Samples.Max(Math.Abs), 0.001f, 1.5f);
        }
    }

    [Fact]
    public void FilesThatBrokeOtherProgramsLoadOrAreRefused()
    {
        foreach (var file in Files("bad_inputs").Concat(Files("i2m10"))) _ = Hostile.Refusal(() => AudioLoader.Load(file));
    }

    [Theory]
    [InlineData("scipy-wav/test-8000Hz-le-1ch-1byte-ulaw.wav", "mu-law")]
    [InlineData("scipy-wav/test-8000Hz-le-3ch-5S-64bit.wav", "bits per sample: 64")]
    [InlineData("scipy-wav/test-44100Hz-le-1ch-4bytes-early-eof-no-data.wav", "")]
    [InlineData("pydub/test1_empty.wav", "")]
    [InlineData("pydub/wrong_extension.aac", "MP4/M4A")]
    [InlineData("scipy-wav/test-8000Hz-le-3ch-5S-24bit-rf64.wav", null)]
    [InlineData("scipy-wav/test-8000Hz-be-3ch-5S-24bit.wav", null)]
    [InlineData("scipy-wav/test-44100Hz-2ch-32bit-float-be.wav", null)]
    [InlineData("scipy-wav/test-48000Hz-2ch-64bit-float-le-wavex.wav", null)]
    [InlineData("scipy-wav/test-1234Hz-le-1ch-10S-20bit-extra.wav", null)]
    [InlineData("scipy-wav/test-44100Hz-le-1ch-4bytes-early-eof.wav", null)]
    [InlineData("pydub/test1-8bit.wav", null)]
    public void KnownHardFiles(string name, string? refusal)
    {
        var path = Path.Combine(SharedData.Require(), "bad_inputs", name);
        var message = Hostile.Refusal(() => AudioLoader.Load(path));
        if (refusal is null) Assert.Null(message);
        else Assert.Contains(refusal, message ?? "was accepted");
    }

    [Fact]
    public void OwnWavReaderAgreesWithLibsndfile()
    {
        Assert.SkipUnless(SoundFile.IsAvailable, "libsndfile is not installed");
        foreach (var file in Files("speech24k").Where(f => f.EndsWith(".wav")))
            Assert.Equal(SoundFile.Read(file, "WAV").Samples, WavFile.Read(file).Samples);
    }

    [Fact]
    public void OtherFilesAreRefusedByWhatTheyAre()
    {
        using var folder = new TemporaryFolder();
        string Refused(string path) => Assert.Throws<BadFileException>(() => AudioLoader.Load(path)).Message;
        Assert.Contains("MP4", Refused(folder.File("a.wav", "\0\0\0 ftypM4A aaaa"u8)));
        Assert.Contains("text file", Refused(folder.File("b.wav", "<html></html>"u8)));
        Assert.Contains("unknown format", Refused(folder.File("c.wav", "x"u8)));
        Assert.Contains("is empty", Refused(folder.File("d.wav", [])));
        Assert.Contains("no such file", Refused(folder.File("e.wav")));
        Assert.Contains("folder", Refused(folder.Root));
        if (File.Exists("/dev/zero")) Assert.Contains("device", Refused("/dev/zero"));
    }

    private static IEnumerable<string> Files(string folder) =>
        Directory.EnumerateFiles(Path.Combine(SharedData.Require(), folder), "*", SearchOption.AllDirectories).Order();
}
