namespace I2M.Model.Planning;

/// <summary>
/// Where the device memory of a training step goes, in bytes. The parts add up to what the pool holds on the device at the most.
/// </summary>
public sealed record MemoryPlan
{
    /// <summary>The weights that are trained, in float32.</summary>
    public required long Weights { get; init; }
    /// <summary>Their gradients.</summary>
    public required long Gradients { get; init; }
    /// <summary>AdamW's two moments.</summary>
    public required long Moments { get; init; }
    /// <summary>The moving average of the weights.</summary>
    public required long Average { get; init; }
    /// <summary>What else stays between steps: copies of the weights in another type, scalars.</summary>
    public required long Other { get; init; }
    /// <summary>Activations and their gradients, at the most.</summary>
    public required long Activations { get; init; }
    /// <summary>What single operations take for themselves on top of that, at the most.</summary>
    public required long Workspace { get; init; }
    /// <summary>Free buffers that the pool keeps for sizes that are not wanted at that moment.</summary>
    public required long Kept { get; init; }

    /// <summary>What stays between steps.</summary>
    public long Persistent => Weights + Gradients + Moments + Average + Other;

    /// <summary>Everything.</summary>
    public long Total => Persistent + Activations + Workspace + Kept;
}
