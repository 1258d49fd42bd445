using System.Text;
using I2M.Kernels;
using I2M.Model.Data;
using I2M.Model.Tests.Io;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Data;

public sealed class PairManifestTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private PairManifest Load(byte[] json) => PairManifest.Load(_folder.File("pairs.json", json));

    private PairManifest Load(string json) => Load(Encoding.UTF8.GetBytes(json));

    private string Refused(string json) => Assert.Throws<BadFileException>(() => Load(json)).Message;

    [Fact]
    public void RelativeAndAbsolutePathsAndAllFieldsAreRead()
    {
        var pairs = Load("""
            [{"image": "images/a.jpg", "audio": "/else/a.wav", "class": "tench", "text": "a tench", "speaker": 7,
              "augmentation": {"speed": 1.1}, "unknown": [1]},
             {"audio": "../b.wav", "image": "b.png", "class": null, "augmentation": "slow"}]
            """).Pairs;
        Assert.Equal(new Pair(_folder.File("images/a.jpg"), "/else/a.wav", "tench", "a tench", "7", "{\"speed\": 1.1}"), pairs[0]);
        Assert.Equal(new Pair(_folder.File("b.png"), Path.GetFullPath(Path.Combine(_folder.Root, "..", "b.wav")), Augmentation: "slow"), pairs[1]);
    }

    [Fact]
    public void WhatIsSavedLoadsTheSameAndMovesWithItsFolder()
    {
        Pair[] pairs =
        [
            new(_folder.File("x/ä.jpg"), "/else/a.wav", "c", "größe", "s", "{\"a\":1}"),
            new(_folder.File("b.jpg"), _folder.File("b.wav"), Augmentation: "{no"),
            new(_folder.File("c.jpg"), _folder.File("c.wav"), ImageHash: "ab", AudioHash: "cd", Group: "7", Split: Pair.Eval),
        ];
        new PairManifest(_folder.File("pairs.json"), pairs).Save();
        Assert.Equal(pairs, PairManifest.Load(_folder.File("pairs.json")).Pairs);
        var text = File.ReadAllText(_folder.File("pairs.json"));
        Assert.Contains("\"x/ä.jpg\"", text);
        Assert.Contains("\"augmentation\": {\"a\":1}", text);
    }

    [Theory]
    [InlineData("[]", "empty list")]
    [InlineData("{}", "an object, expected a list")]
    [InlineData("null", "null, expected a list")]
    [InlineData("[1]", "entry 1: is a number")]
    [InlineData("""[{"image":"a","audio":"b"},{"image":"a"}]""", "entry 2: audio: is missing")]
    [InlineData("""[{"image":" ","audio":"b"}]""", "entry 1: image: is missing or empty")]
    [InlineData("""[{"image":["a"],"audio":"b"}]""", "entry 1: image: is a list, expected a text")]
    [InlineData("""[{"image":"a","audio":"b","text":3}]""", "entry 1: text: is a number, expected a text")]
    [InlineData("""[{"image":"a","audio":"b","split":"test"}]""", "entry 1: split: \"test\", expected \"train\" or \"eval\"")]
    [InlineData("""[{"image":"a\u0000b","audio":"b"}]""", "entry 1: image: holds a control character")]
    [InlineData("""[{"image":"a","image":"c","audio":"b"}]""", "image")]
    [InlineData("""[{"image":"a","audio":"b"},]""", "not valid JSON")]
    [InlineData("""[{"image":"a","audio":"b"}""", "not valid JSON")]
    [InlineData("image,audio", "not valid JSON")]
    public void BadListsAreRefusedNamingEntryAndField(string json, string words)
    {
        var message = Refused(json);
        Assert.Contains(words, message);
        Assert.StartsWith(_folder.File("pairs.json"), message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void ByteOrderMarkIsAcceptedUtf16IsNot()
    {
        const string json = """[{"image":"a","audio":"b"}]""";
        Assert.Single(Load([0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(json)]).Pairs);
        Assert.Contains("UTF-16", Assert.Throws<BadFileException>(() => Load([0xFF, 0xFE, .. Encoding.Unicode.GetBytes(json)])).Message);
        Assert.Contains("UTF-16", Assert.Throws<BadFileException>(() => Load(Encoding.BigEndianUnicode.GetBytes(json))).Message);
        Assert.Contains("JSON", Assert.Throws<BadFileException>(() => Load([.. "[{\"image\":\""u8, 0xC3, 0x28, .. "\",\"audio\":\"b\"}]"u8])).Message);
    }

    [Fact]
    public void MissingFilesAreCountedAndTheFirstNamed()
    {
        _folder.File("a.jpg", [1]);
        var manifest = Load("""[{"image":"a.jpg","audio":"a.wav"},{"image":"a.jpg","audio":"b.wav"}]""");
        var message = Assert.Throws<BadFileException>(manifest.CheckFiles).Message;
        Assert.Contains($"2 of 4 files do not exist, the first is entry 1: audio: {_folder.File("a.wav")}", message);
        _folder.File("a.wav", [1]);
        _folder.File("b.wav", [1]);
        manifest.CheckFiles();
    }

    [Fact]
    public void TheExampleListLoadsAndItsPathsAreDead()
    {
        var manifest = PairManifest.Load(Path.Combine(SharedData.Require(), "seed_examples", "pairs.json"));
        Assert.NotEmpty(manifest.Pairs);
        Assert.Contains("do not exist, the first is entry 1: image: ", Assert.Throws<BadFileException>(manifest.CheckFiles).Message);
    }

    [Fact]
    public void DamagedListsAreRefusedOrReadButNeverCrash()
    {
        var good = """[{"image":"a/b.jpg","audio":"c.wav","class":"tench","augmentation":{"speed":1.5}},{"image":"ä","audio":"\u00e4"}]"""u8.ToArray();
        var random = new Random(5);
        var path = _folder.File("pairs.json");
        var refused = 0;
        for (var i = 0; i < 3_000; i++)
        {
            File.WriteAllBytes(path, Hostile.Mutate(good, random));
            if (Hostile.Refusal(() => PairManifest.Load(path)) is not null) refused++;
        }
        Assert.InRange(refused, 1_000, 2_999);
    }
}
