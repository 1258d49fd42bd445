using I2M.Autograd;
using I2M.Kernels;
using I2M.Model.Data;
using I2M.Model.Training;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Training;

/// <summary>Whole runs with everything that may leave a stale copy or a half-added gradient behind: validation on the average, accumulation, interruption.</summary>
public sealed class ResumedRunTests : IDisposable
{
    private readonly TinyPairs _pairs = new(count: 8);

    public void Dispose() => _pairs.Dispose();

    [Theory]
    [InlineData("host", Precision.Float32)]
    [InlineData("host", Precision.BFloat16)]
    [InlineData("opencl", Precision.BFloat16)]
    public void ARunInPiecesIsEqualToTheBitToOneWithoutABreak(string name, Precision precision)
    {
        IBackend backend = Backends.Get(name);
        TrainConfig config = TinyRun.Config with
        {
            Model = TinyRun.Config.Model with { Hidden = 16, Layers = 1, ClassCount = 2 },
            BatchSize = 2, Accumulation = 2, Steps = 9, SaveEvery = 3, ValidateEvery = 2, EvalFraction = 0.3, KeepCheckpoints = 10, Precision = precision,
        };
        PairDataset data = _pairs.Load(backend, config);
        string whole = _pairs.File("whole"), pieces = _pairs.File("pieces");
        CancellationToken test = TestContext.Current.CancellationToken;
        Train(whole, new RunOptions(), null, test);
        // One piece ends between two checkpoints and one read of the results, one by a signal in the middle of a window of steps.
        Train(pieces, new RunOptions(StopAtStep: 4, ReadEvery: 3), null, test);
        using (var stop = new CancellationTokenSource())
        {
            Train(pieces, new RunOptions(Resume: true, ReadEvery: 4), p => { if (p.Step >= 6) { stop.Cancel(); } }, stop.Token);
        }
        Train(pieces, new RunOptions(Resume: true), null, test);
        Assert.Equal(File.ReadAllBytes(new RunFolder(whole).CheckpointPath(9)), File.ReadAllBytes(new RunFolder(pieces).CheckpointPath(9)));
        Assert.Equal(File.ReadLines(new RunFolder(whole).LogPath).Count(), File.ReadLines(new RunFolder(pieces).LogPath).Count());

        void Train(string folder, RunOptions options, Action<TrainProgress>? progress, CancellationToken cancel) =>
            new TrainingRun(backend, config, data, new RunFolder(folder), static _ => { }).Run(options, progress, cancel);
    }
}
