using System.Security.Cryptography;
using System.Text;
using I2M.Kernels;

namespace I2M.Model.Data;

/// <summary>Content hashes: the same bytes and settings give the same key, wherever the file lies.</summary>
public static class Fingerprint
{
    /// <summary>SHA-256 of a file's content, 64 hexadecimal digits in lower case.</summary>
    /// <exception cref="BadFileException">The file cannot be read.</exception>
    public static string OfFile(string path)
    {
        using var stream = InputStream.Open(path);
        try
        {
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (IOException e)
        {
            throw InputStream.Unreadable(path, e);
        }
    }

    /// <summary>SHA-256 of a text in UTF-8.</summary>
    public static string OfText(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
