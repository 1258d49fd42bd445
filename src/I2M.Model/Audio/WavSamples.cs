using System.Buffers.Binary;

namespace I2M.Model.Audio;

/// <summary>Turns stored frames into mono amplitudes.</summary>
internal static class WavSamples
{
    /// <summary>Mono is the mean over channels; sums run in double, so that mono input passes unchanged.</summary>
    /// <param name="bytes">Whole frames; their byte order is changed in place when the file is big-endian.</param>
    /// <param name="mono">One amplitude per frame.</param>
    /// <param name="header">The layout.</param>
    public static void Mix(Span<byte> bytes, Span<float> mono, WavHeader header)
    {
        if (header.BigEndian)
            for (var i = 0; i < bytes.Length; i += header.BytesPerSample) bytes.Slice(i, header.BytesPerSample).Reverse();
        switch (header.Type)
        {
            case WavSampleType.Unsigned8: Mix<Unsigned8>(bytes, mono, header); break;
            case WavSampleType.Pcm16: Mix<Pcm16>(bytes, mono, header); break;
            case WavSampleType.Pcm24: Mix<Pcm24>(bytes, mono, header); break;
            case WavSampleType.Pcm32: Mix<Pcm32>(bytes, mono, header); break;
            case WavSampleType.Float32: Mix<Float32>(bytes, mono, header); break;
            default: Mix<Float64>(bytes, mono, header); break;
        }
    }

    private static void Mix<TSample>(ReadOnlySpan<byte> bytes, Span<float> mono, WavHeader header) where TSample : ISample
    {
        var (channels, size, at) = (header.Channels, header.BytesPerSample, 0);
        for (var i = 0; i < mono.Length; i++)
        {
            var sum = 0.0;
            for (var c = 0; c < channels; c++, at += size) sum += TSample.Read(bytes[at..]);
            mono[i] = (float)(sum / channels);
        }
    }

    /// <summary>Reads one little-endian sample as an amplitude; a type per storage lets the compiler inline it.</summary>
    private interface ISample
    {
        static abstract double Read(ReadOnlySpan<byte> b);
    }

    private readonly struct Unsigned8 : ISample
    {
        public static double Read(ReadOnlySpan<byte> b) => (b[0] - 128) / 128.0;
    }

    private readonly struct Pcm16 : ISample
    {
        public static double Read(ReadOnlySpan<byte> b) => BinaryPrimitives.ReadInt16LittleEndian(b) / 32768.0;
    }

    private readonly struct Pcm24 : ISample
    {
        public static double Read(ReadOnlySpan<byte> b) => (b[0] | b[1] << 8 | (sbyte)b[2] << 16) / 8388608.0;
    }

    private readonly struct Pcm32 : ISample
    {
        public static double Read(ReadOnlySpan<byte> b) => BinaryPrimitives.ReadInt32LittleEndian(b) / 2147483648.0;
    }

    private readonly struct Float32 : ISample
    {
        public static double Read(ReadOnlySpan<byte> b) => BinaryPrimitives.ReadSingleLittleEndian(b);
    }

    private readonly struct Float64 : ISample
    {
        public static double Read(ReadOnlySpan<byte> b) => BinaryPrimitives.ReadDoubleLittleEndian(b);
    }
}
