using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Io;

namespace I2M.Model.Data.Shards;

/// <summary>How shards hold sounds.</summary>
public enum SoundForm
{
    /// <summary>As WAV: training computes the mels once and keeps them in a cache.</summary>
    Wav,

    /// <summary>As mels: smaller, nothing to compute, but of one setting alone.</summary>
    Mel,
}

/// <summary>A file in a shard.</summary>
/// <param name="Extension">Of its name; what is before it is the sample's number.</param>
/// <param name="Offset">Of its first byte in the shard.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Hash">SHA-256.</param>
internal readonly record struct ShardMember(string Extension, long Offset, int Bytes, ContentHash Hash);

/// <summary>A sample: its picture, its sound and what is known of it.</summary>
/// <param name="Class">Index of its class; −1 without.</param>
/// <param name="Picture">Named by its format.</param>
/// <param name="Sound">WAV or mel.</param>
/// <param name="Facts">JSON: class, text, speaker and so on.</param>
internal readonly record struct PackedSample(int Class, ShardMember Picture, ShardMember Sound, ShardMember Facts);

/// <summary>A tar of samples of one part.</summary>
/// <param name="Name">File name.</param>
/// <param name="Split">"train" or "eval".</param>
/// <param name="Bytes">Length of the file.</param>
/// <param name="First">Number of its first sample.</param>
/// <param name="Count">Its samples.</param>
internal sealed record Shard(string Name, string Split, long Bytes, int First, int Count);

/// <summary>32 bytes of SHA-256, without an object of its own.</summary>
internal readonly record struct ContentHash(UInt128 High, UInt128 Low)
{
    /// <summary>64 hexadecimal digits in lower case.</summary>
    public override string ToString() => High.ToString("x32", null) + Low.ToString("x32", null);

    /// <summary>From 64 hexadecimal digits.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out ContentHash hash)
    {
        hash = default;
        if (text.Length != 64 || !UInt128.TryParse(text[..32], System.Globalization.NumberStyles.AllowHexSpecifier, null, out UInt128 high) || !UInt128.TryParse(text[32..], System.Globalization.NumberStyles.AllowHexSpecifier, null, out UInt128 low)) { return false; }
        hash = new ContentHash(high, low);
        return true;
    }

    /// <summary>Of some bytes.</summary>
    public static ContentHash Of(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        return new ContentHash(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash), System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash[16..]));
    }
}

/// <summary>
/// What lies where in a folder of shards. <c>index.jsonl</c>: a line of JSON for the set (format, sound, mel settings, classes), then one for each shard and after it
/// one for each of its samples (class, and offset, bytes, SHA-256 of each member), last the number of samples and the SHA-256 of all lines before.
/// </summary>
/// <param name="Sound">How sounds are held.</param>
/// <param name="Mel">Settings of the mels; null for WAV.</param>
/// <param name="MelFrames">Frames of the mels; 0 for WAV.</param>
/// <param name="Classes">Class names in the order of their indices.</param>
/// <param name="Shards">Those to learn from before those held out.</param>
/// <param name="Samples">In the order of the shards.</param>
internal sealed record ShardIndex(SoundForm Sound, MelSettings? Mel, int MelFrames, IReadOnlyList<string> Classes, IReadOnlyList<Shard> Shards, IReadOnlyList<PackedSample> Samples)
{
    /// <summary>Name of the index.</summary>
    public const string FileName = "index.jsonl";
    private const string Format = "i2m-shards";
    private const int Version = 1;
    private const long MaxBytes = 1L << 30;
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerOptions.Strict) { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, IgnoreReadOnlyProperties = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    private sealed record SetLine(string Format, int Version, SoundForm Sound, MelSettings? Mel, int MelFrames, string[] Classes);

    private sealed record ShardLine(string Shard, string Split, long Bytes, int Samples);

    private sealed record SampleLine(int Class, MemberLine Picture, MemberLine Sound, MemberLine Facts);

    private sealed record MemberLine(string Extension, long Offset, int Bytes, string Sha256);

    private sealed record EndLine(int Samples, string Sha256);

    /// <summary>Whether a path is a folder of shards.</summary>
    public static bool IsPacked(string path) => File.Exists(Path.Combine(path, FileName));

    /// <summary>Name of a sample's member in its shard.</summary>
    public static string MemberName(int sample, in ShardMember member) => $"{sample:D7}.{member.Extension}";

    /// <summary>Writes the index.</summary>
    public void Save(string folder) => AtomicFile.Write(Path.Combine(folder, FileName), stream =>
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Line(new SetLine(Format, Version, Sound, Mel, MelFrames, [.. Classes]));
        foreach (Shard shard in Shards)
        {
            Line(new ShardLine(shard.Name, shard.Split, shard.Bytes, shard.Count));
            foreach (PackedSample s in Samples.Skip(shard.First).Take(shard.Count)) { Line(new SampleLine(s.Class, Member(s.Picture), Member(s.Sound), Member(s.Facts))); }
        }
        Line(new EndLine(Samples.Count, Convert.ToHexStringLower(hash.GetCurrentHash())));

        void Line<T>(T line)
        {
            byte[] text = [.. JsonSerializer.SerializeToUtf8Bytes(line, s_json), (byte)'\n'];
            stream.Write(text);
            hash.AppendData(text);
        }

        static MemberLine Member(ShardMember m) => new(m.Extension, m.Offset, m.Bytes, m.Hash.ToString());
    });

    /// <summary>Reads and checks the index; the shards themselves are not looked at.</summary>
    /// <exception cref="BadFileException">Missing, damaged, cut or of another version: names the line.</exception>
    public static ShardIndex Load(string folder)
    {
        string path = Path.Combine(folder, FileName);
        using FileStream stream = InputStream.Open(path);
        if (stream.Length > MaxBytes) { throw new BadFileException(path, $"is {stream.Length:N0} bytes long, expected at most {MaxBytes:N0}"); }
        return new IndexReader(path, stream).Read();
    }

    /// <summary>Reads an index line by line.</summary>
    private sealed class IndexReader(string path, Stream stream)
    {
        private readonly StreamReader _lines = new(stream, new UTF8Encoding(false, throwOnInvalidBytes: true));
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private readonly List<Shard> _shards = [];
        private readonly List<PackedSample> _samples = [];
        private int _number;

        public ShardIndex Read()
        {
            using (_lines)
            using (_hash)
            {
                SetLine set = Parse<SetLine>(Next());
                if (set.Format != Format || set.Version != Version) { throw Bad($"format {InputFile.OneLine(set.Format)} version {set.Version}, expected {Format} version {Version}"); }
                if (set.Sound == SoundForm.Mel && (set.MelFrames < 1 || set.Mel is null || set.Mel.FindProblem() is not null)) { throw Bad("mel: expected usable settings"); }
                while (true)
                {
                    string text = Next();
                    if (text.StartsWith("{\"samples\"", StringComparison.Ordinal)) { return End(set, text); }
                    Hash(text);
                    ReadShard(Parse<ShardLine>(text), set.Classes.Length);
                }
            }
        }

        private ShardIndex End(SetLine set, string text)
        {
            EndLine end = Parse<EndLine>(text);
            if (end.Samples != _samples.Count) { throw Bad($"says {end.Samples} samples, lists {_samples.Count}"); }
            if (end.Sha256 != Convert.ToHexStringLower(_hash.GetCurrentHash())) { throw new BadFileException(path, "is damaged: its checksum does not fit its lines"); }
            if (_lines.Read() >= 0) { throw Bad("goes on after its end"); }
            if (!_shards.Exists(s => s.Split == Pair.Train)) { throw new BadFileException(path, "lists no shard to train on"); }
            return new ShardIndex(set.Sound, set.Mel, set.MelFrames, set.Classes, _shards, _samples);
        }

        private void ReadShard(ShardLine line, int classes)
        {
            if (line.Shard != Path.GetFileName(line.Shard) || !line.Shard.EndsWith(".tar", StringComparison.Ordinal)) { throw Bad($"shard \"{InputFile.OneLine(line.Shard)}\": expected the name of a .tar file in the folder"); }
            if (line.Split is not (Pair.Train or Pair.Eval) || line.Samples < 1 || line.Bytes < 1) { throw Bad("shard: expected train or eval, samples and bytes"); }
            if (_shards.Count > 0 && _shards[^1].Split == Pair.Eval && line.Split == Pair.Train) { throw Bad("shard: those to train on come first"); }
            _shards.Add(new Shard(line.Shard, line.Split, line.Bytes, _samples.Count, line.Samples));
            for (int i = 0; i < line.Samples; i++)
            {
                string text = Next();
                Hash(text);
                SampleLine s = Parse<SampleLine>(text);
                if (s.Class < -1 || s.Class >= classes) { throw Bad($"class {s.Class}: expected -1 to {classes - 1}"); }
                _samples.Add(new PackedSample(s.Class, Member(s.Picture, line), Member(s.Sound, line), Member(s.Facts, line)));
            }
        }

        private ShardMember Member(MemberLine m, ShardLine shard)
        {
            if (m.Offset < 512 || m.Bytes < 0 || m.Offset > shard.Bytes - m.Bytes) { throw Bad($"{InputFile.OneLine(m.Extension)}: {m.Bytes} bytes at {m.Offset} do not lie in {shard.Shard} of {shard.Bytes}"); }
            if (m.Extension.Length > 8 || !m.Extension.All(char.IsAsciiLetterOrDigit)) { throw Bad($"extension \"{InputFile.OneLine(m.Extension)}\": expected letters"); }
            return ContentHash.TryParse(m.Sha256, out ContentHash hash) ? new ShardMember(string.Intern(m.Extension), m.Offset, m.Bytes, hash) : throw Bad("sha256: expected 64 hexadecimal digits");
        }

        private string Next()
        {
            try
            {
                _number++;
                string text = _lines.ReadLine() ?? throw new BadFileException(path, $"ends after line {_number - 1}: expected a last line with the number of samples");
                if (_number == 1) { Hash(text); }
                return text;
            }
            catch (Exception e) when (e is IOException or DecoderFallbackException)
            {
                throw Bad($"cannot be read: {InputFile.OneLine(e.Message)}");
            }
        }

        private void Hash(string line) => _hash.AppendData(Encoding.UTF8.GetBytes(line + "\n"));

        private T Parse<T>(string text)
        {
            try
            {
                return JsonSerializer.Deserialize<T>(text, s_json) ?? throw Bad("null");
            }
            catch (JsonException e)
            {
                throw Bad(InputFile.OneLine(e.Message));
            }
        }

        private BadFileException Bad(string problem) => new(path, $"line {_number}: {problem}");
    }
}
