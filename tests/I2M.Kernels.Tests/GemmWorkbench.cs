using System.Reflection;
using System.Runtime.InteropServices;
using I2M.Kernels.Ilgpu;
using I2M.PtxEmulator;
using ILGPU.Runtime.Cuda;

namespace I2M.Kernels.Tests;

/// <summary>
/// One product m×n×k on the emulator from PTX text, which a test may change first. Factors are small integers, so that every sum is exact in every format and a result
/// is right or wrong. Every buffer is an allocation of its own, to the byte.
/// </summary>
internal sealed class GemmWorkbench(MethodInfo kernel, ElementType type, GemmLayout layout, int tileRows, int tileColumns) : IDisposable
{
    private readonly KernelEntry _entry = KernelEntry.Of(kernel);
    private readonly DeviceMemory _memory = new();

    /// <summary>The kernel's PTX.</summary>
    public string Text()
    {
        using var compiler = new PtxCompiler(CudaArchitecture.SM_80);
        return compiler.Compile(_entry).Text;
    }

    /// <summary>Runs the text; leading dimensions are rows' lengths rounded up to 16 bytes.</summary>
    /// <returns>What the emulator saw, and elements of c that are wrong.</returns>
    public (LaunchReport Report, int Wrong) Run(string text, int m, int n, int k)
    {
        GemmShape shape = new(layout, m, n, k);
        int unit = type == ElementType.BFloat16 ? 8 : 4, leadingA = Up(shape.LeadingA), leadingB = Up(shape.LeadingB);
        int rowsA = shape.TransposeA ? k : m, rowsB = shape.TransposeB ? n : k;
        float[] a = Integers(rowsA * leadingA, 7), b = Integers(rowsB * leadingB, 5);
        ulong atA = Buffer(a, (rowsA - 1) * leadingA + shape.LeadingA), atB = Buffer(b, (rowsB - 1) * leadingB + shape.LeadingB), atC = _memory.Allocate(m * n * sizeof(float));
        var sizes = new CudaGemmSizes
        {
            M = m,
            N = n,
            K = k,
            RowTiles = (m + tileRows - 1) / tileRows,
            ColumnTiles = (n + tileColumns - 1) / tileColumns,
            LeadingA = leadingA,
            LeadingB = leadingB,
            LeadingC = n,
            Wide = n % 4 == 0 ? 1 : 0,
        };
        var launch = new LaunchShape(sizes.RowTiles * sizes.ColumnTiles, 1, 1, _entry.MaxThreads, 1, 1, _entry.SharedBytes);
        LaunchReport report = new PtxMachine(_memory, new EmulatorOptions()).Run(PtxModule.Parse(text).Kernels.Values.Single(), launch, Parameters(atA, atB, atC, m * n, sizes));
        float[] c = _memory.Read<float>(atC, m * n);
        int wrong = 0;
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                float sum = 0;
                for (int x = 0; x < k; x++) { sum += a[shape.TransposeA ? x * leadingA + i : i * leadingA + x] * b[shape.TransposeB ? j * leadingB + x : x * leadingB + j]; }
                if (c[i * n + j] != sum) { wrong++; }
            }
        }
        return (report, wrong);

        int Up(int length) => (length + unit - 1) / unit * unit;
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    /// <summary>Whole numbers from −4 to 4 in an order without a short period.</summary>
    private static float[] Integers(int length, uint seed)
    {
        var values = new float[length];
        for (int i = 0; i < length; i++)
        {
            seed = seed * 1664525 + 1013904223;
            values[i] = (int)(seed >> 24) % 9 - 4;
        }
        return values;
    }

    private ulong Buffer(float[] values, int length)
    {
        ulong address = _memory.Allocate((long)length * (type == ElementType.BFloat16 ? 2 : 4));
        if (type == ElementType.BFloat16) { _memory.Write<ushort>(address, [.. values.Take(length).Select(v => (ushort)(BitConverter.SingleToUInt32Bits(v) >> 16))]); }
        else { _memory.Write<float>(address, values.AsSpan(0, length)); }
        return address;
    }

    /// <summary>Two addresses, five views (all of c), the sizes; everything is aligned to 8 bytes.</summary>
    private static byte[] Parameters(ulong a, ulong b, ulong c, long length, CudaGemmSizes sizes)
    {
        ulong view = (ulong)length;
        ulong[] words = [a, b, c, view, c, view, c, view, c, view, c, view];
        return [.. MemoryMarshal.AsBytes(words.AsSpan()), .. MemoryMarshal.AsBytes(new ReadOnlySpan<CudaGemmSizes>(in sizes))];
    }
}
