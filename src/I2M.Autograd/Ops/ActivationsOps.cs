using I2M.Kernels;

namespace I2M.Autograd;

public static partial class TensorOps
{
    /// <summary>x · σ(x).</summary>
    public static Tensor Silu(this Tensor x) => Activate(x, static (b, x, y) => b.Silu(x, y), static (b, x, dy, dx) => b.SiluBackward(x, dy, dx));

    /// <summary>Exact GELU, x · Φ(x).</summary>
    public static Tensor GeluErf(this Tensor x) => Activate(x, static (b, x, y) => b.GeluErf(x, y), static (b, x, dy, dx) => b.GeluErfBackward(x, dy, dx));

    /// <summary>GELU's tanh form.</summary>
    public static Tensor GeluTanh(this Tensor x) => Activate(x, static (b, x, y) => b.GeluTanh(x, y), static (b, x, dy, dx) => b.GeluTanhBackward(x, dy, dx));

    /// <summary>ln(max(x, floor)).</summary>
    public static Tensor LogClamp(this Tensor x, float floor)
    {
        Tensor y = x.EmptyLike();
        x.Backend.LogClamp(x.View, floor, y.View);
        return GradMode.Records(x) ? y.Attach(new LogClampNode(x, floor)) : y;
    }

    private static Tensor Activate(Tensor x, Action<IBackend, BufferView, BufferView> forward, Action<IBackend, BufferView, BufferView, BufferView> backward)
    {
        Tensor y = x.EmptyLike();
        forward(x.Backend, x.View, y.View);
        return GradMode.Records(x) ? y.Attach(new ActivationNode(x, backward)) : y;
    }

    private sealed class ActivationNode : GradNode
    {
        private readonly BufferView _x;
        private readonly Action<IBackend, BufferView, BufferView, BufferView> _backward;

        public ActivationNode(Tensor x, Action<IBackend, BufferView, BufferView, BufferView> backward) : base(x) => (_x, _backward) = (Save(x), backward);

        public override void Backward()
        {
            using Target dx = Overwrite(0);
            _backward(Backend, _x, OutputGradient, dx.View);
        }
    }

    private sealed class LogClampNode : GradNode
    {
        private readonly BufferView _x;
        private readonly float _floor;

        public LogClampNode(Tensor x, float floor) : base(x) => (_x, _floor) = (Save(x), floor);

        public override void Backward()
        {
            using Target dx = Overwrite(0);
            Backend.LogClampBackward(_x, _floor, OutputGradient, dx.View);
        }
    }
}
