using System.Text.Json.Serialization;
using I2M.Kernels;

namespace I2M.Autograd;

/// <summary>
/// How exactly a model computes. Weights, their gradients and moments, norms and their statistics, softmax statistics, the residual stream, modulations,
/// the time embedding and the loss are float32 in every mode, and every sum is.
/// </summary>
public enum Precision
{
    /// <summary>float32 throughout.</summary>
    [JsonStringEnumMemberName("f32")]
    Float32,

    /// <summary>float32 in memory; a device may round the factors of matrix products to 10 bits of mantissa, as CUDA's tensor cores do. Others multiply in full.</summary>
    [JsonStringEnumMemberName("tf32")]
    TensorFloat32,

    /// <summary>
    /// What flows between the norms, products and attention of a block, forward and backward, is stored in bfloat16, and products over tokens read a bfloat16
    /// copy of the weights: half the memory and, on tensor cores, many times the rate. The roundings are at the same places on every device.
    /// </summary>
    [JsonStringEnumMemberName("bf16")]
    BFloat16,
}

/// <summary>The one place that says what a <see cref="Precision"/> means. Modules ask here; operations then follow the types of their operands.</summary>
public static class PrecisionPolicy
{
    private static readonly (string Name, Precision Precision)[] s_names =
        [("f32", Precision.Float32), ("tf32", Precision.TensorFloat32), ("bf16", Precision.BFloat16)];

    /// <summary>The names that <see cref="Parse"/> takes.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. s_names.Select(n => n.Name)];

    /// <summary>How activations between the operations of a block are stored: what norms give and products over tokens read.</summary>
    public static ElementType Activations(this Precision precision) => precision == Precision.BFloat16 ? ElementType.BFloat16 : ElementType.Float32;

    /// <summary>What products of float32 factors may lose. In bfloat16 mode those are the few over one row a sample, and stay exact.</summary>
    public static MatmulPrecision Products(this Precision precision) => precision == Precision.TensorFloat32 ? MatmulPrecision.TensorFloat32 : MatmulPrecision.Float32;

    /// <summary>What most products of a step compute in, for rates and peaks.</summary>
    public static Arithmetic Arithmetic(this Precision precision) => precision switch
    {
        Precision.TensorFloat32 => Kernels.Arithmetic.TensorFloat32,
        Precision.BFloat16 => Kernels.Arithmetic.BFloat16,
        _ => Kernels.Arithmetic.Float32,
    };

    /// <summary>True where products read a bfloat16 copy of the weights.</summary>
    public static bool CopiesWeights(this Precision precision) => precision.Activations() == ElementType.BFloat16;

    /// <summary>f32, tf32 or bf16.</summary>
    public static string Name(this Precision precision) => Array.Find(s_names, n => n.Precision == precision).Name;

    /// <summary>The precision of that name.</summary>
    /// <param name="name">f32, tf32 or bf16.</param>
    /// <exception cref="I2MException">Another name.</exception>
    public static Precision Parse(string name)
    {
        int i = Array.FindIndex(s_names, n => n.Name == name);
        return i >= 0 ? s_names[i].Precision : throw new I2MException($"--precision {name}: expected one of {string.Join(", ", Names)}");
    }
}
