using I2M.Kernels;

namespace I2M.Testing;

/// <summary>AdamW, its moving average and gradient clipping in double precision (Loshchilov and Hutter 2019, PyTorch's form).</summary>
public sealed class AdamWReference
{
    /// <summary>The parameters.</summary>
    public double[] Parameter { get; }
    /// <summary>First moments.</summary>
    public double[] FirstMoment { get; }
    /// <summary>Second moments.</summary>
    public double[] SecondMoment { get; }

    /// <param name="parameter">Initial parameters.</param>
    /// <param name="first">Initial first moments.</param>
    /// <param name="second">Initial second moments.</param>
    public AdamWReference(float[] parameter, float[] first, float[] second)
    {
        Parameter = Array.ConvertAll(parameter, x => (double)x);
        FirstMoment = Array.ConvertAll(first, x => (double)x);
        SecondMoment = Array.ConvertAll(second, x => (double)x);
    }

    /// <summary>One step with g = gradientScale · gradient.</summary>
    public void Step(float[] gradient, double gradientScale, AdamWStep s)
    {
        double beta1 = s.Beta1, beta2 = s.Beta2, rate = s.LearningRate;
        double correction1 = 1 - Math.Pow(beta1, s.Step), correction2 = 1 - Math.Pow(beta2, s.Step);
        for (int i = 0; i < Parameter.Length; i++)
        {
            double g = gradientScale * gradient[i];
            Parameter[i] *= 1 - rate * s.WeightDecay;
            FirstMoment[i] = beta1 * FirstMoment[i] + (1 - beta1) * g;
            SecondMoment[i] = beta2 * SecondMoment[i] + (1 - beta2) * g * g;
            Parameter[i] -= rate / correction1 * FirstMoment[i] / (Math.Sqrt(SecondMoment[i]) / Math.Sqrt(correction2) + s.Epsilon);
        }
    }
}
