using I2M.Model.Dit;

namespace I2M.Model.Benchmarks.Reference;

/// <summary>
/// Both diffusion transformers (<see cref="SimpleDit"/>, <see cref="ImageDit"/>) in double precision from weights under their checkpoint names. What
/// it takes for granted are the timestep's sinusoids, which are computed in double anyway.
/// </summary>
/// <param name="config">Sizes and variant.</param>
/// <param name="weights">Parameter name → values.</param>
internal sealed class DoubleDit(DitConfig config, IReadOnlyDictionary<string, double[]> weights)
{
    private const double Eps = 1e-6;
    private readonly int _hidden = config.Hidden;

    /// <summary>The prediction [batch, melTokens, melTokenLength].</summary>
    /// <param name="x">Noisy mel tokens [batch, melTokens, melTokenLength].</param>
    /// <param name="timesteps">One per sample.</param>
    /// <param name="image">Image tokens [batch, imageTokens, imageTokenLength].</param>
    /// <param name="keep">[batch]: 0 takes the null condition.</param>
    public double[] Predict(double[] x, int[] timesteps, double[] image, float[] keep)
    {
        double[] context = config.CompatSeed ? SeedContext(image, keep) : TowerContext(image, keep);
        double[] time = Linear("time_embed.mlp.2", Activate(Linear("time_embed.mlp.0", DoubleMath.Widen(TimestepEmbedding.FeaturesOf(timesteps, config.CompatSeed)), TimestepEmbedding.Features), DoubleMath.Silu));
        if (!config.CompatSeed) { time = Add(time, Linear("pool_proj", MeanTokens(context, config.ImageTokens))); }
        double[] activated = Activate(time, DoubleMath.Silu);
        double[] h = AddPositions(Linear("mel_proj", x, config.MelTokenLength), "pos_embed_mel");
        for (int i = 0; i < config.Layers; i++) { h = Block($"blocks.{i}.", h, activated, context); }
        double[] modulation = Linear(config.CompatSeed ? "final_norm.linear" : "final_modulation", activated);
        return Linear("final_linear", config.CompatSeed ? AdaNorm(h, modulation, 0, 1) : AdaNorm(h, modulation, 1, 0));
    }

    private double[] SeedContext(double[] image, float[] keep)
    {
        int sample = config.ImageTokens * config.ImageTokenLength;
        var kept = new double[image.Length];
        for (int i = 0; i < kept.Length; i++) { kept[i] = keep[i / sample] * image[i]; }
        return AddPositions(Linear("img_proj", kept, config.ImageTokenLength), "pos_embed_img");
    }

    private double[] TowerContext(double[] image, float[] keep)
    {
        double[] h = AddPositions(Linear("img_proj", image, config.ImageTokenLength), "pos_embed_img");
        for (int i = 0; i < config.ImageTowerLayers; i++)
        {
            string name = $"image_tower.{i}.";
            h = Add(h, SelfAttention(name + "attn.", Norm(name + "norm1", h), config.ImageTokens));
            h = Add(h, Mlp(name + "mlp.", Norm(name + "norm2", h)));
        }
        double[] context = Norm("image_norm", h), absent = weights["null_context"];
        for (int i = 0; i < context.Length; i++)
        {
            if (keep[i / absent.Length] == 0) { context[i] = absent[i % absent.Length]; }
        }
        return context;
    }

    private double[] Block(string name, double[] x, double[] activated, double[] context)
    {
        if (config.CompatSeed)
        {
            x = Add(x, SelfAttention(name + "attn1.", AdaNorm(x, Linear(name + "norm1.linear", activated), 0, 1), config.MelTokens));
            x = Add(x, CrossAttention(name + "attn2.", AdaNorm(x, Linear(name + "norm2.linear", activated), 0, 1), context));
            return Add(x, Mlp(name + "mlp.", AdaNorm(x, Linear(name + "norm3.linear", activated), 0, 1)));
        }
        return Branches(name, x, context, Linear(name + "adaLN_modulation", activated));
    }

    /// <summary>A block of <see cref="ImageDit"/>, [batch, melTokens, hidden] → the same.</summary>
    /// <param name="name">What its weights' names begin with.</param>
    /// <param name="x">[batch, melTokens, hidden]</param>
    /// <param name="context">[batch, imageTokens, hidden]</param>
    /// <param name="m">Shift, scale and gate of the three branches, [batch, at least 9·hidden].</param>
    public double[] Branches(string name, double[] x, double[] context, double[] m)
    {
        x = AddGated(x, SelfAttention(name + "attn1.", AdaNorm(x, m, 1, 0), config.MelTokens), m, 2);
        x = AddGated(x, CrossAttention(name + "attn2.", AdaNorm(x, m, 4, 3), context), m, 5);
        return AddGated(x, Mlp(name + "mlp.", AdaNorm(x, m, 7, 6)), m, 8);
    }

    private double[] SelfAttention(string name, double[] x, int tokens)
    {
        int width = 3 * _hidden, batch = x.Length / (tokens * _hidden);
        double[] qkv = DoubleMath.Linear(x, _hidden, weights[name + "in_proj_weight"], weights[name + "in_proj_bias"], 0, width);
        double[] o = DoubleMath.Attention((qkv, 0, width), (qkv, _hidden, width), (qkv, 2 * _hidden, width), batch, config.Heads, tokens, tokens, _hidden / config.Heads);
        return Linear(name + "out_proj", o);
    }

    private double[] CrossAttention(string name, double[] x, double[] context)
    {
        double[] weight = weights[name + "in_proj_weight"], bias = weights[name + "in_proj_bias"];
        double[] q = DoubleMath.Linear(x, _hidden, weight, bias, 0, _hidden), kv = DoubleMath.Linear(context, _hidden, weight, bias, _hidden, 2 * _hidden);
        int batch = x.Length / (config.MelTokens * _hidden);
        double[] o = DoubleMath.Attention((q, 0, _hidden), (kv, 0, 2 * _hidden), (kv, _hidden, 2 * _hidden), batch, config.Heads, config.MelTokens, config.ImageTokens, _hidden / config.Heads);
        return Linear(name + "out_proj", o);
    }

    private double[] Mlp(string name, double[] x) =>
        Linear(name + "2", Activate(Linear(name + "0", x), config.GeluTanh ? DoubleMath.GeluTanh : DoubleMath.GeluErf), 4 * _hidden);

    private double[] Linear(string name, double[] x, int inputs = 0)
    {
        double[] bias = weights[name + ".bias"];
        return DoubleMath.Linear(x, inputs == 0 ? _hidden : inputs, weights[name + ".weight"], bias, 0, bias.Length);
    }

    private double[] Norm(string name, double[] x)
    {
        double[] weight = weights[name + ".weight"], bias = weights[name + ".bias"];
        return DoubleMath.LayerNorm(x, _hidden, Eps, (_, c) => weight[c], (_, c) => bias[c]);
    }

    private double[] AdaNorm(double[] x, double[] modulation, int scale, int shift) => DoubleMath.LayerNorm(x, _hidden, Eps,
        (r, c) => 1 + Chunk(modulation, r / config.MelTokens, scale, c, x), (r, c) => Chunk(modulation, r / config.MelTokens, shift, c, x));

    private double[] AddGated(double[] x, double[] h, double[] modulation, int gate)
    {
        var y = new double[x.Length];
        for (int i = 0; i < y.Length; i++) { y[i] = x[i] + Chunk(modulation, i / _hidden / config.MelTokens, gate, i % _hidden, x) * h[i]; }
        return y;
    }

    /// <summary>Element c of a chunk of a sample's row of the modulation [batch, chunks·hidden].</summary>
    private double Chunk(double[] modulation, int sample, int chunk, int c, double[] x)
    {
        int batch = x.Length / (config.MelTokens * _hidden);
        return modulation[sample * (modulation.Length / batch) + chunk * _hidden + c];
    }

    private double[] AddPositions(double[] x, string name)
    {
        double[] positions = weights[name];
        for (int i = 0; i < x.Length; i++) { x[i] += positions[i % positions.Length]; }
        return x;
    }

    private double[] MeanTokens(double[] x, int tokens)
    {
        var mean = new double[x.Length / tokens];
        for (int i = 0; i < x.Length; i++) { mean[i / (tokens * _hidden) * _hidden + i % _hidden] += x[i] / tokens; }
        return mean;
    }

    private static double[] Activate(double[] x, Func<double, double> f) => DoubleMath.Map(x, f);

    private static double[] Add(double[] a, double[] b)
    {
        var y = new double[a.Length];
        for (int i = 0; i < y.Length; i++) { y[i] = a[i] + b[i]; }
        return y;
    }
}
