using System.Buffers.Binary;
using System.Text;
using I2M.Kernels;

namespace I2M.Model.Audio;

/// <summary>How one sample is stored.</summary>
internal enum WavSampleType { Unsigned8, Pcm16, Pcm24, Pcm32, Float32, Float64 }

/// <summary>What the chunks of a WAV file say: sample layout, where the samples lie, and the comment.</summary>
/// <param name="Type">Storage of one sample.</param>
/// <param name="BigEndian">True in a RIFX file.</param>
/// <param name="Channels">Samples per frame, at least 1.</param>
/// <param name="SampleRate">Frames per second.</param>
/// <param name="DataOffset">Byte position of the first frame.</param>
/// <param name="Frames">Complete frames that lie in the file.</param>
/// <param name="Comment">Text of LIST/INFO/ICMT, null when there is none.</param>
internal sealed record WavHeader(
    WavSampleType Type, bool BigEndian, int Channels, int SampleRate, long DataOffset, long Frames, string? Comment)
{
    public int BytesPerSample => Type switch
    {
        WavSampleType.Unsigned8 => 1,
        WavSampleType.Pcm16 => 2,
        WavSampleType.Pcm24 => 3,
        WavSampleType.Float64 => 8,
        _ => 4,
    };

    public int FrameBytes => Channels * BytesPerSample;

    /// <summary>Reads the chunks of a seekable stream.</summary>
    /// <exception cref="BadFileException">No WAV, or one that cannot be decoded.</exception>
    public static WavHeader Read(Stream stream, string name) => new Parser(stream, name).Parse();

    /// <summary>Walks the chunk list once; the first "fmt " and the first "data" count.</summary>
    private sealed class Parser(Stream stream, string name)
    {
        private const int MaxChunks = 10_000, MaxCommentBytes = 1 << 20;
        private const uint Unknown = 0xFFFFFFFF;

        private bool _bigEndian, _wide;
        private long _riffEnd, _wideDataSize = -1, _dataOffset = -1, _dataBytes;
        private byte[]? _format;
        private string? _comment;

        public WavHeader Parse()
        {
            ReadRiff();
            var position = 12L;
            for (var chunk = 0; position + 8 <= stream.Length; chunk++)
            {
                if (chunk == MaxChunks) throw Bad($"has more than {MaxChunks:N0} chunks");
                var head = Bytes(position, 8);
                var size = ReadChunk(Encoding.ASCII.GetString(head, 0, 4), U32(head, 4), position + 8);
                position += 8 + size + (size & 1); // a chunk of odd size is followed by one pad byte
            }
            return Build();
        }

        private void ReadRiff()
        {
            if (stream.Length < 12) throw Bad("is too short for a WAV file");
            var head = Bytes(0, 12);
            var id = Encoding.ASCII.GetString(head, 0, 4);
            if (id is not ("RIFF" or "RIFX" or "RF64" or "BW64") || Encoding.ASCII.GetString(head, 8, 4) != "WAVE")
                throw Bad("is not a WAV file: expected RIFF, RIFX, RF64 or BW64, then WAVE");
            _bigEndian = id == "RIFX";
            _wide = id is "RF64" or "BW64";
            _riffEnd = 8L + U32(head, 4);
        }

        /// <summary>Takes what matters from one chunk and returns how many bytes of content to step over.</summary>
        private long ReadChunk(string id, uint size, long start)
        {
            var left = stream.Length - start;
            switch (id)
            {
                case "ds64" when _wide && size >= 16 && left >= 16:
                    _wideDataSize = BinaryPrimitives.ReadInt64LittleEndian(Bytes(start + 8, 8));
                    break;
                case "fmt " when _format is null:
                    if (size < 16 || left < 16) throw Bad($"fmt chunk: {Math.Min(size, left)} bytes, expected at least 16");
                    _format = Bytes(start, (int)Math.Min(Math.Min(size, left), 40));
                    break;
                case "data" when _dataOffset < 0:
                    return LocateData(size, start, left);
                case "LIST" when _comment is null && size >= 12 && left >= size:
                    _comment = FindComment(start, size);
                    break;
            }
            return size;
        }

        /// <summary>
        /// Sizes that lie: a writer to a pipe leaves 0xFFFFFFFF, or 0 when it never came back to fill the header in;
        /// then the samples run to the end of the file. A size beyond the end keeps what is there.
        /// </summary>
        private long LocateData(uint size, long start, long left)
        {
            long claimed = size;
            if (_wide && size == Unknown && _wideDataSize >= 0) claimed = _wideDataSize;
            else if (size == Unknown) claimed = left;
            else if (size == 0 && (_riffEnd <= start || _riffEnd == 8L + Unknown)) claimed = left;
            _dataOffset = start;
            _dataBytes = Math.Min(claimed, left);
            return _dataBytes;
        }

        private string? FindComment(long start, uint size)
        {
            if (Encoding.ASCII.GetString(Bytes(start, 4)) != "INFO") return null;
            for (long position = start + 4, end = start + size; position + 8 <= end;)
            {
                var head = Bytes(position, 8);
                var length = U32(head, 4);
                if (length > end - position - 8) return null;
                if (Encoding.ASCII.GetString(head, 0, 4) == "ICMT" && length <= MaxCommentBytes)
                    return Encoding.UTF8.GetString(Bytes(position + 8, (int)length)).TrimEnd('\0');
                position += 8L + length + (length & 1);
            }
            return null;
        }

        private WavHeader Build()
        {
            if (_format is null) throw Bad("has no fmt chunk");
            if (_dataOffset < 0) throw Bad("has no data chunk");
            int tag = U16(_format, 0), channels = U16(_format, 2), align = U16(_format, 12), bits = U16(_format, 14);
            var rate = U32(_format, 4);
            if (channels == 0) throw Bad("channels: 0, expected at least 1");
            if (rate is < AudioLimits.MinSampleRate or > AudioLimits.MaxSampleRate)
                throw Bad($"sample rate: {rate} Hz, expected {AudioLimits.MinSampleRate} to {AudioLimits.MaxSampleRate}");
            var type = SampleType(tag == 0xFFFE ? SubFormat(_format) : tag, bits);
            var header = new WavHeader(type, _bigEndian, channels, (int)rate, _dataOffset, 0, _comment);
            if (align != header.FrameBytes)
                throw Bad($"block align: {align} bytes, expected {header.FrameBytes} ({channels} channels of {bits} bits)");
            return header with { Frames = _dataBytes / header.FrameBytes };
        }

        /// <summary>The format tag inside an EXTENSIBLE header: the first two bytes of its GUID.</summary>
        private int SubFormat(byte[] format)
        {
            if (format.Length < 40) throw Bad($"fmt chunk: {format.Length} bytes, expected 40 for the extensible format");
            ReadOnlySpan<byte> rest = _bigEndian
                ? [0, 0, 0, 0x10, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]
                : [0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];
            if (!format.AsSpan(28).SequenceEqual(rest)) throw Bad("sub-format: unknown identifier, expected PCM or float");
            return U16(format, _bigEndian ? 26 : 24);
        }

        /// <summary>Bits that do not fill their bytes sit at the top, so 12 bits read like 16.</summary>
        private WavSampleType SampleType(int tag, int bits) => (tag, (bits + 7) / 8) switch
        {
            (1, 1) => WavSampleType.Unsigned8,
            (1, 2) => WavSampleType.Pcm16,
            (1, 3) => WavSampleType.Pcm24,
            (1, 4) => WavSampleType.Pcm32,
            (1, _) => throw Bad($"bits per sample: {bits}, expected 8, 16, 24 or 32 for PCM"),
            (3, 4) when bits == 32 => WavSampleType.Float32,
            (3, 8) when bits == 64 => WavSampleType.Float64,
            (3, _) => throw Bad($"bits per sample: {bits}, expected 32 or 64 for float"),
            _ => throw Bad($"encoding: {EncodingName(tag)} is not supported, expected PCM or float"),
        };

        private static string EncodingName(int tag) => tag switch
        {
            0x0002 => "Microsoft ADPCM",
            0x0006 => "A-law",
            0x0007 => "mu-law",
            0x0011 => "IMA ADPCM",
            0x0016 => "G.723 ADPCM",
            0x0031 => "GSM 6.10",
            0x0040 => "G.721 ADPCM",
            0x0050 => "MPEG audio",
            0x0055 => "MP3",
            0x0064 or 0x0045 => "G.726 ADPCM",
            0x00FF => "AAC",
            0x0160 or 0x0161 or 0x0162 => "Windows Media Audio",
            0x2000 => "AC-3",
            _ => $"format tag 0x{tag:X4}",
        };

        private byte[] Bytes(long position, int count)
        {
            var bytes = new byte[count];
            stream.Position = position;
            stream.ReadExactly(bytes);
            return bytes;
        }

        private ushort U16(byte[] b, int at) =>
            _bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(b.AsSpan(at)) : BinaryPrimitives.ReadUInt16LittleEndian(b.AsSpan(at));

        private uint U32(byte[] b, int at) =>
            _bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(b.AsSpan(at)) : BinaryPrimitives.ReadUInt32LittleEndian(b.AsSpan(at));

        private BadFileException Bad(string problem) => new(name, problem);
    }
}
