using System.Buffers.Binary;
using I2M.Kernels;
using I2M.Model.Audio;

namespace I2M.Model.Data.Speech;

/// <summary>
/// The WAV stream that espeak-ng writes to a pipe: 16-bit mono PCM whose header claims about 2 GB, because the length is unknown when it is written.
/// The samples therefore end where the bytes end.
/// </summary>
internal static class EspeakWav
{
    private const int HeaderLength = 44;

    /// <exception cref="I2MException">The bytes are no such stream, or hold no sample.</exception>
    public static AudioClip Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderLength)
            throw Broken($"{bytes.Length} bytes, expected a header of {HeaderLength}");
        if (!bytes[..4].SequenceEqual("RIFF"u8) || !bytes[8..16].SequenceEqual("WAVEfmt "u8) || !bytes[36..40].SequenceEqual("data"u8))
            throw Broken("no RIFF/WAVE header");
        int format = Half(bytes[20..]), channels = Half(bytes[22..]), bits = Half(bytes[34..]), rate = BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]);
        if (format != 1 || channels != 1 || bits != 16 || rate is < 8000 or > 192_000)
            throw Broken($"format {format}, {channels} channels, {bits} bits, {rate} Hz; expected PCM, 1 channel, 16 bits");
        uint claimed = BinaryPrimitives.ReadUInt32LittleEndian(bytes[40..]);
        ReadOnlySpan<byte> data = bytes[HeaderLength..];
        data = data[..(int)Math.Min(claimed, (uint)data.Length)];
        if (data.Length < 2)
            throw new I2MException("espeak-ng: nothing was spoken: the text has no word it can read");
        float[] samples = new float[data.Length / 2];
        for (int i = 0; i < samples.Length; i++)
            samples[i] = BinaryPrimitives.ReadInt16LittleEndian(data[(2 * i)..]) / 32768f;
        return new(samples, rate);
    }

    private static int Half(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static I2MException Broken(string problem) => new($"espeak-ng: broken WAV output: {problem}");
}
