using I2M.Kernels;
using I2M.Testing;
using Xunit;

namespace I2M.Autograd.Tests;

/// <summary>The tape: how gradients add up, what is recorded, and when memory goes back.</summary>
public sealed class TapeTests
{
    private const string All = nameof(Backends.All);

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void ATensorUsedTwiceGetsBothGradients(string backend)
    {
        using var scope = new TensorScope();
        Tensor x = Variable(backend, [1, -2, 3]);
        // x² + 2x + x = x·(x + 3): derivative 2x + 3.
        Tensor sum = x.Multiply(x).Add(x.Scale(2)).Add(x);
        Sum(sum).Backward();
        Assert.Equal([5f, -1, 9], x.GradientToArray());
    }

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void ADiamondAddsItsBranchesOnce(string backend)
    {
        using var scope = new TensorScope();
        Tensor x = Variable(backend, [2, 5]);
        Tensor shared = x.Scale(3);                                                // 3x
        Tensor left = shared.Multiply(shared), right = shared.Scale(-4);           // 9x², −12x
        Tensor joined = left.Subtract(right).Add(shared);                          // 9x² + 15x
        Sum(joined).Backward();
        Assert.Equal([51f, 105], x.GradientToArray());
    }

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void ABiasLearnsThoughItsWeightIsConstant(string backend)
    {
        using var scope = new TensorScope();
        IBackend b = Backends.Get(backend);
        float[] one = [1, 2, 3, 4, 5, 6], weight = [.. Enumerable.Repeat(0.5f, 2 * 2 * 7)];
        Tensor x = Tensor.From(b, one, 1, 3, 2);
        Tensor dense = Variable(backend, [0, 0]), depthwise = Variable(backend, [0, 0]), norm = Variable(backend, [0, 0]);
        Sum(x.Conv1d(Tensor.From(b, weight, 2, 2, 7), dense)).Backward();
        Sum(x.DepthwiseConv1d(Tensor.From(b, weight.AsSpan(0, 14), 2, 1, 7), depthwise)).Backward();
        Sum(x.LayerNorm(Tensor.From(b, [1, 1], 2), norm, 1e-6f)).Backward();
        Assert.Equal([3f, 3], dense.GradientToArray());
        Assert.Equal([3f, 3], depthwise.GradientToArray());
        Assert.Equal([3f, 3], norm.GradientToArray());
    }

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void SubtractingATensorFromItselfGivesZero(string backend)
    {
        using var scope = new TensorScope();
        Tensor x = Variable(backend, [2, 5]);
        Sum(x.Subtract(x)).Backward();
        Assert.Equal([0f, 0], x.GradientToArray());
    }

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void LeavesAccumulateOverTwoBackwardCalls(string backend)
    {
        using var scope = new TensorScope();
        Tensor x = Variable(backend, [1, 2]);
        Sum(x.Scale(3)).Backward();
        Sum(x.Multiply(x)).Backward();
        Assert.Equal([5f, 7], x.GradientToArray());
    }

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void NothingIsRecordedWithoutGradients(string backend)
    {
        using var scope = new TensorScope();
        Tensor x = Variable(backend, [1, 2]), y;
        using (GradMode.NoGrad())
        {
            using (GradMode.NoGrad()) { Assert.False(GradMode.IsEnabled); }
            Assert.False(GradMode.IsEnabled);
            y = x.Scale(2);
        }
        Assert.True(GradMode.IsEnabled);
        Assert.False(y.RequiresGrad);
        // A constant factor passes nothing back.
        Sum(y.Multiply(x)).Backward();
        Assert.Equal([2f, 4], x.GradientToArray());
        Assert.Throws<InvalidOperationException>(() => Sum(y).Backward());
    }

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void ViewsSlicesAndConcatenationsPassGradientsToTheirPlaces(string backend)
    {
        using var scope = new TensorScope();
        Tensor x = Variable(backend, [1, 2, 3, 4, 5, 6], 2, 3);
        Tensor columns = x.SliceColumns(1, 2), rows = x.SliceRows(1, 1), seen = x.Reshape(3, 2).Reshape(6);
        Assert.Equal([2f, 3, 5, 6], columns.ToArray());
        Assert.Equal([4f, 5, 6], rows.ToArray());
        Tensor both = columns.ConcatColumns(x);                                    // [2, 5]
        Assert.Equal([2f, 3, 1, 2, 3, 5, 6, 4, 5, 6], both.ToArray());
        Tensor loss = Sum(both).Add(Sum(rows.Scale(10))).Add(Sum(seen.Multiply(seen)));
        loss.Backward();
        // 1 from the concatenation, 1 from the slice, 10 from the second row, 2x from the square.
        Assert.Equal([3f, 6, 8, 19, 22, 24], x.GradientToArray());
    }

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void AnEmbeddingAddsTheGradientsOfRepeatedRows(string backend)
    {
        using var scope = new TensorScope();
        IBackend device = Backends.Get(backend);
        Tensor table = Variable(backend, [1, 2, 3, 4, 5, 6], 3, 2);
        Tensor picked = table.GatherRows(Tensor.Indices(device, [2, 0, 2]));
        Assert.Equal([5f, 6, 1, 2, 5, 6], picked.ToArray());
        picked.Backward(Tensor.From(device, [1, 10, 100, 1000, 2, 20], 3, 2));
        Assert.Equal([100f, 1000, 0, 0, 3, 30], table.GradientToArray());
    }

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void ANonScalarNeedsItsGradient(string backend)
    {
        using var scope = new TensorScope();
        Tensor x = Variable(backend, [1, 2]), y = x.Scale(2);
        Assert.Throws<InvalidOperationException>(() => y.Backward());
        Assert.Throws<ArgumentException>(() => y.Backward(Tensor.Full(Backends.Get(backend), 1, 3)));
        y.Backward(Tensor.From(Backends.Get(backend), [3, 4], 2));
        Assert.Equal([6f, 8], x.GradientToArray());
    }

    [Fact]
    public void ADeepChainNeedsNoStack()
    {
        const int depth = 10_000;
        float gradient = 0;
        var thread = new Thread(() =>
        {
            using var scope = new TensorScope();
            Tensor x = Variable("host", [1]), y = x;
            for (int i = 0; i < depth; i++) { y = y.Add(x); }
            y.Backward();
            gradient = x.GradientToArray()[0];
        }, maxStackSize: 256 * 1024);
        thread.Start();
        thread.Join();
        Assert.Equal(depth + 1, gradient);
    }

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void AScopeReleasesEverything(string backend)
    {
        IBackend device = Backends.Get(backend);
        long before = device.Pool.LiveBytes;
        using (new TensorScope()) { Loss(device).Backward(); }
        Assert.Equal(before, device.Pool.LiveBytes);
        using (new TensorScope()) { Loss(device); }
        Assert.Equal(before, device.Pool.LiveBytes);
    }

    /// <summary>A backward pass that fails half-way leaves nothing behind.</summary>
    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void AScopeReleasesEverythingAfterAFailure(string backend)
    {
        IBackend device = Backends.Get(backend);
        long before = device.Pool.LiveBytes;
        Assert.Throws<InvalidOperationException>(() =>
        {
            using var scope = new TensorScope();
            Tensor x = Variable(backend, [1, 2, 3]);
            Tensor y = ThrowInBackward(x.Scale(2)).Scale(3);
            Sum(y).Backward();
        });
        Assert.Equal(before, device.Pool.LiveBytes);
    }

    /// <summary>What a node saved is gone after its backward: a second pass would read other tensors' memory.</summary>
    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void AGraphIsDifferentiatedOnce(string backend)
    {
        using var scope = new TensorScope();
        Tensor x = Variable(backend, [1, 2]), square = x.Multiply(x), loss = Sum(square);
        loss.Backward();
        Assert.Throws<InvalidOperationException>(() => loss.Backward());
        Assert.Throws<InvalidOperationException>(() => Sum(square.Scale(2)).Backward());
        Assert.Equal([2f, 4], x.GradientToArray());
    }

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void DisposedTemporariesStayUntilTheirBackward(string backend)
    {
        IBackend device = Backends.Get(backend);
        using var scope = new TensorScope();
        Tensor x = Variable(backend, [1, 2]);
        Tensor loss;
        using (Tensor y = x.Scale(3)) { loss = Sum(y.Multiply(y)); }
        loss.Backward();
        Assert.Equal([18f, 36], x.GradientToArray());
    }

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void WhatIsKeptOutlivesItsScope(string backend)
    {
        IBackend device = Backends.Get(backend);
        long before = device.Pool.LiveBytes;
        using (new TensorScope())
        {
            Tensor kept;
            using (var inner = new TensorScope()) { kept = inner.Keep(Tensor.Full(device, 7, 3)); }
            Assert.Equal([7f, 7, 7], kept.ToArray());
        }
        Assert.Equal(before, device.Pool.LiveBytes);
        var outer = new TensorScope();
        var nested = new TensorScope();
        Assert.Throws<InvalidOperationException>(outer.Dispose);
        nested.Dispose();
        outer.Dispose();
    }

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void AWarmStepTakesNoMemoryFromTheDevice(string backend)
    {
        IBackend device = Backends.Get(backend);
        using (new TensorScope()) { Loss(device).Backward(); }
        long allocations = device.Pool.DeviceAllocations;
        for (int i = 0; i < 3; i++)
        {
            using var scope = new TensorScope();
            Loss(device).Backward();
        }
        Assert.Equal(allocations, device.Pool.DeviceAllocations);
    }

    private static Tensor Loss(IBackend device)
    {
        Tensor x = Tensor.Variable(device, new RandomData(1).Normal(24), 2, 3, 4), w = Tensor.Variable(device, new RandomData(2).Normal(20), 5, 4);
        Tensor h = x.LayerNorm(null, null, 1e-6f).Linear(w, null).GeluErf();
        return Sum(h.Multiply(h).TransposeLast().Softmax());
    }

    private static Tensor Variable(string backend, float[] values, params int[] shape) =>
        Tensor.Variable(Backends.Get(backend), values, shape.Length == 0 ? [values.Length] : shape);

    private static Tensor Sum(Tensor x) => x.WeightedSum(Tensor.Full(x.Backend, 1, (int)x.Length));

    private static Tensor ThrowInBackward(Tensor x) => x.Alias([.. x.Shape]).Attach(new ThrowingNode(x));

    private sealed class ThrowingNode(Tensor x) : GradNode(x)
    {
        public override void Backward()
        {
            using Target target = Overwrite(0);
            throw new InvalidOperationException("half-way");
        }
    }
}
