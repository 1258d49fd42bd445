using I2M.Kernels;
using I2M.Model.Benchmarks.Reference;

namespace I2M.Model.Benchmarks;

/// <summary>The loop of <see cref="IDeviceProbe.MultiplyLoop"/> on random operands, with its reference.</summary>
public sealed class MultiplyLoop : IDisposable
{
    private const int GroupItems = 128, TensorResults = 128, Warps = 4, Chains = 8, FirstValues = 512, StepsPerRound = 4;
    private readonly IBackend _backend;
    private readonly IDeviceProbe _probe;
    private readonly Arithmetic _arithmetic;
    private readonly int _groups;
    private readonly BufferView _operands, _results;

    private bool IsTensor => _arithmetic != Arithmetic.Float32;

    /// <param name="backend">The device.</param>
    /// <param name="probe">The same device.</param>
    /// <param name="arithmetic">One that it has a loop in.</param>
    public MultiplyLoop(IBackend backend, IDeviceProbe probe, Arithmetic arithmetic)
    {
        (_backend, _probe, _arithmetic) = (backend, probe, arithmetic);
        // Two groups of four warps fill the tensor cores; float32 wants all the warps that fit.
        _groups = backend.Device.ComputeUnits * (IsTensor ? 2 : 16);
        (_operands, _results) = (backend.Pool.Rent(IDeviceProbe.LoopOperands), backend.Pool.Rent((long)_groups * (IsTensor ? Warps * TensorResults : GroupItems)));
        backend.CopyFromHost(Operands(), _operands);
    }

    /// <summary>Queues the loop.</summary>
    /// <returns>Operations.</returns>
    public double Queue(int rounds) => _probe.MultiplyLoop(_arithmetic, _operands, rounds, _groups, _results);

    /// <summary>Operations a second of one run.</summary>
    public double Rate(int rounds, out double seconds)
    {
        double flops = 0;
        seconds = _probe.Time(() => flops = Queue(rounds));
        return flops / seconds;
    }

    /// <summary>Compares the results of a few rounds with double precision.</summary>
    /// <returns>The largest error as a share of what is allowed.</returns>
    public double Verify()
    {
        const int rounds = 3;
        _backend.Fill(_results, float.NaN);
        Queue(rounds);
        var actual = new float[_results.Length];
        _backend.CopyToHost(_results, actual);
        double[] one = IsTensor ? TensorReference(rounds) : ScalarReference(rounds);
        var expected = new double[actual.Length];
        for (int i = 0; i < actual.Length; i++) { expected[i] = one[i % one.Length]; }
        return Verification.CheckNorm("loop", actual, expected, Verification.NormLimit(Arithmetic.Float32));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _backend.Pool.Return(_operands);
        _backend.Pool.Return(_results);
    }

    /// <summary>Numbers from −1 to 1 that all formats hold exactly, so that only the sums round; in float32 a factor below 1, as the chains must stay bounded.</summary>
    private float[] Operands()
    {
        var random = new Random(1);
        var words = new float[IDeviceProbe.LoopOperands];
        for (int i = 0; i < words.Length; i++)
        {
            uint low = BitConverter.SingleToUInt32Bits(Value()) >> 16, high = BitConverter.SingleToUInt32Bits(Value()) & 0xFFFF_0000;
            words[i] = BitConverter.UInt32BitsToSingle(_arithmetic == Arithmetic.BFloat16 ? high | low : high);
        }
        if (!IsTensor) { (words[FirstValues], words[FirstValues + 1]) = (0.984375f, 0.015625f); }
        return words;

        float Value() => (random.Next(255) - 127) / 128f;
    }

    /// <summary>rounds · Σ_j a·b_jᵀ, [16, 8].</summary>
    private double[] TensorReference(int rounds)
    {
        const int rows = 16, columns = 8, rowWords = 8, right = rows * rowWords;
        float[] words = Operands();
        int perWord = _arithmetic == Arithmetic.BFloat16 ? 2 : 1, k = rowWords * perWord;
        double[] all = [.. words.SelectMany(Elements)];
        double[] a = all[..(rows * k)], b = new double[columns * k];
        for (int j = 0; j < Chains; j++) { DoubleMath.AddScaled(b, rounds, all.AsSpan((right + j * columns * rowWords) * perWord, b.Length)); }
        return DoubleMath.Linear(a, k, b, null, 0, columns);

        IEnumerable<double> Elements(float word)
        {
            if (perWord == 1) { return [word]; }
            uint bits = BitConverter.SingleToUInt32Bits(word);
            return [BitConverter.UInt32BitsToSingle(bits << 16), BitConverter.UInt32BitsToSingle(bits & 0xFFFF_0000)];
        }
    }

    /// <summary>The results of the first 64 items, which repeat: the sum of eight chains.</summary>
    private double[] ScalarReference(int rounds)
    {
        float[] words = Operands();
        var results = new double[FirstValues / Chains];
        for (int i = 0; i < FirstValues; i++)
        {
            double x = words[i];
            for (int step = 0; step < StepsPerRound * rounds; step++) { x = x * words[FirstValues] + words[FirstValues + 1]; }
            results[i / Chains] += x;
        }
        return results;
    }
}
