using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

public sealed class ActivationsTests
{
    private delegate void Forward(IBackend backend, BufferView x, BufferView y);
    private delegate void Backward(IBackend backend, BufferView x, BufferView dy, BufferView dx);

    private const float Floor = 0.05f, Slope = 0.1f;

    private static readonly Dictionary<string, (Func<Node, Node> Oracle, Forward Forward, Backward Backward)> s_operations = new()
    {
        [nameof(IBackend.Silu)] = (Compositions.Silu, (b, x, y) => b.Silu(x, y), (b, x, dy, dx) => b.SiluBackward(x, dy, dx)),
        [nameof(IBackend.GeluErf)] = (Compositions.GeluErf, (b, x, y) => b.GeluErf(x, y), (b, x, dy, dx) => b.GeluErfBackward(x, dy, dx)),
        [nameof(IBackend.GeluTanh)] = (Compositions.GeluTanh, (b, x, y) => b.GeluTanh(x, y), (b, x, dy, dx) => b.GeluTanhBackward(x, dy, dx)),
        [nameof(IBackend.LogClamp)] = (x => Compositions.LogClamp(x, Floor), (b, x, y) => b.LogClamp(x, Floor, y), (b, x, dy, dx) => b.LogClampBackward(x, Floor, dy, dx)),
        [nameof(IBackend.SqrtClamp)] = (x => Compositions.SqrtClamp(x, Floor), (b, x, y) => b.SqrtClamp(x, Floor, y), (b, x, dy, dx) => b.SqrtClampBackward(x, Floor, dy, dx)),
        [nameof(IBackend.LeakyRelu)] = (x => Compositions.LeakyRelu(x, Slope), (b, x, y) => b.LeakyRelu(x, Slope, y), (b, x, dy, dx) => b.LeakyReluBackward(x, Slope, dy, dx)),
    };

    public static TheoryData<string, string, int, bool> Rows
    {
        get
        {
            var rows = new TheoryData<string, string, int, bool>();
            foreach (string backend in Backends.Names)
            {
                foreach (string operation in s_operations.Keys)
                {
                    foreach (int size in Backends.Sizes)
                    {
                        rows.Add(backend, operation, size, false);
                        rows.Add(backend, operation, size, true);
                    }
                }
            }
            return rows;
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public void Activation_matches_the_oracle_forward_and_backward(string backend, string operation, int size, bool aligned)
    {
        var (oracle, forward, backward) = s_operations[operation];
        using var run = new OperationRun(operation, backend, size, aligned: aligned);
        float[] x = run.Normal(size, deviation: 2), dy = run.Normal(size);
        BufferView bx = run.In(x), bdy = run.In(dy), y = run.Out(size), yInPlace = run.InOut(x), dx = run.Out(size), dxInPlace = run.InOut(dy);
        run.Execute(b =>
        {
            forward(b, bx, y);
            forward(b, yInPlace, yInPlace);
            backward(b, bx, bdy, dx);
            backward(b, bx, dxInPlace, dxInPlace);
        });
        Node input = Node.Leaf(x, size), expected = oracle(input);
        expected.Backward(dy);
        run.Close("y", y, expected.Value, scale: 1);
        run.Close("dx", dx, input.Gradient, scale: 1);
        run.Exact("y in place", yInPlace, run.Read(y));
        run.Exact("dx in place", dxInPlace, run.Read(dx));
    }

    /// <summary>Far out the activations are 0 or x; e^(−x) must not overflow into NaN on the way.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Activations_are_right_far_out_and_at_zero(string backend)
    {
        float[] x = [0, -0f, 1e-30f, -1e-30f, 5.5f, -5.5f, 12, -12, 60, -60, 200, -200, 3e4f, -3e4f];
        foreach (var (operation, (oracle, forward, backward)) in s_operations.Where(o => o.Key is not (nameof(IBackend.LogClamp) or nameof(IBackend.LeakyRelu))))
        {
            using var run = new OperationRun(operation, backend, "far out");
            float[] dy = [.. Enumerable.Repeat(1f, x.Length)];
            BufferView bx = run.In(x), bdy = run.In(dy), y = run.Out(x.Length), dx = run.Out(x.Length);
            run.Execute(b =>
            {
                forward(b, bx, y);
                backward(b, bx, bdy, dx);
            });
            Node input = Node.Leaf(Array.ConvertAll(x, v => Math.Clamp(v, -700.0, 3e4)), x.Length), expected = oracle(input);
            expected.Backward(dy);
            run.Close("y", y, expected.Value, scale: 1);
            run.Close("dx", dx, input.Gradient, scale: 1);
        }
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void LogClamp_passes_the_gradient_at_the_floor_and_not_below(string backend)
    {
        float[] x = [Floor, BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(Floor) - 1), 0, -3, 1, 2], dy = [1, 1, 1, 1, 1, 1];
        using var run = new OperationRun(nameof(IBackend.LogClampBackward), backend, "floor");
        BufferView bx = run.In(x), bdy = run.In(dy), dx = run.Out(x.Length);
        run.Execute(b => b.LogClampBackward(bx, Floor, bdy, dx));
        run.Close("dx", dx, [1 / (double)Floor, 0, 0, 0, 1, 0.5]);
    }

    /// <summary>At 0 the gradient is the mean of both sides', which for |x| is 0.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void LeakyRelu_is_right_far_out_and_at_zero(string backend)
    {
        float[] x = [0, -0f, 1e-30f, -1e-30f, 3e4f, -3e4f], dy = [1, 1, 1, 1, 1, 1];
        using var run = new OperationRun(nameof(IBackend.LeakyReluBackward), backend, "zero");
        BufferView bx = run.In(x), bdy = run.In(dy), y = run.Out(x.Length), dx = run.Out(x.Length), absolute = run.Out(x.Length);
        run.Execute(b =>
        {
            b.LeakyRelu(bx, -1, y);
            b.LeakyReluBackward(bx, Slope, bdy, dx);
            b.LeakyReluBackward(bx, -1, bdy, absolute);
        });
        run.Close("y", y, [0, 0, 1e-30, 1e-30, 3e4, 3e4]);
        run.Close("dx", dx, [0.5 + 0.5 * Slope, 0.5 + 0.5 * Slope, 1, Slope, 1, Slope]);
        run.Close("dx of |x|", absolute, [0, 0, 1, -1, 1, -1]);
    }
}
