using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

public sealed class Conv1dTests
{
    private static IEnumerable<Conv1dShape> Shapes(int size) =>
        [new(2, size, 5, 7, 7), new(1, 9, Math.Min(size, 127), 33, 3), new(1, 17, 3, size, 7), new(1, size, 2, 3, 1)];

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void Conv1d_matches_the_oracle_forward_and_backward(string backend, int size)
    {
        foreach (Conv1dShape shape in Shapes(size))
        {
            using var run = new OperationRun(nameof(IBackend.Conv1d), backend, shape);
            var data = new Data(run, shape, shape.OutChannels * shape.InChannels * shape.Kernel);
            run.Execute(b =>
            {
                b.Conv1d(data.X, data.Weight, data.Bias, shape, data.Y);
                b.Conv1d(data.X, data.Weight, BufferView.None, shape, data.YWithoutBias);
                b.Conv1dBackwardInput(data.Weight, data.Dy, shape, data.Dx);
                b.Conv1dBackwardWeight(data.X, data.Dy, shape, data.Dweight, data.Dbias);
                b.Conv1dBackwardWeight(data.X, data.Dy, shape, data.DweightAlone, BufferView.None);
            });
            data.Check(Compositions.Conv1d);
        }
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void DepthwiseConv1d_matches_the_oracle_forward_and_backward(string backend, int size)
    {
        foreach (Conv1dShape shape in Shapes(size).Select(s => s with { InChannels = s.OutChannels })) { Depthwise(backend, shape, aligned: false); }
    }

    /// <summary>Seven taps over whole vectors of channels: lengths around the taps' reach and the time steps that an item takes.</summary>
    [Theory, MemberData(nameof(Lengths))]
    public void Aligned_depthwise_convolutions_match_the_oracle(string backend, int length)
    {
        Depthwise(backend, new Conv1dShape(2, length, 8, 8, 7), aligned: true);
        Depthwise(backend, new Conv1dShape(1, length, 132, 132, 7), aligned: true);
    }

    public static TheoryData<string, int> Lengths => Backends.With([1, 3, 4, 6, 9, 19]);

    private static void Depthwise(string backend, Conv1dShape shape, bool aligned)
    {
        using var run = new OperationRun(nameof(IBackend.DepthwiseConv1d), backend, shape, aligned: aligned);
        var data = new Data(run, shape, shape.OutChannels * shape.Kernel);
        run.Execute(b =>
        {
            b.DepthwiseConv1d(data.X, data.Weight, data.Bias, shape, data.Y);
            b.DepthwiseConv1d(data.X, data.Weight, BufferView.None, shape, data.YWithoutBias);
            b.DepthwiseConv1dBackwardInput(data.Weight, data.Dy, shape, data.Dx);
            b.DepthwiseConv1dBackwardWeight(data.X, data.Dy, shape, data.Dweight, data.Dbias);
            b.DepthwiseConv1dBackwardWeight(data.X, data.Dy, shape, data.DweightAlone, BufferView.None);
        });
        data.Check(Compositions.DepthwiseConv1d);
    }

    private sealed class Data
    {
        private readonly OperationRun _run;
        private readonly Conv1dShape _shape;
        private readonly float[] _x, _weight, _bias, _dy, _beforeWeight, _beforeBias;

        public BufferView X { get; }
        public BufferView Weight { get; }
        public BufferView Bias { get; }
        public BufferView Dy { get; }
        public BufferView Y { get; }
        public BufferView YWithoutBias { get; }
        public BufferView Dx { get; }
        public BufferView Dweight { get; }
        public BufferView DweightAlone { get; }
        public BufferView Dbias { get; }

        public Data(OperationRun run, Conv1dShape s, int weights)
        {
            (_run, _shape) = (run, s);
            int rows = s.Batch * s.Length;
            (_x, _weight, _bias, _dy) = (run.Normal(rows * s.InChannels), run.Normal(weights), run.Normal(s.OutChannels), run.Normal(rows * s.OutChannels));
            (_beforeWeight, _beforeBias) = (run.Normal(weights), run.Normal(s.OutChannels));
            (X, Weight, Bias, Dy) = (run.In(_x), run.In(_weight), run.In(_bias), run.In(_dy));
            (Y, YWithoutBias, Dx) = (run.Out(_dy.Length), run.Out(_dy.Length), run.Out(_x.Length));
            (Dweight, DweightAlone, Dbias) = (run.InOut(_beforeWeight), run.InOut(_beforeWeight), run.InOut(_beforeBias));
        }

        public void Check(Func<Node, Node, Node?, Conv1dShape, Node> oracle)
        {
            Node x = Node.Leaf(_x, _x.Length), weight = Node.Leaf(_weight, _weight.Length), bias = Node.Leaf(_bias, _bias.Length);
            Node expected = oracle(x, weight, bias, _shape);
            expected.Backward(_dy);
            double unit = Math.Sqrt(_shape.Kernel);
            _run.Close("y", Y, expected.Value, unit);
            _run.Close("y without bias", YWithoutBias, oracle(x, weight, null, _shape).Value, unit);
            _run.Close("dx", Dx, x.Gradient, unit);
            double rows = Math.Sqrt(_shape.Batch * _shape.Length);
            _run.Close("dweight", Dweight, [.. _beforeWeight.Zip(weight.Gradient, (b, g) => b + g)], rows);
            _run.Exact("dweight without dbias", DweightAlone, _run.Read(Dweight));
            _run.Close("dbias", Dbias, [.. _beforeBias.Zip(bias.Gradient, (b, g) => b + g)], rows);
        }
    }
}
