using I2M.Kernels;
using I2M.Testing;
using Xunit;

namespace I2M.Autograd.Tests;

/// <summary>Convolutions against their definition, in double.</summary>
public sealed class Conv2dTests
{
    private static readonly (int[] Input, int Out, Conv2dGeometry Geometry)[] s_cases =
    [
        ([2, 7, 5, 3], 4, new Conv2dGeometry(3, 3, PadHeight: 1, PadWidth: 1)),
        ([1, 11, 9, 2], 3, new Conv2dGeometry(5, 7, 2, 2, 2, 3)),
        ([2, 10, 3, 4], 2, new Conv2dGeometry(5, 1, StrideHeight: 3, PadHeight: 2)),
        ([1, 4, 4, 1], 1, new Conv2dGeometry(2, 3)),
    ];

    public static TheoryData<string, int> Rows => Backends.With(Enumerable.Range(0, s_cases.Length));

    /// <summary>y is linear in x and in the weight, so the gradient of Σ r·y must give Σ r·y back when it meets what it is a gradient for.</summary>
    [Theory, MemberData(nameof(Rows))]
    public void ValuesAndGradientsAreThoseOfTheDefinition(string backendName, int index)
    {
        IBackend backend = Backends.Get(backendName);
        var (input, outputs, g) = s_cases[index];
        var random = new RandomData((ulong)index + 1);
        int[] weightShape = [outputs, g.KernelHeight, g.KernelWidth, input[3]], outShape = [input[0], g.OutHeight(input[1]), g.OutWidth(input[2]), outputs];
        float[] x = random.Normal(Count(input)), w = random.Normal(Count(weightShape)), bias = random.Normal(outputs), r = random.Normal(Count(outShape));
        double[] expected = Reference(x, input, w, weightShape, bias, g, outShape);
        using var scope = new TensorScope();
        Tensor tx = Tensor.Variable(backend, x, input), tw = Tensor.Variable(backend, w, weightShape), tb = Tensor.Variable(backend, bias, outputs);
        Tensor y = tx.Conv2d(tw, tb, g);
        Assert.Equal(outShape, y.Shape.ToArray());
        y.Backward(Tensor.From(backend, r, outShape));
        var error = new WorstError($"conv2d {index} on {backendName}", ModelTolerance.VocosGradients);
        error.Add("y", y.ToArray(), expected);
        float[] otherX = random.Normal(x.Length), otherW = random.Normal(w.Length), none = new float[outputs];
        error.Add("dx", Dot(tx.GradientToArray(), otherX), Dot(r, Reference(otherX, input, w, weightShape, none, g, outShape)));
        error.Add("dw", Dot(tw.GradientToArray(), otherW), Dot(r, Reference(x, input, otherW, weightShape, none, g, outShape)));
        error.Add("dbias", Dot(tb.GradientToArray(), bias), Dot(r, Reference(new float[x.Length], input, w, weightShape, bias, g, outShape)));
        error.Check();
    }

    private static int Count(int[] shape) => shape.Aggregate(1, (a, b) => a * b);

    private static float[] Dot(float[] a, float[] b) => [(float)a.Zip(b, (p, q) => (double)p * q).Sum()];

    private static double[] Dot(float[] a, double[] b) => [a.Zip(b, (p, q) => p * q).Sum()];

    private static double[] Reference(float[] x, int[] input, float[] w, int[] kernel, float[] bias, Conv2dGeometry g, int[] output)
    {
        var y = new double[Count(output)];
        for (int i = 0; i < y.Length; i++)
        {
            int o = i % output[3], column = i / output[3] % output[2], row = i / output[3] / output[2] % output[1], b = i / output[3] / output[2] / output[1];
            y[i] = bias[o];
            for (int k = 0; k < kernel[1] * kernel[2] * kernel[3]; k++)
            {
                int c = k % kernel[3], h = row * g.StrideHeight + k / kernel[3] / kernel[2] - g.PadHeight, v = column * g.StrideWidth + k / kernel[3] % kernel[2] - g.PadWidth;
                if (h >= 0 && h < input[1] && v >= 0 && v < input[2])
                {
                    y[i] += (double)w[o * kernel[1] * kernel[2] * kernel[3] + k] * x[((b * input[1] + h) * input[2] + v) * input[3] + c];
                }
            }
        }
        return y;
    }
}
