namespace I2M.Model.Images;

/// <summary>An 8-bit RGB picture, row-major, three bytes a pixel, no padding.</summary>
/// <param name="Width">Pixels per row.</param>
/// <param name="Height">Rows.</param>
/// <param name="Pixels">Width · Height · 3 bytes, R, G, B.</param>
public sealed record RgbImage(int Width, int Height, byte[] Pixels);
