using I2M.Kernels;

namespace I2M.Model.Training;

/// <summary><see cref="IBackend.Patchify"/> on the way to the device: the copy into upload memory is made in the order of the tokens, which saves the device a pass and an array.</summary>
internal static class HostPatches
{
    /// <summary>tokens [batch, tokens, tokenLength] from pictures [batch, channels, height, width].</summary>
    public static void Write(ReadOnlySpan<float> pictures, PatchShape shape, Span<float> tokens)
    {
        int across = shape.Width / shape.PatchWidth, lines = shape.Batch * shape.Channels * shape.Height;
        for (int line = 0; line < lines; line++)
        {
            int y = line % shape.Height, c = line / shape.Height % shape.Channels, b = line / shape.Height / shape.Channels;
            int token = b * shape.Tokens + y / shape.PatchHeight * across, element = (c * shape.PatchHeight + y % shape.PatchHeight) * shape.PatchWidth;
            for (int x = 0; x < across; x++)
            {
                pictures.Slice(line * shape.Width + x * shape.PatchWidth, shape.PatchWidth).CopyTo(tokens[((token + x) * shape.TokenLength + element)..]);
            }
        }
    }
}
