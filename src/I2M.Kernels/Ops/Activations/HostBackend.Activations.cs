using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

public sealed unsafe partial class HostBackend
{
    /// <inheritdoc cref="IBackend.Silu"/>
    public void Silu(BufferView x, BufferView destination) => Map(new SiluFunction(), x, destination, MathGrain);

    /// <inheritdoc cref="IBackend.SiluBackward"/>
    public void SiluBackward(BufferView x, BufferView dy, BufferView dx) => Map(new SiluDerivative(), x, dy, dx, MathGrain);

    /// <inheritdoc cref="IBackend.GeluErf"/>
    public void GeluErf(BufferView x, BufferView destination) => Map(new GeluErfFunction(), x, destination, MathGrain);

    /// <inheritdoc cref="IBackend.GeluErfBackward"/>
    public void GeluErfBackward(BufferView x, BufferView dy, BufferView dx) => Map(new GeluErfDerivative(), x, dy, dx, MathGrain);

    /// <inheritdoc cref="IBackend.GeluTanh"/>
    public void GeluTanh(BufferView x, BufferView destination) => Map(new GeluTanhFunction(), x, destination, MathGrain);

    /// <inheritdoc cref="IBackend.GeluTanhBackward"/>
    public void GeluTanhBackward(BufferView x, BufferView dy, BufferView dx) => Map(new GeluTanhDerivative(), x, dy, dx, MathGrain);

    /// <inheritdoc cref="IBackend.LogClamp"/>
    public void LogClamp(BufferView x, float floor, BufferView destination) => Map(new LogOfClamped(floor), x, destination, MathGrain);

    /// <inheritdoc cref="IBackend.LogClampBackward"/>
    public void LogClampBackward(BufferView x, float floor, BufferView dy, BufferView dx) => Map(new LogClampDerivative(floor), x, dy, dx, MemoryGrain);

    /// <inheritdoc cref="IBackend.SqrtClamp"/>
    public void SqrtClamp(BufferView x, float floor, BufferView destination) => Map(new RootOfClamped(floor), x, destination, MathGrain);

    /// <inheritdoc cref="IBackend.SqrtClampBackward"/>
    public void SqrtClampBackward(BufferView x, float floor, BufferView dy, BufferView dx) => Map(new SqrtClampDerivative(floor), x, dy, dx, MathGrain);

    /// <inheritdoc cref="IBackend.LeakyRelu"/>
    public void LeakyRelu(BufferView x, float slope, BufferView destination) => Map(new LeakyReluFunction(slope), x, destination, MemoryGrain);

    /// <inheritdoc cref="IBackend.LeakyReluBackward"/>
    public void LeakyReluBackward(BufferView x, float slope, BufferView dy, BufferView dx) => Map(new LeakyReluDerivative(slope), x, dy, dx, MemoryGrain);

    /// <summary>x · σ(x).</summary>
    private readonly struct SiluFunction : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x) where V : struct, ILanes<V> => x * VectorMath.Sigmoid(x);
    }

    /// <summary>dy · σ · (1 + x · (1 − σ)).</summary>
    private readonly struct SiluDerivative : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x, V dy) where V : struct, ILanes<V>
        {
            V sigmoid = VectorMath.Sigmoid(x), one = V.All(1f);
            return dy * sigmoid * V.MulAdd(x, one - sigmoid, one);
        }
    }

    /// <summary>x · Φ(x).</summary>
    private readonly struct GeluErfFunction : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x) where V : struct, ILanes<V> => x * VectorMath.NormalDistribution(x, out _);
    }

    /// <summary>dy · (Φ(x) + x · φ(x)).</summary>
    private readonly struct GeluErfDerivative : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x, V dy) where V : struct, ILanes<V>
        {
            V distribution = VectorMath.NormalDistribution(x, out V density);
            return dy * V.MulAdd(x, density, distribution);
        }
    }

    /// <summary>With u = √(2/π)(x + 0.044715x³), ½(1 + tanh u) = σ(2u): the form without cancellation for negative x.</summary>
    private readonly struct GeluTanhFunction : IUnary
    {
        public const float Linear = 1.59576912f, Cubic = 0.0713548163f; // 2√(2/π) and 0.044715 times it

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x) where V : struct, ILanes<V> => x * Gate(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Gate<V>(V x) where V : struct, ILanes<V> => VectorMath.Sigmoid(x * V.MulAdd(x * x, V.All(Cubic), V.All(Linear)));
    }

    /// <summary>dy · (σ + x · σ · (1 − σ) · 2u').</summary>
    private readonly struct GeluTanhDerivative : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x, V dy) where V : struct, ILanes<V>
        {
            V gate = GeluTanhFunction.Gate(x), one = V.All(1f);
            V slope = V.MulAdd(x * x, V.All(3 * GeluTanhFunction.Cubic), V.All(GeluTanhFunction.Linear));
            return dy * gate * V.MulAdd(x * (one - gate), slope, one);
        }
    }

    /// <summary>ln max(x, floor).</summary>
    private readonly struct LogOfClamped(float floor) : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x) where V : struct, ILanes<V> => VectorMath.Log(V.Max(V.All(floor), x));
    }

    /// <summary>dy / x where x ≥ floor, else 0.</summary>
    private readonly struct LogClampDerivative(float floor) : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x, V dy) where V : struct, ILanes<V> => V.WhereLess(x, V.All(floor), V.All(0f), dy / x);
    }

    /// <summary>√max(x, floor).</summary>
    private readonly struct RootOfClamped(float floor) : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x) where V : struct, ILanes<V> => V.Sqrt(V.Max(V.All(floor), x));
    }

    /// <summary>dy / (2√x) where x ≥ floor, else 0.</summary>
    private readonly struct SqrtClampDerivative(float floor) : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x, V dy) where V : struct, ILanes<V> => V.WhereLess(x, V.All(floor), V.All(0f), dy * V.All(0.5f) / V.Sqrt(x));
    }

    /// <summary>x where x ≥ 0, else slope · x.</summary>
    private readonly struct LeakyReluFunction(float slope) : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x) where V : struct, ILanes<V> => V.WhereLess(x, V.All(0f), V.All(slope) * x, x);
    }

    /// <summary>dy times slope, (1 + slope)/2 or 1 where x is negative, 0 or positive.</summary>
    private readonly struct LeakyReluDerivative(float slope) : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x, V dy) where V : struct, ILanes<V>
        {
            V zero = V.All(0f);
            return V.WhereLess(x, zero, V.All(slope) * dy, V.WhereLess(zero, x, dy, V.All(0.5f + 0.5f * slope) * dy));
        }
    }
}
