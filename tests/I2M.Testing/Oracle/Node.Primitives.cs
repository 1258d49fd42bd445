namespace I2M.Testing;

public sealed partial class Node
{
    /// <summary>Element by element; equal sizes. d(a + b) = da + db.</summary>
    public static Node operator +(Node a, Node b)
    {
        RequireEqual(a, b);
        var value = new double[a.Value.Length];
        for (int i = 0; i < value.Length; i++) { value[i] = a.Value[i] + b.Value[i]; }
        return new Node(value, a.Shape, [a, b], gradient =>
        {
            for (int i = 0; i < gradient.Length; i++)
            {
                a.Gradient[i] += gradient[i];
                b.Gradient[i] += gradient[i];
            }
        });
    }

    /// <summary>Element by element; equal sizes. d(a · b) = b · da + a · db.</summary>
    public static Node operator *(Node a, Node b)
    {
        RequireEqual(a, b);
        var value = new double[a.Value.Length];
        for (int i = 0; i < value.Length; i++) { value[i] = a.Value[i] * b.Value[i]; }
        return new Node(value, a.Shape, [a, b], gradient =>
        {
            for (int i = 0; i < gradient.Length; i++)
            {
                a.Gradient[i] += gradient[i] * b.Value[i];
                b.Gradient[i] += gradient[i] * a.Value[i];
            }
        });
    }

    /// <summary>factor · this.</summary>
    public static Node operator *(double factor, Node a) => a.Map(x => factor * x, (_, _) => factor);

    /// <summary>this + constant.</summary>
    public static Node operator +(Node a, double constant) => a.Map(x => x + constant, (_, _) => 1);

    /// <summary>a − b.</summary>
    public static Node operator -(Node a, Node b) => a + -1.0 * b;

    /// <summary>e^x.</summary>
    public Node Exp() => Map(Math.Exp, (_, y) => y);

    /// <summary>ln x.</summary>
    public Node Log() => Map(Math.Log, (x, _) => 1 / x);

    /// <summary>√x.</summary>
    public Node Sqrt() => Map(Math.Sqrt, (_, y) => 0.5 / y);

    /// <summary>1/x.</summary>
    public Node Reciprocal() => Map(x => 1 / x, (_, y) => -y * y);

    /// <summary>erf x, with derivative 2/√π · e^(−x²).</summary>
    public Node Erf() => Map(ErrorFunction.Erf, (x, _) => 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x));

    /// <summary>tanh x.</summary>
    public Node Tanh() => Map(Math.Tanh, (_, y) => 1 - y * y);

    /// <summary>sin x.</summary>
    public Node Sin() => Map(Math.Sin, (x, _) => Math.Cos(x));

    /// <summary>cos x.</summary>
    public Node Cos() => Map(Math.Cos, (x, _) => -Math.Sin(x));

    /// <summary>max(x, low); the gradient passes where x ≥ low.</summary>
    public Node AtLeast(double low) => Map(x => Math.Max(x, low), (x, _) => x >= low ? 1 : 0);

    /// <summary>min(x, high); the gradient passes where x ≤ high.</summary>
    public Node AtMost(double high) => Map(x => Math.Min(x, high), (x, _) => x <= high ? 1 : 0);

    /// <summary>The maximum of each row of the last dimension as a constant: no gradient passes.</summary>
    public Node RowMaximum()
    {
        var value = new double[Value.Length / Columns];
        for (int r = 0; r < value.Length; r++) { value[r] = Value.AsSpan(r * Columns, Columns).ToArray().Max(); }
        return Leaf(value, Shape[..^1]);
    }

    /// <summary>
    /// result[i] = this[source(i)], or 0 where source(i) is negative: reshape, permutation, broadcast, slice, padding and lookup in one.
    /// </summary>
    public Node Gather(int[] shape, Func<int, int> source)
    {
        var value = new double[Size(shape)];
        var map = new int[value.Length];
        for (int i = 0; i < map.Length; i++)
        {
            map[i] = source(i);
            value[i] = map[i] < 0 ? 0 : Value[map[i]];
        }
        return new Node(value, shape, [this], gradient =>
        {
            double[] own = Gradient;
            for (int i = 0; i < map.Length; i++)
            {
                if (map[i] >= 0) { own[map[i]] += gradient[i]; }
            }
        });
    }

    /// <summary>result[target(i)] += this[i], dropped where target(i) is negative: the adjoint of <see cref="Gather"/>, and every sum.</summary>
    public Node ScatterAdd(int[] shape, Func<int, int> target)
    {
        var value = new double[Size(shape)];
        var map = new int[Value.Length];
        for (int i = 0; i < map.Length; i++)
        {
            map[i] = target(i);
            if (map[i] >= 0) { value[map[i]] += Value[i]; }
        }
        return new Node(value, shape, [this], gradient =>
        {
            double[] own = Gradient;
            for (int i = 0; i < map.Length; i++)
            {
                if (map[i] >= 0) { own[i] += gradient[map[i]]; }
            }
        });
    }

    /// <summary>[batch, m, k] · [batch, k, n] → [batch, m, n].</summary>
    public static Node MatMul(Node a, Node b)
    {
        int batch = a.Shape[0], m = a.Shape[1], k = a.Shape[2], n = b.Shape[2];
        if (b.Shape[0] != batch || b.Shape[1] != k) { throw new ArgumentException("The factors' shapes do not fit."); }
        var value = new double[batch * m * n];
        ForEachPair(batch, m, k, n, (row, ik, kn) =>
        {
            double factor = a.Value[ik];
            for (int j = 0; j < n; j++) { value[row + j] += factor * b.Value[kn + j]; }
        });
        return new Node(value, [batch, m, n], [a, b], gradient =>
        {
            double[] da = a.Gradient, db = b.Gradient;
            ForEachPair(batch, m, k, n, (row, ik, kn) =>
            {
                double factor = a.Value[ik], sum = 0;
                for (int j = 0; j < n; j++)
                {
                    sum += gradient[row + j] * b.Value[kn + j];
                    db[kn + j] += factor * gradient[row + j];
                }
                da[ik] += sum;
            });
        });
    }

    /// <summary>Visits every (i, k) of every product with the first words of row i of the result, of a[i,k] and of row k of b.</summary>
    private static void ForEachPair(int batch, int m, int k, int n, Action<int, int, int> visit)
    {
        for (int item = 0; item < batch * m; item++)
        {
            for (int inner = 0; inner < k; inner++) { visit(item * n, item * k + inner, (item / m * k + inner) * n); }
        }
    }

    /// <summary>result[i] = f(this[i]) with derivative slope(x, y) of input and output.</summary>
    private Node Map(Func<double, double> f, Func<double, double, double> slope)
    {
        double[] value = Array.ConvertAll(Value, x => f(x));
        return new Node(value, Shape, [this], gradient =>
        {
            double[] own = Gradient;
            for (int i = 0; i < gradient.Length; i++) { own[i] += gradient[i] * slope(Value[i], value[i]); }
        });
    }

    private static void RequireEqual(Node a, Node b)
    {
        if (a.Value.Length != b.Value.Length) { throw new ArgumentException($"{a.Value.Length} and {b.Value.Length} elements do not match."); }
    }
}
