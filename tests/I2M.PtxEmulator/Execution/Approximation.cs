using System.Numerics;

namespace I2M.PtxEmulator.Execution;

/// <summary>
/// The error that the manual allows an approximate instruction. Devices take their results from tables that nobody has published, so the emulator gives
/// any result inside of the bound: the exact one moved by a share of the bound that depends on the operands' bits alone. Kernels that need more than the manual
/// grants then miss their tolerances here as they might on some device. Results that are f32 numbers themselves, such as 2³, stay: tables hold them.
/// </summary>
/// <param name="Relative">Most of |result − exact| / |exact|, the last rounding included.</param>
/// <param name="Absolute">Most of |result − exact|, where it is larger.</param>
internal readonly record struct Approximation(double Relative, double Absolute = 0)
{
    private const double Unit = 1.0 / (1 << 22), Rounding = Unit / 4;

    /// <summary>Of an instruction with .approx or .full; lg2 is bounded absolutely where its result crosses zero.</summary>
    public static Approximation Of(string name) => name switch
    {
        "ex2" or "div" => new(Unit),
        "lg2" => new(Unit, Unit),
        "rcp" or "sqrt" => new(Unit / 2),
        "rsqrt" => new(Unit * 0.536),
        "sin" or "cos" => new(0, Unit * 2.83),
        "tanh" => new(1.0 / (1 << 11)),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no approximate instruction"),
    };

    /// <summary>A result in the bound.</summary>
    /// <param name="exact">The exact result.</param>
    /// <param name="operands">The bits of the operands.</param>
    public float Apply(double exact, uint operands)
    {
        float rounded = (float)exact;
        if (rounded == exact || !float.IsNormal(rounded)) { return rounded; }
        double share = (int)(BitOperations.RotateLeft(operands * 0x9E3779B1u, 15) * 0x85EBCA77u) * (1.0 / int.MaxValue);
        double magnitude = Math.Abs(exact), bound = Math.Max(Relative * magnitude, Absolute) - Rounding * magnitude;
        return (float)(exact + Math.Clamp(share, -1, 1) * Math.Max(0, bound));
    }
}

/// <summary>An approximate function of one f32; with ftz, subnormal inputs and results are zero.</summary>
internal sealed unsafe class ApproximateFunction(Slot d, Slot a, Func<double, double> function, Approximation error, bool flush) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        float* x = (float*)(warp.Registers + a.Offset), to = (float*)(warp.Registers + d.Offset);
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            float value = flush ? Flush.Apply(x[lane]) : x[lane];
            float result = error.Apply(function(value), BitConverter.SingleToUInt32Bits(value));
            to[lane] = flush ? Flush.Apply(result) : result;
        }
    }
}

/// <summary>div.approx and div.full of f32.</summary>
internal sealed unsafe class ApproximateDivision(Slot d, Slot a, Slot b, bool flush) : Operation
{
    private readonly Approximation _error = Approximation.Of("div");

    public override void Execute(Warp warp, uint mask)
    {
        float* x = (float*)(warp.Registers + a.Offset), y = (float*)(warp.Registers + b.Offset), to = (float*)(warp.Registers + d.Offset);
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            float left = flush ? Flush.Apply(x[lane]) : x[lane], right = flush ? Flush.Apply(y[lane]) : y[lane];
            float result = _error.Apply((double)left / right, BitConverter.SingleToUInt32Bits(left) * 31 + BitConverter.SingleToUInt32Bits(right));
            to[lane] = flush ? Flush.Apply(result) : result;
        }
    }
}
