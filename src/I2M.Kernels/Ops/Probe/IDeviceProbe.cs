namespace I2M.Kernels;

/// <summary>How the factors of a product are held and multiplied; sums are float32 always.</summary>
public enum Arithmetic
{
    /// <summary>float32 multiply-adds.</summary>
    Float32,
    /// <summary>float32 factors of which 10 bits of mantissa count, on tensor cores.</summary>
    TensorFloat32,
    /// <summary>bfloat16 factors, on tensor cores.</summary>
    BFloat16,
}

/// <summary>What a device could do by its units and clocks, per second; null where they are not known.</summary>
/// <param name="Float32">Operations in float32.</param>
/// <param name="TensorFloat32">Operations of tensor cores in tf32.</param>
/// <param name="BFloat16">Operations of tensor cores in bfloat16.</param>
/// <param name="Bytes">Bytes between the device and its memory.</param>
public readonly record struct NominalPeaks(double? Float32, double? TensorFloat32, double? BFloat16, double? Bytes)
{
    /// <summary>Operations a second in one arithmetic.</summary>
    public double? Flops(Arithmetic arithmetic) => arithmetic switch
    {
        Arithmetic.TensorFloat32 => TensorFloat32,
        Arithmetic.BFloat16 => BFloat16,
        _ => Float32,
    };
}

/// <summary>What measurements ask of a GPU beside its operations: its clock, and work that shows what it can do at best.</summary>
public interface IDeviceProbe
{
    /// <summary>Words of the operands of <see cref="MultiplyLoop"/>.</summary>
    const int LoopOperands = 640;

    /// <summary>True for a driver that runs GPU kernels on a processor, such as PoCL: everything is some hundred times slower.</summary>
    bool IsProcessor { get; }

    /// <summary>True where <see cref="Time"/> reads the device's own clock; elsewhere it is the host's.</summary>
    bool HasEvents { get; }

    /// <summary>By units and clocks.</summary>
    NominalPeaks Nominal { get; }

    /// <summary>The device's own clock within its queue; null without <see cref="HasEvents"/>.</summary>
    IDeviceMarks? Marks { get; }

    /// <summary>Seconds that the work which <paramref name="work"/> queues takes, from the end of all earlier work to its own end; waits for it.</summary>
    /// <exception cref="InvalidOperationException">Work is being recorded.</exception>
    double Time(Action work);

    /// <summary>Whether the device has an arithmetic's loop.</summary>
    bool CanLoop(Arithmetic arithmetic);

    /// <summary>
    /// Multiplications from registers into registers, so many rounds in every group; nothing but the arithmetic units limits them.
    /// <para>Tensor cores: operands hold a [16, k] and b_0 … b_7 [8, k] one after the other, rows of eight words (k = 16 bfloat16 or 8 float32); every warp's
    /// 16×8 results are rounds · Σ_j a·b_jᵀ.</para>
    /// <para>float32: item i starts with eight chains x_j = operands[(8·i + j) mod 512] and repeats x ← x·m + c, m = operands[512], c = operands[513], four times a
    /// round; its result is their sum.</para>
    /// </summary>
    /// <param name="arithmetic">Which loop.</param>
    /// <param name="operands">[<see cref="LoopOperands"/>]</param>
    /// <param name="rounds">At least 1.</param>
    /// <param name="groups">Groups of 128 work items.</param>
    /// <param name="results">[groups · 512] of tensor cores, [groups · 128] in float32.</param>
    /// <returns>Operations done, a multiply-add as two.</returns>
    double MultiplyLoop(Arithmetic arithmetic, BufferView operands, int rounds, int groups, BufferView results);

    /// <summary>Queues a kernel of one group that does nothing.</summary>
    void LaunchEmpty();
}
