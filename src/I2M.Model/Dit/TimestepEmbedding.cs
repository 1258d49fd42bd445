using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;

namespace I2M.Model.Dit;

/// <summary>Sinusoidal features of the timestep through a two-layer MLP with SiLU: [batch] → [batch, hidden].</summary>
public sealed class TimestepEmbedding : Module
{
    /// <summary>Number of sinusoidal features.</summary>
    public const int Features = 256;

    private readonly TwoLayers _mlp;

    /// <param name="hidden">Channels of the model.</param>
    /// <param name="compatSeed">The original's frequencies and order.</param>
    public TimestepEmbedding(int hidden, bool compatSeed) => _mlp = AddModule("mlp", new TwoLayers(hidden, compatSeed));

    /// <summary>[batch, <see cref="Features"/>] from <see cref="FeaturesOf"/> → [batch, hidden].</summary>
    public Tensor Forward(Tensor features) => _mlp.Forward(features);

    /// <summary>
    /// The features in double, rounded once: DiT's cos then sin of t·10000^(−i/half), or the original's sin then cos of t·10000^(−i/(half−1)).
    /// </summary>
    public static float[] FeaturesOf(ReadOnlySpan<int> timesteps, bool compatSeed)
    {
        var features = new float[timesteps.Length * Features];
        WriteFeatures(timesteps, compatSeed, features);
        return features;
    }

    /// <summary>As <see cref="FeaturesOf"/>, into given memory.</summary>
    public static void WriteFeatures(ReadOnlySpan<int> timesteps, bool compatSeed, Span<float> features)
    {
        const int half = Features / 2;
        for (int b = 0; b < timesteps.Length; b++)
        {
            for (int i = 0; i < half; i++)
            {
                double angle = timesteps[b] * Math.Exp(-Math.Log(10000) * i / (compatSeed ? half - 1 : half));
                features[b * Features + i] = (float)(compatSeed ? Math.Sin(angle) : Math.Cos(angle));
                features[b * Features + half + i] = (float)(compatSeed ? Math.Cos(angle) : Math.Sin(angle));
            }
        }
    }

    private sealed class TwoLayers : Module
    {
        private readonly Linear _first, _second;

        public TwoLayers(int hidden, bool compatSeed)
        {
            Initializer weight = compatSeed ? Initializers.KaimingUniform : Initializers.Normal(0.02);
            _first = AddModule("0", new Linear(Features, hidden, weight, compatSeed ? Initializers.UniformBias(Features) : null));
            _second = AddModule("2", new Linear(hidden, hidden, weight, compatSeed ? Initializers.UniformBias(hidden) : null));
        }

        public Tensor Forward(Tensor features)
        {
            using Tensor h = _first.Forward(features);
            using Tensor a = h.Silu();
            return _second.Forward(a);
        }
    }
}
