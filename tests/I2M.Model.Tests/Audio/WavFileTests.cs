using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Tests.Data;
using I2M.Model.Tests.Io;
using Xunit;
using static I2M.Model.Tests.Audio.WavBytes;

namespace I2M.Model.Tests.Audio;

public class WavFileTests
{
    private static readonly double[] Values = [0, 0.5, -0.25, -1, 0.75];

    private static AudioClip Read(byte[] bytes) => WavFile.Read(new MemoryStream(bytes), "x.wav");

    private static string Refused(byte[] bytes) => Assert.Throws<BadFileException>(() => Read(bytes)).Message;

    private static float[] Singles(params double[] values) => [.. values.Select(v => (float)v)];

    [Theory]
    [InlineData(1, 8)]
    [InlineData(1, 16)]
    [InlineData(1, 24)]
    [InlineData(1, 32)]
    [InlineData(3, 32)]
    [InlineData(3, 64)]
    public void EveryEncodingGivesItsAmplitudes(int tag, int bits)
    {
        var data = Chunk("data", Samples(tag, bits, Values));
        foreach (var format in new[] { Format(tag, 1, 16000, bits), Extensible(tag, 1, 16000, bits) })
        {
            var clip = Read(Riff(format, data));
            Assert.Equal(16000, clip.SampleRate);
            Assert.Equal(Singles(Values), clip.Samples);
        }
    }

    [Fact]
    public void ChannelsAreAveraged()
    {
        var bytes = Riff(Format(1, 3, 8000, 16), Chunk("data", Samples(1, 16, 0.75, 0.25, 0.5, -1, 0.5, 0.5)));
        Assert.Equal(Singles(0.5, 0), Read(bytes).Samples);
    }

    [Fact]
    public void ChunksMayBeOddUnknownAndInAnyOrder()
    {
        var data = Chunk("data", Samples(1, 8, 0.5, 0, -0.5));
        Assert.Equal(Singles(0.5, 0, -0.5), Read(Riff(Chunk("junk", new byte[7]), data, Chunk("abcd", new byte[3]), Format(1, 1, 8000, 8))).Samples);
    }

    [Theory]
    [InlineData(0xFFFFFFFFu, 0xFFFFFFFFu)]
    [InlineData(0u, 0u)]
    [InlineData(0u, 0xFFFFFFFFu)]
    [InlineData(0u, 36u)]
    public void SizesLeftOpenByAStreamingWriterMeanToTheEndOfTheFile(uint dataSize, uint riffSize)
    {
        var bytes = Riff(Format(1, 1, 8000, 16), Chunk("data", Samples(1, 16, Values), dataSize));
        U32(riffSize).CopyTo(bytes, 4);
        Assert.Equal(Singles(Values), Read(bytes).Samples);
    }

    [Fact]
    public void TruncatedDataGiveTheCompleteFrames()
    {
        var bytes = Riff(Format(1, 2, 8000, 16), Chunk("data", Samples(1, 16, 0.5, 0.5, 0.25, 0.25, 0, 0)));
        Assert.Equal(Singles(0.5, 0.25), Read(bytes[..^3]).Samples);
    }

    [Theory]
    [InlineData("RF64")]
    [InlineData("BW64")]
    public void WideFormsTakeTheirSizeFromDs64(string id)
    {
        var ds64 = Chunk("ds64", [.. U64(100), .. U64(4), .. U64(2), .. U32(0)]);
        var bytes = Form(id, ds64, Format(1, 1, 8000, 16), Chunk("data", Samples(1, 16, 0.5, 0.25, 0.125), 0xFFFFFFFF));
        Assert.Equal(Singles(0.5, 0.25), Read(bytes).Samples);
    }

    [Theory]
    [InlineData(7, 8, "mu-law")]
    [InlineData(6, 8, "A-law")]
    [InlineData(2, 4, "Microsoft ADPCM")]
    [InlineData(0x11, 4, "IMA ADPCM")]
    [InlineData(0x55, 16, "MP3")]
    [InlineData(1, 64, "bits per sample: 64")]
    [InlineData(3, 16, "bits per sample: 16")]
    public void OtherEncodingsAreRefusedByName(int tag, int bits, string words) =>
        Assert.Contains(words, Refused(Riff(Format(tag, 1, 8000, bits), Chunk("data", new byte[16]))));

    [Fact]
    public void DamagedHeadersAreRefusedInWords()
    {
        var data = Chunk("data", new byte[16]);
        Assert.Contains("channels: 0", Refused(Riff(Format(1, 0, 8000, 16), data)));
        Assert.Contains("sample rate: 0 Hz", Refused(Riff(Format(1, 1, 0, 16), data)));
        Assert.Contains("block align: 3 bytes, expected 4", Refused(Riff(Format(1, 2, 8000, 16, align: 3), data)));
        Assert.Contains("no fmt", Refused(Riff(data)));
        Assert.Contains("no data", Refused(Riff(Format(1, 1, 8000, 16))));
        Assert.Contains("no samples", Refused(Riff(Format(1, 1, 8000, 16), Chunk("data", []), Chunk("junk", new byte[2]))));
        Assert.Contains("fmt chunk: 14", Refused(Riff(Chunk("fmt ", new byte[14]), data)));
        Assert.Contains("too short", Refused([0x52, 0x49]));
        Assert.Contains("not a WAV file", Refused("hello, I am text"u8.ToArray()));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(1e300)]
    public void NumbersThatAreNotFiniteAreRefused(double value) =>
        Assert.Contains("frame 1 is not a finite number", Refused(Riff(Format(3, 1, 8000, 64), Chunk("data", Samples(3, 64, 0, value)))));

    [Fact]
    public void TwoHoursAreTheLimit()
    {
        var bytes = Riff(Format(1, 1, 1000, 8), Chunk("data", new byte[7_200_001]));
        Assert.Contains("120.0 minutes long, expected at most 120.0", Refused(bytes));
    }

    [Theory]
    [InlineData(WavEncoding.Pcm16)]
    [InlineData(WavEncoding.Float32)]
    public void WhatIsWrittenReadsBackTheSame(WavEncoding encoding)
    {
        using var folder = new TemporaryFolder();
        var random = new Random(1);
        float[] samples = [.. Enumerable.Range(0, 40_000).Select(_ => random.Next(-32768, 32768) / 32768f)];
        var path = folder.File("out.wav");
        WavFile.Write(path, new AudioClip(samples, 24000), encoding, "{\"seed\": 7, \"text\": \"größe 🐟\"}");
        Assert.Equal(samples, WavFile.Read(path).Samples);
        Assert.Equal("{\"seed\": 7, \"text\": \"größe 🐟\"}", WavFile.ReadComment(path));
        Assert.Single(Directory.GetFiles(folder.Root));
        WavFile.Write(path, new AudioClip(samples, 24000), encoding);
        Assert.Null(WavFile.ReadComment(path));
    }

    [Fact]
    public void Pcm16ClipsInsteadOfWrapping()
    {
        using var stream = new MemoryStream();
        WavFile.Write(stream, new AudioClip([1f, 1.5f, -1f, -7f, 0.99999f], 24000));
        Assert.Equal([32767 / 32768f, 32767 / 32768f, -1f, -1f, 32767 / 32768f], Read(stream.ToArray()).Samples);
    }

    [Fact]
    public void NothingIsWrittenForSamplesThatAreNotFinite()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("sample 1", Assert.Throws<BadFileException>(() => WavFile.Write(folder.File("a.wav"), new AudioClip([0, float.NaN], 24000))).Message);
        Assert.Empty(Directory.GetFiles(folder.Root));
    }

    [Fact]
    public void DamagedFilesAreRefusedOrReadButNeverCrash()
    {
        using var stream = new MemoryStream();
        WavFile.Write(stream, new AudioClip(new float[50], 24000), WavEncoding.Float32, "comment");
        byte[][] seeds = [stream.ToArray(), Riff(Extensible(1, 2, 44100, 24), Chunk("LIST", new byte[20]), Chunk("data", new byte[60])),
            Form("RF64", Chunk("ds64", new byte[28]), Format(1, 1, 8000, 16), Chunk("data", new byte[40]))];
        var random = new Random(20_000);
        var refused = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = Hostile.Mutate(seeds[i % seeds.Length], random);
            if (Hostile.Refusal(() => Read(bytes)) is not null) refused++;
        }
        Assert.InRange(refused, 2_000, 19_000);
    }
}
