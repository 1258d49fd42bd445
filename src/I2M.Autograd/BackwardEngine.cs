using I2M.Kernels;

namespace I2M.Autograd;

/// <summary>Runs the recorded nodes backwards, without recursion: a deep network does not deepen the stack.</summary>
internal static class BackwardEngine
{
    public static void Run(Tensor root, Tensor? gradient)
    {
        if (root.Node is not { } start) { throw new InvalidOperationException("Nothing to differentiate: the tensor was not computed from one that requires a gradient."); }
        if (gradient is null && root.Length != 1) { throw new InvalidOperationException("The backward pass of a non-scalar needs its gradient."); }
        if (gradient is not null && gradient.Length != root.Length) { throw new ArgumentException($"The gradient has {gradient.Length} elements, the tensor {root.Length}."); }
        if (root.GradientType != ElementType.Float32) { throw new InvalidOperationException($"A backward pass starts from Float32; the tensor holds {root.Type}."); }
        IBackend backend = root.Backend;
        BufferView seed = backend.Pool.Rent(root.Length);
        if (gradient is null) { backend.Fill(seed, 1); }
        else { backend.Copy(gradient.View, seed); }
        Run(start, seed);
    }

    /// <summary>Runs backwards from a node whose output has the given gradient, a rented buffer that the node takes over.</summary>
    public static void Run(GradNode start, BufferView gradient)
    {
        List<GradNode> order = ReachableInReverse(start);
        if (order.Exists(static node => node.IsReleased))
        {
            start.Backend.Pool.Return(gradient);
            throw new InvalidOperationException("A part of this graph was differentiated or its scope ended before; what it saved is gone. Add the losses up and run one backward pass.");
        }
        start.OutputGradient = gradient;
        foreach (GradNode node in order)
        {
            if (!node.OutputGradient.IsNone) { node.Backward(); }
            node.Release();
        }
    }

    /// <summary>All nodes that the root depends on, latest first: a node runs after everything that used its output.</summary>
    private static List<GradNode> ReachableInReverse(GradNode start)
    {
        var found = new HashSet<GradNode> { start };
        var pending = new Stack<GradNode>();
        pending.Push(start);
        while (pending.TryPop(out GradNode? node))
        {
            foreach (GradNode? origin in node.Origins)
            {
                if (origin is not null && found.Add(origin)) { pending.Push(origin); }
            }
        }
        List<GradNode> order = [.. found];
        order.Sort(static (a, b) => b.Order.CompareTo(a.Order));
        return order;
    }
}
