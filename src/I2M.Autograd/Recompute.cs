using I2M.Kernels;

namespace I2M.Autograd;

/// <summary>
/// Trades time for memory: a part of the network keeps its inputs only and is computed again when its gradient is due (Chen et al. 2016, "Training deep
/// nets with sublinear memory cost"). The second pass runs the same operations on the same bits, and gradients add up in the same order, so every
/// gradient is equal to the bit to the one without.
/// </summary>
public static class Recompute
{
    /// <summary>The value of <paramref name="function"/>, of which only the inputs stay in memory until the backward pass.</summary>
    /// <param name="function">A pure function of its inputs and of parameters: it is called once now and once in the backward pass.</param>
    /// <param name="inputs">Every tensor that the function reads, besides parameters. Each may appear once.</param>
    /// <exception cref="ArgumentException">No input, or one that appears twice.</exception>
    public static Tensor Run(Func<IReadOnlyList<Tensor>, Tensor> function, params Tensor[] inputs)
    {
        if (inputs.Length == 0) { throw new ArgumentException("Recompute needs an input.", nameof(inputs)); }
        if (inputs.Distinct().Count() < inputs.Length) { throw new ArgumentException("An input of Recompute appears twice.", nameof(inputs)); }
        if (!GradMode.IsEnabled) { return function(inputs); }
        Tensor result;
        using (var scope = new TensorScope())
        using (GradMode.NoGrad())
        {
            result = scope.Keep(function(inputs));
        }
        return result.Attach(new RecomputeNode(function, inputs));
    }

    private sealed class RecomputeNode : GradNode
    {
        private readonly Func<IReadOnlyList<Tensor>, Tensor> _function;
        private readonly BufferView[] _views;
        private readonly int[][] _shapes;

        public RecomputeNode(Func<IReadOnlyList<Tensor>, Tensor> function, Tensor[] inputs) : base(inputs)
        {
            _function = function;
            _views = Array.ConvertAll(inputs, Save);
            _shapes = Array.ConvertAll(inputs, static input => input.Shape.ToArray());
        }

        public override void Backward()
        {
            using var scope = new TensorScope();
            using var recording = GradMode.Grad();
            var inputs = new Tensor[_views.Length];
            // What flowed into an input's gradient before goes on to grow in place: no other order of additions than without recomputation.
            for (int i = 0; i < inputs.Length; i++)
            {
                inputs[i] = Needs(i) ? Tensor.Leaf(Backend, _views[i], TakeGradient(i), TypeOf(i), _shapes[i]) : Tensor.Over(Backend, _views[i], _shapes[i]);
            }
            Tensor result = _function(inputs);
            BufferView gradient = OutputGradient;
            OutputGradient = default;
            GradNode? node = result.Node;
            result.Dispose(); // Whoever reads it again has saved it.
            if (node is not null) { BackwardEngine.Run(node, gradient); }
            else { Backend.Pool.Return(gradient); }
            for (int i = 0; i < inputs.Length; i++)
            {
                if (Needs(i)) { PutGradient(i, inputs[i].Gradient); }
            }
        }
    }
}
