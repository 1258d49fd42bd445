using ILGPU;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>Kernels that only measurements run.</summary>
internal static class ProbeKernels
{
    /// <summary>Where the factor and the summand lie behind the first values.</summary>
    private const int Chains = 8, FirstValues = 512;

    /// <summary>Multiply-adds of a work item in a round: eight chains, four steps of each.</summary>
    public const int StepsPerRound = 4 * Chains;

    /// <summary>Multiply-adds in float32, see <see cref="IDeviceProbe.MultiplyLoop"/>. Eight chains an item hide the latency of one.</summary>
    public static void MultiplyAdd(ArrayView<float> operands, int rounds, ArrayView<float> results)
    {
        long item = GlobalIndex();
        int first = (int)(item * Chains % FirstValues);
        float m = operands[FirstValues], c = operands[FirstValues + 1];
        float x0 = operands[first], x1 = operands[first + 1], x2 = operands[first + 2], x3 = operands[first + 3];
        float x4 = operands[first + 4], x5 = operands[first + 5], x6 = operands[first + 6], x7 = operands[first + 7];
        for (int round = 0; round < rounds; round++)
        {
            x0 = x0 * m + c; x1 = x1 * m + c; x2 = x2 * m + c; x3 = x3 * m + c; x4 = x4 * m + c; x5 = x5 * m + c; x6 = x6 * m + c; x7 = x7 * m + c;
            x0 = x0 * m + c; x1 = x1 * m + c; x2 = x2 * m + c; x3 = x3 * m + c; x4 = x4 * m + c; x5 = x5 * m + c; x6 = x6 * m + c; x7 = x7 * m + c;
            x0 = x0 * m + c; x1 = x1 * m + c; x2 = x2 * m + c; x3 = x3 * m + c; x4 = x4 * m + c; x5 = x5 * m + c; x6 = x6 * m + c; x7 = x7 * m + c;
            x0 = x0 * m + c; x1 = x1 * m + c; x2 = x2 * m + c; x3 = x3 * m + c; x4 = x4 * m + c; x5 = x5 * m + c; x6 = x6 * m + c; x7 = x7 * m + c;
        }
        results[item] = x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7;
    }

    /// <summary>Nothing: its launches cost what a launch costs.</summary>
    public static void Empty(int nothing) { }
}
