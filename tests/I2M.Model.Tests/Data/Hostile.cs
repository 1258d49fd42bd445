using I2M.Kernels;
using Xunit;

namespace I2M.Model.Tests.Data;

/// <summary>Damages good files, and checks that a reader answers damage with its one kind of refusal.</summary>
internal static class Hostile
{
    /// <summary>A copy with a few bytes changed, removed or inserted.</summary>
    public static byte[] Mutate(byte[] good, Random random)
    {
        var bytes = new List<byte>(good);
        for (var change = random.Next(1, 6); change > 0 && bytes.Count > 0; change--)
        {
            // Headers are where readers break: half of the changes fall on the first 64 bytes.
            var at = random.Next(random.Next(2) == 0 ? Math.Min(64, bytes.Count) : bytes.Count);
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes[at] = random.Next(2) == 0 ? (byte)0 : (byte)0xFF; break;
                case 3: bytes.RemoveRange(at, Math.Min(random.Next(1, 9), bytes.Count - at)); break;
                case 4: bytes.InsertRange(at, new byte[random.Next(1, 9)]); break;
                default:
                    if (random.Next(4) == 0) bytes.RemoveRange(at, bytes.Count - at);
                    else for (var i = at; i < Math.Min(at + 4, bytes.Count); i++) bytes[i] = 0xFF;
                    break;
            }
        }
        return [.. bytes];
    }

    /// <summary>The refusal's one line, or null when the reader accepted. Any other exception fails the test.</summary>
    public static string? Refusal(Action read)
    {
        try
        {
            read();
            return null;
        }
        catch (I2MException e)
        {
            Assert.DoesNotContain('\n', e.Message);
            return e.Message;
        }
    }
}
