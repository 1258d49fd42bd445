namespace I2M.Model.Images;

/// <summary>Turns pictures into the numbers the model reads.</summary>
public static class ImageTensor
{
    /// <summary>(v/255 − 0.5)/0.5 for each byte value, in single precision step by step as torchvision computes it.</summary>
    private static readonly float[] Normalised = [.. Enumerable.Range(0, 256).Select(v => (v / 255f - 0.5f) / 0.5f)];

    /// <summary>The picture as [3, height, width] floats in [-1, 1], channel by channel.</summary>
    public static float[] ToChw(RgbImage image)
    {
        var tensor = new float[3 * image.Width * image.Height];
        ToChw(image, tensor);
        return tensor;
    }

    /// <summary>Writes the picture into <paramref name="destination"/>, 3 · height · width floats.</summary>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    public static void ToChw(RgbImage image, Span<float> destination)
    {
        var plane = image.Width * image.Height;
        if (destination.Length != 3 * plane)
            throw new ArgumentException($"destination holds {destination.Length} floats, expected {3 * plane}", nameof(destination));
        for (var channel = 0; channel < 3; channel++)
            for (var i = 0; i < plane; i++) destination[channel * plane + i] = Normalised[image.Pixels[3 * i + channel]];
    }
}
