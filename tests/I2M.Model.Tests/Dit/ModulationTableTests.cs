using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Dit;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Dit;

/// <summary>A sampler that computes all modulations beforehand gets the numbers of one that computes each when it needs it.</summary>
public sealed class ModulationTableTests
{
    private const int Batch = 2, Steps = 50;
    private static readonly int[] s_timesteps = [.. Enumerable.Range(0, Steps).Select(i => 999 - 19 * i)];

    private static DitConfig Config { get; } = new()
    {
        MelBands = 8,
        MelFrames = 12,
        MelPatchBands = 4,
        MelPatchFrames = 4,
        ImageSize = 8,
        ImagePatch = 4,
        Hidden = 96,
        Layers = 2,
        Heads = 2,
        ImageTowerLayers = 1,
    };

    public static TheoryData<string, bool> Rows
    {
        get
        {
            var rows = new TheoryData<string, bool>();
            foreach (string name in Backends.Names)
            {
                rows.Add(name, false);
                rows.Add(name, true);
            }
            return rows;
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public void OneTableEqualsATablePerStepToTheBit(string backend, bool compatSeed)
    {
        using Setup setup = Create(backend, compatSeed);
        using ModulationTable all = setup.Model.Modulate(s_timesteps, setup.Condition);
        foreach (int step in new[] { 0, 1, 7, 31, 49 })
        {
            using ModulationTable own = setup.Model.Modulate([s_timesteps[step]], setup.Condition);
            float[] expected = setup.Model.Denoise(setup.X, own, 0, setup.Condition).ToArray();
            Assert.Equal(expected, setup.Model.Denoise(setup.X, all, step, setup.Condition).ToArray());
            Assert.Contains(expected, value => value != 0);
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public void ATableGivesThePredictionOfItsTimestep(string backend, bool compatSeed)
    {
        using Setup setup = Create(backend, compatSeed);
        using ModulationTable table = setup.Model.Modulate(s_timesteps, setup.Condition);
        var error = new WorstError($"modulation table on {backend}, compat {compatSeed}", ModelTolerance.Rebatched);
        foreach (int step in new[] { 0, 20, 49 })
        {
            float[] expected = setup.Model.Denoise(setup.X, [s_timesteps[step], s_timesteps[step]], setup.Condition).ToArray();
            error.Add($"step {step}", setup.Model.Denoise(setup.X, table, step, setup.Condition).ToArray(), [.. expected.Select(v => (double)v)]);
        }
        error.Check();
        float[] first = setup.Model.Denoise(setup.X, table, 0, setup.Condition).ToArray();
        Assert.NotEqual(first, setup.Model.Denoise(setup.X, table, 20, setup.Condition).ToArray());
    }

    /// <summary>One part of a list or another: more samples than fit one table at once.</summary>
    [Fact]
    public void LongListsAreCutWithoutAnotherBit()
    {
        using Setup setup = Create("host", compatSeed: false);
        int[] timesteps = [.. Enumerable.Range(0, 300).Select(i => 999 - 3 * i)];
        using var modulations = new SamplingModulations(setup.Model, timesteps, setup.Condition, Batch);
        using ModulationTable whole = setup.Model.Modulate(timesteps, setup.Condition);
        foreach (int i in new[] { 0, 63, 64, 200, 299, 5 })
        {
            var (table, step) = modulations.At(timesteps[i]);
            Assert.Equal(setup.Model.Denoise(setup.X, whole, i, setup.Condition).ToArray(), setup.Model.Denoise(setup.X, table, step, setup.Condition).ToArray());
        }
        Assert.Throws<ArgumentException>(() => modulations.At(1000));
    }

    private static Setup Create(string backend, bool compatSeed)
    {
        IBackend device = Backends.Get(backend);
        DitModel model = DitModel.Create(Config with { CompatSeed = compatSeed });
        var arena = new ParameterArena(device, model, seed: 3, trainable: false);
        var random = new RandomData(3);
        // A new model's modulations are zero.
        foreach (ParameterArena.Entry entry in arena.Entries)
        {
            arena.Write(entry, arena.Values, [.. arena.Read(entry, arena.Values).Zip(random.Normal(entry.Parameter.Length, 0.05), (a, b) => a + b)]);
        }
        var scope = new TensorScope();
        GradMode.Restorer noGrad = GradMode.NoGrad();
        Tensor x = Tensor.From(device, random.Normal(Batch * Config.MelTokens * Config.MelTokenLength), Batch, Config.MelTokens, Config.MelTokenLength);
        Tensor pictures = Tensor.From(device, random.Normal(Batch * Config.ImageTokens * Config.ImageTokenLength), Batch, Config.ImageTokens, Config.ImageTokenLength);
        return new Setup(model, arena, scope, noGrad, x, model.EncodeImage(pictures, Tensor.From(device, [1f, 0], Batch)));
    }

    private sealed record Setup(DitModel Model, ParameterArena Arena, TensorScope Scope, GradMode.Restorer NoGrad, Tensor X, ImageCondition Condition) : IDisposable
    {
        public void Dispose()
        {
            NoGrad.Dispose();
            Scope.Dispose();
            Arena.Dispose();
        }
    }
}
