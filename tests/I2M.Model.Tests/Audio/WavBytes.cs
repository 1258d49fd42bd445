using System.Text;

namespace I2M.Model.Tests.Audio;

/// <summary>Builds WAV files by hand, so that the reader is not tested against our own writer only.</summary>
internal static class WavBytes
{
    public static byte[] Riff(params byte[][] chunks) => Form("RIFF", chunks);

    public static byte[] Form(string id, params byte[][] chunks)
    {
        byte[] body = [.. chunks.SelectMany(c => c)];
        return [.. Encoding.ASCII.GetBytes(id), .. U32((uint)body.Length + 4), .. "WAVE"u8, .. body];
    }

    /// <summary>A chunk with its pad byte; <paramref name="size"/> replaces the true size.</summary>
    public static byte[] Chunk(string id, byte[] content, uint? size = null) =>
        [.. Encoding.ASCII.GetBytes(id), .. U32(size ?? (uint)content.Length), .. content, .. new byte[content.Length & 1]];

    public static byte[] Format(int tag, int channels, int rate, int bits, int? align = null)
    {
        var frame = align ?? channels * ((bits + 7) / 8);
        return Chunk("fmt ", [.. U16(tag), .. U16(channels), .. U32((uint)rate), .. U32((uint)(rate * frame)), .. U16(frame), .. U16(bits)]);
    }

    public static byte[] Extensible(int tag, int channels, int rate, int bits)
    {
        var plain = Format(0xFFFE, channels, rate, bits)[8..];
        return Chunk("fmt ", [.. plain, .. U16(22), .. U16(bits), .. U32(0), .. U16(tag), 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
    }

    /// <summary>Amplitudes stored with a format tag and a bit depth.</summary>
    public static byte[] Samples(int tag, int bits, params double[] values) => [.. values.SelectMany(v => Sample(tag, bits, v))];

    public static byte[] U16(int value) => BitConverter.GetBytes((ushort)value);

    public static byte[] U32(uint value) => BitConverter.GetBytes(value);

    public static byte[] U64(ulong value) => BitConverter.GetBytes(value);

    private static byte[] Sample(int tag, int bits, double v) => (tag, bits) switch
    {
        (1, 8) => [(byte)(v * 128 + 128)],
        (1, 16) => BitConverter.GetBytes((short)(v * 32768)),
        (1, 24) => BitConverter.GetBytes((int)(v * 8388608))[..3],
        (1, 32) => BitConverter.GetBytes((int)(v * 2147483648)),
        (3, 32) => BitConverter.GetBytes((float)v),
        _ => BitConverter.GetBytes(v),
    };
}
