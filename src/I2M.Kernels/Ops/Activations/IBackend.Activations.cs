namespace I2M.Kernels;

public partial interface IBackend
{
    /// <summary>SiLU: destination[i] = x · σ(x). The destination may be x.</summary>
    void Silu(BufferView x, BufferView destination);

    /// <summary>dx[i] = dy · σ(x) · (1 + x · (1 − σ(x))). dx may be dy.</summary>
    void SiluBackward(BufferView x, BufferView dy, BufferView dx);

    /// <summary>Exact GELU: destination[i] = x · Φ(x) = x/2 · (1 + erf(x/√2)). The destination may be x.</summary>
    void GeluErf(BufferView x, BufferView destination);

    /// <summary>dx[i] = dy · (Φ(x) + x · φ(x)). dx may be dy.</summary>
    void GeluErfBackward(BufferView x, BufferView dy, BufferView dx);

    /// <summary>GELU's tanh form: destination[i] = x/2 · (1 + tanh(√(2/π) · (x + 0.044715·x³))). The destination may be x.</summary>
    void GeluTanh(BufferView x, BufferView destination);

    /// <summary>The derivative of <see cref="GeluTanh"/> times dy. dx may be dy.</summary>
    void GeluTanhBackward(BufferView x, BufferView dy, BufferView dx);

    /// <summary>destination[i] = ln(max(x[i], floor)), the compression of mel magnitudes. The destination may be x.</summary>
    void LogClamp(BufferView x, float floor, BufferView destination);

    /// <summary>dx[i] = dy[i] / x[i] where x[i] ≥ floor, else 0 (PyTorch's clamp passes the gradient at the floor itself). dx may be dy.</summary>
    void LogClampBackward(BufferView x, float floor, BufferView dy, BufferView dx);

    /// <summary>destination[i] = √(max(x[i], floor)). The destination may be x.</summary>
    void SqrtClamp(BufferView x, float floor, BufferView destination);

    /// <summary>dx[i] = dy[i] / (2√x[i]) where x[i] ≥ floor, else 0; floor &gt; 0. dx may be dy.</summary>
    void SqrtClampBackward(BufferView x, float floor, BufferView dy, BufferView dx);

    /// <summary>destination[i] = x[i] where x[i] ≥ 0, else slope · x[i]; with slope −1 the absolute value. The destination may be x.</summary>
    void LeakyRelu(BufferView x, float slope, BufferView destination);

    /// <summary>dx[i] = dy[i] where x[i] &gt; 0, slope · dy[i] where x[i] &lt; 0, and their mean at 0, so that |x| has gradient 0 there. dx may be dy.</summary>
    void LeakyReluBackward(BufferView x, float slope, BufferView dy, BufferView dx);
}
