using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Images;
using I2M.Model.Tests.Plots;
using I2M.Model.Tests.Training;
using I2M.Model.Training;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests;

/// <summary>What programs embed: calls from many threads, each answered as if it were alone.</summary>
public sealed class SpeechSessionTests : IDisposable
{
    private const int Callers = 6;
    private static readonly GenerateOptions s_quick = new() { Steps = 3, Guidance = 2 };
    private static readonly SpeechSessionOptions s_host = new() { Device = "host", Threads = 1 };
    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Calls_of_many_threads_are_answered_as_if_each_were_alone()
    {
        string checkpoint = Train();
        float[][] alone = new float[Callers][], together = new float[Callers][];
        for (int i = 0; i < Callers; i++)
        {
            using SpeechSession session = SpeechSession.Open(checkpoint, s_host);
            alone[i] = (await session.SpeakAsync(Picture(i), s_quick with { Seed = (ulong)i }, TestContext.Current.CancellationToken)).Samples;
        }
        using (SpeechSession shared = SpeechSession.Open(checkpoint, s_host))
        {
            Assert.Contains("host", shared.Device, StringComparison.Ordinal);
            Assert.Equal(checkpoint, shared.Checkpoint);
            await Parallel.ForAsync(0, Callers, new ParallelOptions { MaxDegreeOfParallelism = Callers }, async (i, cancel) =>
                together[i] = (await shared.SpeakAsync(Picture(i), s_quick with { Seed = (ulong)i }, cancel)).Samples);
        }
        Assert.Equal(alone, together);
        Assert.True(alone[0].Length > 0 && !alone[0].AsSpan().SequenceEqual(alone[1]), "two pictures with two seeds sound alike");
    }

    [Fact]
    public async Task A_list_gives_a_clip_for_each_and_the_first_is_that_of_the_picture_alone()
    {
        using SpeechSession session = SpeechSession.Open(Train(), s_host);
        CancellationToken cancel = TestContext.Current.CancellationToken;
        AudioClip[] clips = await session.SpeakAsync([Picture(0), Picture(1)], s_quick, cancel);
        Assert.Equal(2, clips.Length);
        Assert.Equal((await session.SpeakAsync(Picture(0), s_quick, cancel)).Samples, clips[0].Samples);
        Assert.Empty(await session.SpeakAsync([], s_quick, cancel));
    }

    [Fact]
    public async Task A_cancelled_call_ends_and_the_session_goes_on()
    {
        using SpeechSession session = SpeechSession.Open(Train(), s_host);
        using var giveUp = new CancellationTokenSource();
        Task<AudioClip> endless = session.SpeakAsync(Picture(0), s_quick with { Steps = 1000 }, giveUp.Token);
        Task<AudioClip> waiting = session.SpeakAsync(Picture(1), s_quick with { Steps = 1000 }, giveUp.Token);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => endless);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.NotEmpty((await session.SpeakAsync(Picture(2), s_quick, TestContext.Current.CancellationToken)).Samples);
    }

    [Fact]
    public async Task What_is_wrong_is_said_in_one_line()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        string checkpoint = Train(), missing = _folder["missing"];
        Assert.Contains(missing, Assert.ThrowsAny<I2MException>(() => SpeechSession.Open(missing, s_host)).Message, StringComparison.Ordinal);
        Assert.Contains("expected one of", Assert.ThrowsAny<I2MException>(() => SpeechSession.Open(checkpoint, new() { Device = "abacus" })).Message, StringComparison.Ordinal);
        Assert.Contains(missing, Assert.ThrowsAny<I2MException>(() => SpeechSession.Open(checkpoint, s_host with { Vocoder = missing })).Message, StringComparison.Ordinal);
        SpeechSession session = SpeechSession.Open(checkpoint, s_host);
        Assert.Contains("--steps", (await Assert.ThrowsAnyAsync<I2MException>(() => session.SpeakAsync(Picture(0), new GenerateOptions { Steps = 0 }, cancel))).Message, StringComparison.Ordinal);
        session.Dispose();
        session.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => session.SpeakAsync(Picture(0), s_quick, cancel));
    }

    /// <summary>A checkpoint of one step: the numbers matter here, not what they say.</summary>
    private string Train()
    {
        TrainConfig config = TinyRun.Config;
        string path = _folder["model.safetensors"];
        using var trainer = new DiffusionTrainer(Backends.Get("host"), config);
        TinyRun.Step(trainer, TinyRun.Batch(config));
        Checkpoint.Save(path, trainer, new CheckpointInfo(config, new(0, 1, -11.5, 1, -2, 2), ["a", "b", "c"], new TrainState(trainer.Step, trainer.Ema.UpdateCount, "data", 0.5)));
        return path;
    }

    private static RgbImage Picture(int number)
    {
        var pixels = new byte[3 * 16 * 16];
        for (int i = 0; i < pixels.Length; i++) { pixels[i] = (byte)(i * (number + 1)); }
        return new RgbImage(16, 16, pixels);
    }
}
