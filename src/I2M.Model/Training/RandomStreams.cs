namespace I2M.Model.Training;

/// <summary>
/// Which Philox stream serves what, so that no two uses share numbers. Everything random in a run is a function of (seed, stream, position), which is
/// why a resumed run needs no saved generator state. Parameters use the streams from 0; every other use has 2^32 streams or more of its own.
/// </summary>
internal static class RandomStreams
{
    public const ulong Order = 1UL << 32, Timesteps = 2UL << 32, Noise = 3UL << 32, Dropout = 4UL << 32, Validation = 5UL << 32, Sampling = 6UL << 32,
        Split = 7UL << 32, Clips = 8UL << 32, Pictures = 9UL << 32, Speech = 10UL << 32, Packing = 11UL << 32, Augmentation = 1UL << 63;
}
