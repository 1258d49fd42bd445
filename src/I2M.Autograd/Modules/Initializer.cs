using I2M.Kernels;

namespace I2M.Autograd.Modules;

/// <summary>Fills a parameter of the given shape from random stream <paramref name="stream"/> of a seed.</summary>
public delegate void Initializer(Span<float> values, ReadOnlySpan<int> shape, ulong seed, ulong stream);

/// <summary>The usual initialisers. A weight's shape is [out, in, …]: fan-in is the product of all but the first size.</summary>
public static class Initializers
{
    /// <summary>All zeros.</summary>
    public static readonly Initializer Zeros = static (values, _, _, _) => values.Clear();

    /// <summary>All ones.</summary>
    public static readonly Initializer Ones = Constant(1);

    /// <summary>PyTorch's default for linear and convolution weights, kaiming_uniform_(a=√5): U(±1/√fan_in).</summary>
    public static readonly Initializer KaimingUniform = static (values, shape, seed, stream) => Uniform(values, 1 / Math.Sqrt(FanIn(shape)), seed, stream);

    /// <summary>Glorot's: U(±√(6/(fan_in + fan_out))).</summary>
    public static readonly Initializer XavierUniform = static (values, shape, seed, stream) =>
        Uniform(values, Math.Sqrt(6 / (FanIn(shape) + (double)values.Length / FanIn(shape))), seed, stream);

    /// <summary>One value everywhere.</summary>
    public static Initializer Constant(float value) => (values, _, _, _) => values.Fill(value);

    /// <summary>PyTorch's default for the bias of a linear layer: U(±1/√fan_in) with the weight's fan-in.</summary>
    public static Initializer UniformBias(int fanIn) => (values, _, seed, stream) => Uniform(values, 1 / Math.Sqrt(fanIn), seed, stream);

    /// <summary>Normal with mean 0.</summary>
    public static Initializer Normal(double deviation) => (values, _, seed, stream) =>
    {
        for (int i = 0; i < values.Length; i++)
        {
            double u1 = Philox.Uniform(seed, stream, 2L * i), u2 = Philox.Uniform(seed, stream, 2L * i + 1);
            values[i] = (float)(deviation * Math.Sqrt(-2 * Math.Log(u1)) * Math.Cos(2 * Math.PI * u2));
        }
    };

    /// <summary>
    /// Two-dimensional sine–cosine positions of a [1, rows·columns, channels] embedding (MAE and DiT): the first half of the channels encodes the
    /// column, the second the row, each as sin then cos of position / 10000^(2i/half).
    /// </summary>
    public static Initializer SinCos2D(int rows, int columns) => (values, shape, _, _) =>
    {
        int channels = shape[^1], half = channels / 2, frequencies = half / 2;
        values.Clear();
        for (int token = 0; token < rows * columns; token++)
        {
            Span<float> row = values.Slice(token * channels, channels);
            Encode(row[..half], token % columns, frequencies);
            Encode(row[half..], token / columns, frequencies);
        }
    };

    private static void Encode(Span<float> target, double position, int frequencies)
    {
        for (int i = 0; i < frequencies; i++)
        {
            double angle = position / Math.Pow(10000, (double)i / frequencies);
            target[i] = (float)Math.Sin(angle);
            target[frequencies + i] = (float)Math.Cos(angle);
        }
    }

    private static int FanIn(ReadOnlySpan<int> shape)
    {
        int fanIn = 1;
        foreach (int size in shape[1..]) { fanIn *= size; }
        return fanIn;
    }

    private static void Uniform(Span<float> values, double bound, ulong seed, ulong stream)
    {
        for (int i = 0; i < values.Length; i++) { values[i] = (float)((2 * Philox.Uniform(seed, stream, i) - 1) * bound); }
    }
}
