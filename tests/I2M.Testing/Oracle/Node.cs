namespace I2M.Testing;

/// <summary>
/// A dense row-major array of doubles in the oracle's graph. The primitives in Node.Primitives.cs are the only operations with a derivative
/// of their own; everything else is composed of them. Reverse mode: nodes are numbered as they are created, so descending numbers
/// are a topological order.
/// </summary>
public sealed partial class Node
{
    private static long s_created;
    private readonly long _number = Interlocked.Increment(ref s_created);
    private readonly Node[] _parents;
    private readonly Action<double[]>? _backward;
    private double[]? _gradient;

    /// <summary>The elements, row-major.</summary>
    public double[] Value { get; }

    /// <summary>Dimensions, outermost first.</summary>
    public int[] Shape { get; }

    /// <summary>The last dimension.</summary>
    public int Columns => Shape[^1];

    /// <summary>d(seed · output)/d(this), summed over every backward pass that reached this node.</summary>
    public double[] Gradient => _gradient ??= new double[Value.Length];

    private Node(double[] value, int[] shape, Node[] parents, Action<double[]>? backward)
    {
        if (Size(shape) != value.Length) { throw new ArgumentException($"{value.Length} elements do not fill [{string.Join(", ", shape)}]."); }
        Value = value;
        Shape = shape;
        _parents = parents;
        _backward = backward;
    }

    /// <summary>An input or a constant: constants are inputs whose gradient nobody reads.</summary>
    public static Node Leaf(double[] value, params int[] shape) => new(value, shape, [], null);

    /// <summary>An input from single precision.</summary>
    public static Node Leaf(float[] value, params int[] shape) => Leaf(Array.ConvertAll(value, x => (double)x), shape);

    /// <summary>Accumulates gradients of Σ seed · this into everything this node was computed from.</summary>
    public void Backward(double[] seed)
    {
        if (seed.Length != Value.Length) { throw new ArgumentException($"The seed has {seed.Length} elements, the output {Value.Length}."); }
        for (int i = 0; i < seed.Length; i++) { Gradient[i] += seed[i]; }
        foreach (Node node in Ancestors().OrderByDescending(n => n._number)) { node._backward?.Invoke(node.Gradient); }
    }

    /// <summary>As <see cref="Backward(double[])"/>, from single precision.</summary>
    public void Backward(float[] seed) => Backward(Array.ConvertAll(seed, x => (double)x));

    private HashSet<Node> Ancestors()
    {
        var reached = new HashSet<Node>();
        var pending = new Stack<Node>([this]);
        while (pending.TryPop(out Node? node))
        {
            if (!reached.Add(node)) { continue; }
            foreach (Node parent in node._parents) { pending.Push(parent); }
        }
        return reached;
    }

    /// <summary>The product of the dimensions.</summary>
    public static int Size(params int[] shape) => shape.Aggregate(1, (product, dimension) => checked(product * dimension));
}
