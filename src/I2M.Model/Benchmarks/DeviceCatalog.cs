using I2M.Autograd;
using I2M.Kernels;
using I2M.Model.Benchmarks.Cases;

namespace I2M.Model.Benchmarks;

/// <summary>
/// The cases of GPUs. G0 ceilings, G1 products of the forward pass, G2 of both gradients, G3 square ones, G4 with few rows, G5 in float32 and tf32,
/// G6 and G7 attention forward and backward, G8 what memory bounds, G9 one block of the network, G10 whole training steps, G11 whole samples, G12 the vocoder,
/// G13 the cost of a launch. Devices with tensor cores multiply bfloat16, others float32.
/// </summary>
internal static class DeviceCatalog
{
    /// <summary>All cases of a device at some sizes.</summary>
    /// <param name="probe">The device.</param>
    /// <param name="s">The sizes.</param>
    public static IEnumerable<BenchmarkEntry> Cases(IDeviceProbe probe, DeviceSizes s)
    {
        bool tensor = probe.CanLoop(Arithmetic.BFloat16);
        Arithmetic arithmetic = tensor ? Arithmetic.BFloat16 : Arithmetic.Float32;
        return Ceilings(probe, s).Concat(Products(s, arithmetic)).Concat(Float32Products(s, tensor)).Concat(Attention(s, arithmetic)).Concat(MemoryBound(s, tensor))
            .Concat(Steps(s, tensor)).Concat(Launches(probe));
    }

    /// <summary>Blocks, whole steps, samples and decoding. Processors under OpenCL leave them out: a training step of the full model takes minutes there.</summary>
    private static IEnumerable<BenchmarkEntry> Steps(DeviceSizes s, bool tensor)
    {
        if (s.Training is not { } training) { yield break; }
        Precision precise = tensor ? Precision.BFloat16 : Precision.Float32;
        foreach (var (name, backward) in new[] { ("fwd", false), ("fwd_bwd", true) })
        {
            yield return new BenchmarkEntry($"g9_block_{name}_{precise.Name()}_b{training.BatchSize}", b => new BlockCase(b, training.Model, training.BatchSize, precise, backward));
        }
        foreach (Precision precision in tensor ? new[] { Precision.Float32, Precision.TensorFloat32, Precision.BFloat16 } : [Precision.Float32])
        {
            yield return new BenchmarkEntry($"g10_train_step_{precision.Name()}_b{training.BatchSize}", b => new TrainStepCase(b, training with { Precision = precision }, inDouble: false));
        }
        foreach (SamplingWay way in Enum.GetValues<SamplingWay>())
        {
            string name = $"g11_ddim{s.SamplingSteps}_{precise.Name()}_{way}".ToLowerInvariant();
            yield return new BenchmarkEntry(name, b => new SamplingCase(b, training.Model, precise, s.SamplingSteps, way));
        }
        foreach (var (batch, frames) in s.Decoding)
        {
            yield return new BenchmarkEntry($"g12_vocos_f32_b{batch}_{frames}", b => new VocosCase(b, frames, batch, s.Vocoder));
        }
    }

    private static IEnumerable<BenchmarkEntry> Launches(IDeviceProbe probe)
    {
        yield return new BenchmarkEntry("g13_1000_launches", b => new LaunchCase(b));
        if (probe is IWorkRecorder { CanRecord: true }) { yield return new BenchmarkEntry("g13_1000_launches_replayed", b => new LaunchCase(b, replayed: true)); }
    }

    private static IEnumerable<BenchmarkEntry> Ceilings(IDeviceProbe probe, DeviceSizes s)
    {
        foreach (Arithmetic arithmetic in new[] { Arithmetic.BFloat16, Arithmetic.TensorFloat32, Arithmetic.Float32 }.Where(probe.CanLoop))
        {
            int rounds = arithmetic == Arithmetic.Float32 ? Math.Max(1, s.LoopRounds / 4) : s.LoopRounds;
            yield return new BenchmarkEntry($"g0_loop_{Short(arithmetic)}", b => new CeilingCase(b, arithmetic, rounds));
        }
        yield return new BenchmarkEntry("g0_copy", b => new CopyCase(b, s.CopyWords));
    }

    private static IEnumerable<BenchmarkEntry> Products(DeviceSizes s, Arithmetic arithmetic) => Shapes(s).Select(p => Product(p.Group, p.Shape, arithmetic, s));

    /// <summary>The products of G1 to G4.</summary>
    public static IEnumerable<(string Group, GemmShape Shape)> Shapes(DeviceSizes s)
    {
        // Outputs and inputs of the linear layers: qkv, attention's output, both of the MLP, keys and values of the image.
        int h = s.Hidden, mel = s.Batch * s.MelTokens, image = s.Batch * s.ImageTokens;
        (int Outputs, int Inputs)[] layers = [(3 * h, h), (h, h), (4 * h, h), (h, 4 * h), (2 * h, h)];
        (int Rows, int Outputs, int Inputs)[] shapes = [.. layers.Select((l, i) => (i == layers.Length - 1 ? image : mel, l.Outputs, l.Inputs))];
        foreach (var (rows, outputs, inputs) in shapes) { yield return ("g1", new GemmShape(GemmLayout.NT, rows, outputs, inputs)); }
        foreach (var (rows, outputs, inputs) in shapes)
        {
            yield return ("g2", new GemmShape(GemmLayout.NN, rows, inputs, outputs));
            yield return ("g2", new GemmShape(GemmLayout.TN, outputs, inputs, rows));
        }
        foreach (int n in s.Squares) { yield return ("g3", new GemmShape(GemmLayout.NT, n, n, n)); }
        foreach (int rows in s.FewRows)
        {
            foreach (var (outputs, inputs) in layers) { yield return ("g4", new GemmShape(GemmLayout.NT, rows, outputs, inputs)); }
        }
    }

    private static IEnumerable<BenchmarkEntry> Float32Products(DeviceSizes s, bool tensor)
    {
        var shape = new GemmShape(GemmLayout.NN, s.SquareFloat32, s.SquareFloat32, s.SquareFloat32);
        yield return Product("g5", shape, Arithmetic.Float32, s);
        if (tensor) { yield return Product("g5", shape, Arithmetic.TensorFloat32, s); }
    }

    /// <summary>A product; weight gradients (TN) are float32, as they are added up over steps.</summary>
    private static BenchmarkEntry Product(string group, GemmShape shape, Arithmetic arithmetic, DeviceSizes s)
    {
        ElementType result = arithmetic == Arithmetic.BFloat16 && shape.Layout != GemmLayout.TN ? ElementType.BFloat16 : ElementType.Float32;
        string name = $"{group}_{shape.Layout}_{Short(arithmetic)}_{shape.M}x{shape.N}x{shape.K}".ToLowerInvariant();
        return new BenchmarkEntry(name, b => new GemmCase(b, shape, arithmetic, result, s.Sets));
    }

    private static IEnumerable<BenchmarkEntry> Attention(DeviceSizes s, Arithmetic arithmetic)
    {
        ElementType type = arithmetic == Arithmetic.BFloat16 ? ElementType.BFloat16 : ElementType.Float32;
        foreach (var (group, passes) in new[] { ("g6_flash_fwd", AttentionPasses.Forward), ("g7_flash_bwd", AttentionPasses.Backward) })
        {
            foreach (var (batch, queries, keys) in s.Attention)
            {
                AttentionShape shape = AttentionOf(s, batch, queries, keys);
                yield return new BenchmarkEntry($"{group}_{Short(arithmetic)}_b{batch}_{queries}x{keys}", b => new AttentionCase(b, shape, passes, type, s.Sets));
            }
        }
    }

    /// <summary>What tuning measures: G6's attention, and self and cross attention of every batch up to the training batch, as the best tile changes with it.</summary>
    public static IEnumerable<AttentionShape> TunedAttention(DeviceSizes s)
    {
        foreach (var (batch, queries, keys) in s.Attention) { yield return AttentionOf(s, batch, queries, keys); }
        for (int batch = 1; batch <= s.Batch; batch *= 2)
        {
            yield return AttentionOf(s, batch, s.MelTokens, s.MelTokens);
            yield return AttentionOf(s, batch, s.MelTokens, s.ImageTokens);
        }
    }

    private static AttentionShape AttentionOf(DeviceSizes s, int batch, int queries, int keys)
    {
        int headDim = s.Hidden / s.Heads;
        return new AttentionShape(batch, s.Heads, queries, keys, headDim, 1 / MathF.Sqrt(headDim));
    }

    private static IEnumerable<BenchmarkEntry> MemoryBound(DeviceSizes s, bool tensor)
    {
        var shape = new ModulationShape(s.Batch, s.MelTokens, s.Hidden, s.Hidden);
        // In mixed precision what goes into a product is bfloat16, the residual stream float32.
        foreach (ElementType type in tensor ? new[] { ElementType.Float32, ElementType.BFloat16 } : [ElementType.Float32])
        {
            string suffix = type == ElementType.BFloat16 ? "_bf16" : "";
            yield return new BenchmarkEntry($"g8_adaln_fwd{suffix}", b => new AdaLayerNormCase(b, shape, backward: false, type, s.Sets));
            yield return new BenchmarkEntry($"g8_adaln_bwd{suffix}", b => new AdaLayerNormCase(b, shape, backward: true, type, s.Sets));
            yield return new BenchmarkEntry($"g8_adamw{suffix}", b => new AdamWCase(b, s.Arena, withShadow: type == ElementType.BFloat16));
        }
        yield return new BenchmarkEntry("g8_gelu_fwd", b => new GeluCase(b, 4L * s.Batch * s.MelTokens * s.Hidden, backward: false, s.Sets));
        yield return new BenchmarkEntry("g8_gelu_bwd", b => new GeluCase(b, 4L * s.Batch * s.MelTokens * s.Hidden, backward: true, s.Sets));
        yield return new BenchmarkEntry("g8_gradient_norm", b => new GradientNormCase(b, s.Arena));
    }

    private static string Short(Arithmetic arithmetic) => arithmetic switch
    {
        Arithmetic.BFloat16 => "bf16",
        Arithmetic.TensorFloat32 => "tf32",
        _ => "f32",
    };
}
