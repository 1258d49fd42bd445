using System.Collections.Concurrent;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Images;

namespace I2M.Model;

/// <summary>What a <see cref="SpeechSession"/> runs on.</summary>
public sealed record SpeechSessionOptions
{
    /// <summary>One of <see cref="BackendSelector.Names"/>.</summary>
    public string Device { get; init; } = "auto";
    /// <summary>Threads of the host; 0 takes one per processor.</summary>
    public int Threads { get; init; }
    /// <summary>Vocos weights, a folder or a file, or "griffin-lim"; null takes the built-in Vocos, or Griffin-Lim where the mels are not that one's.</summary>
    public string? Vocoder { get; init; }
    /// <summary>Takes the averaged weights where the checkpoint has them.</summary>
    public bool PreferAverage { get; init; } = true;
}

/// <summary>
/// A trained model with its device and its voice, for programs that embed it. Any thread may call it at any time: the session computes on a thread of its
/// own, because a device belongs to one thread, and serves the calls in their order. What a call returns depends on its arguments alone.
/// </summary>
/// <example><code>using SpeechSession session = SpeechSession.Open("run");
/// AudioClip speech = await session.SpeakAsync(ImageLoader.Load("cat.jpg"));
/// WavFile.Write("cat.wav", speech);</code></example>
public sealed class SpeechSession : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;
    private int _closed;
    private IBackend _backend = null!;
    private I2MModel _model = null!;
    private IVocoder _vocoder = null!;

    /// <summary>One line on the device and why it was taken.</summary>
    public string Device { get; private set; } = "";

    /// <summary>What speaks.</summary>
    public string Voice => _vocoder.Name;

    /// <summary>The checkpoint file.</summary>
    public string Checkpoint => _model.Path;

    /// <summary>Number of trainable values.</summary>
    public long ParameterCount => _model.ParameterCount;

    private SpeechSession()
    {
        _thread = new Thread(Serve) { IsBackground = true, Name = "I2M speech" };
        _thread.Start();
    }

    /// <summary>Opens the device, the checkpoint and the voice.</summary>
    /// <param name="checkpoint">A checkpoint file, or a run folder: its best checkpoint, else the newest.</param>
    /// <param name="options">Device and voice; null takes the first GPU, else the host, and the built-in voice.</param>
    /// <exception cref="I2MException">A file is missing, damaged or does not fit the others, or there is no such device: one line that says which.</exception>
    public static SpeechSession Open(string checkpoint, SpeechSessionOptions? options = null)
    {
        options ??= new SpeechSessionOptions();
        var session = new SpeechSession();
        try
        {
            session.Enqueue(() => session.Load(checkpoint, options), CancellationToken.None).GetAwaiter().GetResult();
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Speaks about a picture.</summary>
    /// <param name="picture">Any size.</param>
    /// <param name="options">How; null takes the defaults.</param>
    /// <param name="cancel">Gives the call up at once; what is being computed for it ends with the denoising step.</param>
    /// <exception cref="I2MException">An option is out of range.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The session was closed before the call.</exception>
    public async Task<AudioClip> SpeakAsync(RgbImage picture, GenerateOptions? options = null, CancellationToken cancel = default) =>
        (await SpeakAsync([picture], options, cancel).ConfigureAwait(false))[0];

    /// <summary>Speaks about several pictures, computed together: one clip for each, in their order. See the overload for one.</summary>
    public Task<AudioClip[]> SpeakAsync(IReadOnlyList<RgbImage> pictures, GenerateOptions? options = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        GenerateOptions how = (options ?? new GenerateOptions()).Validated();
        return Enqueue(() => Speak(pictures, how, cancel), cancel);
    }

    /// <summary>Finishes the calls already made and closes the device.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0) { return; }
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }

    private void Serve()
    {
        foreach (Action work in _work.GetConsumingEnumerable()) { work(); }
        _vocoder?.Dispose();
        _model?.Dispose();
        _backend?.Dispose();
    }

    private bool Load(string checkpoint, SpeechSessionOptions options)
    {
        _backend = BackendSelector.Open(options.Device, options.Threads, out string device);
        Device = device;
        _model = I2MModel.Load(_backend, checkpoint, options.PreferAverage);
        _vocoder = Vocoders.Open(_backend, options.Vocoder, _model.Info.Config.Mel);
        return true;
    }

    private AudioClip[] Speak(IReadOnlyList<RgbImage> pictures, GenerateOptions options, CancellationToken cancel) =>
        [.. _model.Speak(pictures, _vocoder, options, cancel: cancel).Select(s => new AudioClip(s.Wave, _model.Info.Config.Mel.SampleRate))];

    /// <summary>Has the session's thread compute something.</summary>
    private Task<T> Enqueue<T>(Func<T> compute, CancellationToken cancel)
    {
        // Continuations must not run on the session's thread: they could block it, or dispose the session from within.
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        CancellationTokenRegistration giveUp = cancel.Register(() => result.TrySetCanceled(cancel));
        try
        {
            _work.Add(() =>
            {
                using (giveUp)
                {
                    if (result.Task.IsCompleted) { return; }
                    try { result.TrySetResult(compute()); }
                    catch (OperationCanceledException) { result.TrySetCanceled(cancel); }
                    catch (Exception e) { result.TrySetException(e); }
                }
            }, CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            giveUp.Dispose();
            throw new ObjectDisposedException(nameof(SpeechSession));
        }
        return result.Task;
    }
}
