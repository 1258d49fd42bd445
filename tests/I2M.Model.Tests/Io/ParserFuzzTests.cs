using I2M.Kernels;
using I2M.Model.Io;
using Xunit;

namespace I2M.Model.Tests.Io;

/// <summary>
/// Seeded mutations of small valid files: whatever comes out is a value or a <see cref="BadFileException"/>, and neither takes
/// more memory than a small multiple of the file.
/// </summary>
public sealed class ParserFuzzTests : IDisposable
{
    private const int Mutations = 50_000;
    private const long AllocationLimit = 512 << 10; // files are below 2 KiB; a refusal with its stack trace takes about 20 KiB

    /// <summary>Bytes that mean something in JSON or in a pickle.</summary>
    private static ReadOnlySpan<byte> Meaningful => "0123456789[]{},:\"\\-e.tRQ(uac}]bhqXJKMGN\u0085"u8;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void MutatedSafetensorsOnlyGiveBadFile()
    {
        SafetensorsWriter.Write(_folder.File("seed"),
        [
            TensorData.Singles("layer.weight", [2, 3], new float[6]), TensorData.Int64s("step", [], new long[1]),
            TensorData.Bytes("mask", [3], new byte[3]), TensorData.BFloat16s("empty", [0, 7], Array.Empty<float>()),
        ], new Dictionary<string, string> { ["format"] = "pt" });
        Fuzz(20_261, File.ReadAllBytes(_folder.File("seed")), path =>
        {
            using var file = SafetensorsFile.Open(path);
            foreach (string name in file.Tensors.Keys) file.ReadDoubles(name);
        });
    }

    [Fact]
    public void MutatedTorchFilesOnlyGiveBadFile()
    {
        TorchFile.Save(_folder.File("seed"), new TorchDict
        {
            { "w", TorchTensor.FromSingles([2, 2], new float[4]) },
            { "config", new TorchDict(isOrdered: true) { { "lr", new TorchFloat(1e-4) }, { "betas", new TorchTuple(new TorchFloat(0.9)) }, { 7, new TorchList(new TorchNone()) } } },
        });
        Fuzz(20_262, File.ReadAllBytes(_folder.File("seed")), path => ReadTensors(TorchFile.Load(path)));
    }

    private static void ReadTensors(TorchValue value)
    {
        if (value is TorchTensor tensor) tensor.ToDoubles();
        foreach (TorchValue item in value is TorchDict dict ? dict.Select(pair => pair.Value) : value as IEnumerable<TorchValue> ?? []) ReadTensors(item);
    }

    private void Fuzz(int seed, byte[] original, Action<string> read)
    {
        var random = new Random(seed);
        string path = _folder.File("mutant");
        int accepted = 0;
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        for (int i = 0; i < Mutations; i++)
        {
            byte[] mutant = Mutate(random, original);
            RandomAccess.Write(stream.SafeFileHandle, mutant, 0);
            RandomAccess.SetLength(stream.SafeFileHandle, mutant.Length);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(path);
                accepted++;
            }
            catch (BadFileException)
            {
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, mutation {i}: {e}");
            }
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < AllocationLimit, $"seed {seed}, mutation {i}: allocated {allocated} bytes for {mutant.Length}");
        }
        Assert.InRange(accepted, 1, Mutations - 1);
        TestContext.Current.TestOutputHelper?.WriteLine($"{Mutations} mutations, {accepted} still valid");
    }

    /// <summary>One to four changes: a bit, a byte, a run copied, removed or repeated, a number made extreme, a cut.</summary>
    private static byte[] Mutate(Random random, byte[] original)
    {
        var bytes = new List<byte>(original);
        for (int changes = random.Next(1, 5); changes > 0 && bytes.Count > 0; changes--)
        {
            int at = random.Next(bytes.Count), length = Math.Min(random.Next(1, 16), bytes.Count - at);
            switch (random.Next(7))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length)); break;
                case 3: bytes.RemoveRange(at, length); break;
                case 4: for (int i = 0; i < length; i++) bytes[at + i] = 0xFF; break;
                case 5: bytes[at] = Meaningful[random.Next(Meaningful.Length)]; break;
                default: if (random.Next(4) == 0) bytes.RemoveRange(at, bytes.Count - at); break;
            }
        }
        return [.. bytes];
    }
}
