using I2M.Kernels;
using I2M.Model.Dit;
using I2M.Model.Training;
using I2M.Model.Vocos;

namespace I2M.Model.Benchmarks;

/// <summary>Sizes of the cases G0 to G13: those of the full model, and smaller ones for devices that are slow or have little memory.</summary>
public sealed record DeviceSizes
{
    private const long LargeMemory = 24L << 30;

    /// <summary>Samples of a training batch.</summary>
    public required int Batch { get; init; }
    /// <summary>Mel tokens a sample.</summary>
    public required int MelTokens { get; init; }
    /// <summary>Image tokens a sample.</summary>
    public required int ImageTokens { get; init; }
    /// <summary>Channels.</summary>
    public required int Hidden { get; init; }
    /// <summary>Heads.</summary>
    public required int Heads { get; init; }
    /// <summary>Rows of products with few rows.</summary>
    public required int[] FewRows { get; init; }
    /// <summary>Square products on tensor cores, or in float32 where there are none.</summary>
    public required int[] Squares { get; init; }
    /// <summary>The square product in float32 and tf32.</summary>
    public required int SquareFloat32 { get; init; }
    /// <summary>Batch, queries and keys of attention.</summary>
    public required (int Batch, int Queries, int Keys)[] Attention { get; init; }
    /// <summary>Parameters.</summary>
    public required long Arena { get; init; }
    /// <summary>Words of the copy.</summary>
    public required long CopyWords { get; init; }
    /// <summary>Rounds of a register loop on tensor cores; a quarter in float32.</summary>
    public required int LoopRounds { get; init; }
    /// <summary>Network and batch of whole training steps; null leaves them out, where one would take minutes.</summary>
    public TrainConfig? Training { get; init; }
    /// <summary>Steps of a sample.</summary>
    public int SamplingSteps { get; init; } = 50;
    /// <summary>The vocoder.</summary>
    public VocosConfig Vocoder { get; init; } = new();
    /// <summary>Batch and mel frames of decoding: a second, three seconds, and sixteen times a second at once.</summary>
    public (int Batch, int Frames)[] Decoding { get; init; } = [(1, 94), (1, 282), (16, 94)];
    /// <summary>Sets of operands that take turns.</summary>
    public int Sets { get; init; } = 3;

    /// <summary>The full model's training batch of 32, and the sizes of performance papers.</summary>
    public static DeviceSizes Full { get; } = new()
    {
        Batch = 32,
        MelTokens = 875,
        ImageTokens = 1024,
        Hidden = 768,
        Heads = 12,
        FewRows = [875, 1750],
        Squares = [1024, 2048, 4096, 8192],
        SquareFloat32 = 4096,
        Attention = [(32, 875, 875), (32, 875, 1024), (2, 875, 875), (2, 875, 1024), (1, 875, 875), (16, 1024, 1024)],
        Arena = 159_956_768,
        CopyWords = 1L << 30,
        LoopRounds = 1 << 16,
        Training = FullAt(32),
    };

    /// <summary>A quarter of the batch, for GPUs with less than 24 GiB.</summary>
    public static DeviceSizes Quarter { get; } = Full with
    {
        Batch = 8,
        Squares = [1024, 2048, 4096],
        SquareFloat32 = 2048,
        Attention = [(8, 875, 875), (8, 875, 1024), (2, 875, 875), (2, 875, 1024), (1, 875, 875), (4, 1024, 1024)],
        Arena = 40_000_000,
        CopyWords = 1L << 27,
        LoopRounds = 1 << 14,
        Training = FullAt(8),
    };

    /// <summary>For OpenCL drivers of processors.</summary>
    public static DeviceSizes Small { get; } = new()
    {
        Batch = 1,
        MelTokens = 125,
        ImageTokens = 128,
        Hidden = 128,
        Heads = 2,
        FewRows = [35],
        Squares = [128, 256],
        SquareFloat32 = 256,
        Attention = [(1, 125, 125), (1, 125, 128)],
        Arena = 1 << 20,
        CopyWords = 1 << 22,
        LoopRounds = 1024,
    };

    /// <summary>What an emulator of a GPU finishes in seconds: a tile and a tail.</summary>
    public static DeviceSizes Tiny { get; } = new()
    {
        Batch = 2,
        MelTokens = 21,
        ImageTokens = 24,
        Hidden = 64,
        Heads = 1,
        FewRows = [17],
        Squares = [72],
        SquareFloat32 = 72,
        Attention = [(1, 21, 24)],
        Arena = 1000,
        CopyWords = 1000,
        LoopRounds = 4,
        Sets = 1,
        SamplingSteps = 3,
        Vocoder = new VocosConfig { Dim = 32, IntermediateDim = 64, Layers = 1 },
        Decoding = [(1, 5), (3, 5)],
        Training = FullAt(1) with { Model = new DitConfig { ImageSize = 16, ImagePatch = 8, MelPatchBands = 20, MelFrames = 80, MelPatchFrames = 40, Hidden = 16, Layers = 1, Heads = 1, ImageTowerLayers = 1 } },
    };

    private static TrainConfig FullAt(int batch) => TrainPresets.Get("full") with { BatchSize = batch, WarmupSteps = 0 };

    /// <summary>The sizes that suit a device.</summary>
    public static DeviceSizes For(IBackend backend) =>
        backend is IDeviceProbe { IsProcessor: true } ? Small : backend.Device.MemoryBytes >= LargeMemory ? Full : Quarter;
}
