using I2M.Model.Images;
using I2M.Model.Training;

namespace I2M.Model.Data;

/// <summary>What was read of a pair and not yet made ready for the model; its memory is used again and again.</summary>
/// <param name="config">Sizes of mel and picture.</param>
internal sealed class StoredSample(TrainConfig config)
{
    private const int KeptBytes = 1 << 20;
    private byte[] _file = [];
    private int _fileBytes;

    /// <summary>The pair.</summary>
    public int Pair { get; set; }

    /// <summary>Whether mel and picture are those of <see cref="Pair"/>.</summary>
    public bool Loaded { get; set; }

    /// <summary>Log-mel [bands, frames].</summary>
    public float[] Mel { get; } = new float[config.Model.MelBands * config.Model.MelFrames];

    /// <summary>The picture at the model's size, where <see cref="Decoded"/>.</summary>
    public RgbImage Picture { get; } = new(config.Model.ImageSize, config.Model.ImageSize, new byte[3 * config.Model.ImageSize * config.Model.ImageSize]);

    /// <summary>Whether <see cref="Picture"/> holds the picture; else <see cref="File"/> does.</summary>
    public bool Decoded { get; set; }

    /// <summary>The picture's file.</summary>
    public ReadOnlySpan<byte> File => _file.AsSpan(0, _fileBytes);

    /// <summary>Room for a picture's file.</summary>
    public Span<byte> NewFile(int bytes)
    {
        // A large file's room is not kept for the small ones after it: many samples wait in a buffer.
        if (_file.Length < bytes || (_file.Length > KeptBytes && _file.Length > 4L * bytes)) { _file = new byte[bytes]; }
        _fileBytes = bytes;
        return _file.AsSpan(0, bytes);
    }
}
