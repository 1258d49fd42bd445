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
        return GradMode.Records(x) ? y.Attach(new ConstantActivationNode(x, floor, static (b, x, c, dy, dx) => b.LogClampBackward(x, c, dy, dx))) : y;
    }

    /// <summary>√max(x, floor), floor &gt; 0.</summary>
    public static Tensor SqrtClamp(this Tensor x, float floor)
    {
        Tensor y = x.EmptyLike();
        x.Backend.SqrtClamp(x.View, floor, y.View);
        return GradMode.Records(x) ? y.Attach(new ConstantActivationNode(x, floor, static (b, x, c, dy, dx) => b.SqrtClampBackward(x, c, dy, dx))) : y;
    }

    /// <summary>x where it is positive, else slope · x.</summary>
    public static Tensor LeakyRelu(this Tensor x, float slope)
    {
        Tensor y = x.EmptyLike();
        x.Backend.LeakyRelu(x.View, slope, y.View);
        return GradMode.Records(x) ? y.Attach(new ConstantActivationNode(x, slope, static (b, x, c, dy, dx) => b.LeakyReluBackward(x, c, dy, dx))) : y;
    }

    /// <summary>|x|, with gradient 0 at 0.</summary>
    public static Tensor Abs(this Tensor x) => x.LeakyRelu(-1);

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

    /// <summary>The backward of an activation with a constant: (backend, x, constant, dy, dx).</summary>
    private delegate void ConstantBackward(IBackend backend, BufferView x, float constant, BufferView dy, BufferView dx);

    private sealed class ConstantActivationNode : GradNode
    {
        private readonly BufferView _x;
        private readonly float _constant;
        private readonly ConstantBackward _backward;

        public ConstantActivationNode(Tensor x, float constant, ConstantBackward backward) : base(x) => (_x, _constant, _backward) = (Save(x), constant, backward);

        public override void Backward()
        {
            using Target dx = Overwrite(0);
            _backward(Backend, _x, _constant, OutputGradient, dx.View);
        }
    }
}
