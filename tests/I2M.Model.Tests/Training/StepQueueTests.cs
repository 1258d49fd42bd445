using I2M.Kernels;
using I2M.Model.Data;
using I2M.Model.Training;
using I2M.Testing;
using I2M.Testing.Emulation;
using Xunit;

namespace I2M.Model.Tests.Training;

/// <summary>A step is queued without a wait, is the same work every time, and replayed is equal to the bit.</summary>
public sealed class StepQueueTests
{
    /// <summary>Steps after which all was done once: a recording, and a look at a window of results.</summary>
    private const int Warm = 11;

    private static readonly List<(string Launch, string Parameters)> s_launches = [];
    private static bool s_notesLaunches;

    /// <summary>An emulated device that notes its launches on demand; one for all tests here, since its kernels are compiled once.</summary>
    private static readonly Lazy<IBackend> s_emulated = new(() => EmulatedBackend.Open(queued: static (kernel, parameters) =>
    {
        if (s_notesLaunches) { s_launches.Add((kernel, Convert.ToHexString(parameters))); }
    }));

    private static TrainConfig Smallest { get; } = TinyRun.Config with
    {
        Model = TinyRun.Config.Model with { Hidden = 16, Layers = 1, MelFrames = 80, MelPatchFrames = 40, ClassCount = 2 },
        BatchSize = 2,
    };

    /// <summary>Every backend and the emulated one.</summary>
    public static TheoryData<string> Rows => [.. Backends.Names, Backends.Emulated];

    [Theory, MemberData(nameof(Rows))]
    public void AWindowOfStepsWaitsOnlyForItsResults(string name)
    {
        const int window = 4;
        IBackend backend = Open(name);
        using var trainer = new DiffusionTrainer(backend, Smallest, window);
        Batch batch = TinyRun.Batch(Smallest);
        for (int i = 0; i < window; i++) { trainer.QueueStep(() => batch, static _ => { }); }
        Assert.Equal(window, trainer.Results(wait: true).Count);
        HostWaits before = backend.Waits;
        for (int i = 0; i < window; i++) { trainer.QueueStep(() => batch, static _ => { }); }
        HostWaits queued = backend.Waits.Since(before);
        IReadOnlyList<StepResult> results = trainer.Results(wait: true);
        HostWaits read = backend.Waits.Since(before);
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {queued} while {window} steps were queued, {read} after their results were read");
        Assert.Equal([window + 1, window + 2, window + 3, window + 4], results.Select(r => r.Step));
        Assert.Equal(0, read.Drains);
        // The host runs ahead by the two uploads that may be under way; it waits for the one before them, not for the step.
        Assert.InRange(queued.Fences, 0, window - 2);
        Assert.InRange(read.Fences - queued.Fences, 0, 1);
        if (name is "host" or Backends.Emulated) { Assert.Equal(default, read); }
    }

    [Theory, MemberData(nameof(Rows))]
    public void ResultsInWindowsAreThoseOfSingleSteps(string name)
    {
        const int steps = 5;
        IBackend backend = Open(name);
        foreach (TrainConfig config in name == Backends.Emulated ? new[] { Smallest } : [Smallest, Smallest with { Accumulation = 2 }])
        {
            Batch batch = TinyRun.Batch(config);
            List<StepResult> windows = [], single = [];
            using (var trainer = new DiffusionTrainer(backend, config, readEvery: 2))
            {
                for (int i = 0; i < steps; i++)
                {
                    trainer.QueueStep(() => batch, static _ => { });
                    windows.AddRange(trainer.Results(wait: i == steps - 1));
                }
            }
            using (var trainer = new DiffusionTrainer(backend, config) { RecordsSteps = false })
            {
                for (int i = 0; i < steps; i++) { single.Add(TinyRun.Step(trainer, batch)); }
            }
            Assert.Equal(single, windows);
        }
    }

    [Fact]
    public void ReplayedStepsAreEqualToTheBitAndOneStepIsTheSameWorkAsTheNext()
    {
        const int steps = 5;
        IBackend backend = s_emulated.Value;
        Batch batch = TinyRun.Batch(Smallest);
        var (queued, work) = Learn(records: false);
        Assert.Equal(work[1], work[2]);
        Assert.All(work.Skip(2), step => Assert.Equal(work[1], step));
        var (replayed, recorded) = Learn(records: true);
        Assert.Equal(queued, replayed);
        Assert.Equal(work[1].Count, recorded[2].Count);
        Assert.Empty(recorded[3]);
        Assert.Empty(recorded[4]);
        using var host = new DiffusionTrainer(Backends.Get("host"), Smallest);
        for (int i = 0; i < steps; i++) { TinyRun.Step(host, batch); }
        Tolerance.TrainStep.Check("weights on the emulated device against the host's", queued[steps..], [.. TinyRun.Weights(host).Select(w => (double)w)]);

        (float[] Numbers, List<List<(string, string)>> Work) Learn(bool records)
        {
            using var trainer = new DiffusionTrainer(backend, Smallest) { RecordsSteps = records };
            List<float> losses = [];
            List<List<(string, string)>> work = [];
            for (int i = 0; i < steps; i++)
            {
                s_launches.Clear();
                s_notesLaunches = true;
                losses.Add((float)TinyRun.Step(trainer, batch).Loss);
                s_notesLaunches = false;
                work.Add([.. s_launches]);
            }
            Assert.Null(trainer.RecordingProblem);
            Assert.Equal(records, trainer.Replays);
            return ([.. losses, .. TinyRun.Weights(trainer)], work);
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public void AThousandStepsLeaveAllMemoryFlatToTheByte(string name)
    {
        IBackend backend = Open(name);
        (int steps, int windows) = name switch { "host" => (1000, 4), "opencl" => (400, 4), _ => (12, 6) };
        using var trainer = new DiffusionTrainer(backend, Smallest, DiffusionTrainer.ReadEveryFor(backend));
        Batch batch = TinyRun.Batch(Smallest);
        Func<Batch> next = () => batch;
        Action<Batch> done = static _ => { };
        Run(Math.Max(Warm, steps / 10));
        (long, long, long, long) device = Device();
        var growth = new long[windows];
        for (int i = 0; i < windows; i++)
        {
            long heap = Heap();
            Run(steps / windows);
            growth[i] = Heap() - heap;
            Assert.Equal(device, Device());
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: heap growth of {string.Join(", ", growth)} bytes in {windows} times {steps / windows} steps, {device.Item1} device bytes");
        // What the runtime itself keeps comes and goes, and so does what is left of other tests; what a step left behind would show in every window.
        Assert.Contains(0, growth);

        void Run(int count)
        {
            for (int i = 0; i < count; i++)
            {
                trainer.QueueStep(next, done);
                trainer.Results(wait: i == count - 1);
            }
        }

        (long, long, long, long) Device() => (backend.Pool.DeviceBytes, backend.Pool.LiveBytes, backend.Pool.PeakDeviceBytes, backend.Pool.DeviceAllocations);
    }

    /// <summary>
    /// Bytes of live objects after finalisers ran, as the last collection counted them. <see cref="GC.GetTotalMemory"/> counts besides what threads have taken since to
    /// allocate in, 8 KiB each.
    /// </summary>
    internal static long Heap()
    {
        for (int i = 0; i < 4; i++)
        {
            GC.WaitForPendingFinalizers();
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
        }
        return GC.GetGCMemoryInfo(GCKind.FullBlocking).PromotedBytes;
    }

    private static IBackend Open(string name) => name == Backends.Emulated ? s_emulated.Value : Backends.Get(name);
}
