using I2M.Kernels;

namespace I2M.Autograd;

/// <summary>Differentiable operations, one file per family as in I2M.Kernels; the formulas stand at the backend contract.</summary>
public static partial class TensorOps
{
    /// <summary>x + y, equal shapes.</summary>
    public static Tensor Add(this Tensor x, Tensor y) => Axpby(1, x, 1, y);

    /// <summary>x − y, equal shapes.</summary>
    public static Tensor Subtract(this Tensor x, Tensor y) => Axpby(1, x, -1, y);

    /// <summary>a·x + b·y, equal shapes.</summary>
    public static Tensor Axpby(float a, Tensor x, float b, Tensor y)
    {
        RequireSameLength(x, y, nameof(Axpby));
        Tensor z = x.EmptyLike();
        x.Backend.Axpby(a, x.View, b, y.View, z.View);
        return GradMode.Records(x, y) ? z.Attach(new AxpbyNode(a, x, b, y)) : z;
    }

    /// <summary>a·x.</summary>
    public static Tensor Scale(this Tensor x, float a)
    {
        Tensor z = x.EmptyLike();
        x.Backend.Scale(a, x.View, z.View);
        return GradMode.Records(x) ? z.Attach(new ScaleNode(a, x)) : z;
    }

    /// <summary>x ∘ y element by element, equal shapes.</summary>
    public static Tensor Multiply(this Tensor x, Tensor y)
    {
        RequireSameLength(x, y, nameof(Multiply));
        Tensor z = x.EmptyLike();
        x.Backend.Multiply(x.View, y.View, z.View);
        return GradMode.Records(x, y) ? z.Attach(new MultiplyNode(x, y)) : z;
    }

    /// <summary>x + v with v repeated over x's leading dimensions: a bias, or position embeddings [tokens, channels] over a batch.</summary>
    public static Tensor AddBroadcast(this Tensor x, Tensor v)
    {
        Tensor z = x.EmptyLike();
        x.Backend.AddBroadcast(x.View, v.View, z.View);
        return GradMode.Records(x, v) ? z.Attach(new AddBroadcastNode(x, v)) : z;
    }

    /// <summary>Row r of the result is x's where keep[r] is 1 and <paramref name="fallback"/> where it is 0.</summary>
    /// <param name="x">[rows, …]</param>
    /// <param name="keep">[rows], 0 or 1, constant.</param>
    /// <param name="fallback">As long as one row of x.</param>
    public static Tensor MixRows(this Tensor x, Tensor keep, Tensor fallback)
    {
        Tensor z = x.EmptyLike();
        x.Backend.MixRows(keep.View, x.View, fallback.View, (int)keep.Length, z.View);
        return GradMode.Records(x, fallback) ? z.Attach(new MixRowsNode(x, keep, fallback)) : z;
    }

    /// <summary>x + gate ∘ h, where the gate of sample b is chunk <paramref name="chunk"/> of row b of the modulation.</summary>
    /// <param name="x">[batch, tokens, channels]</param>
    /// <param name="h">[batch, tokens, channels], float32 or bfloat16</param>
    /// <param name="modulation">[batch, chunks · channels], or [channels] for one gate shared by all rows.</param>
    /// <param name="chunk">Which of the vectors that lie side by side.</param>
    public static Tensor GatedResidual(this Tensor x, Tensor h, Tensor modulation, int chunk = 0)
    {
        ModulationShape shape = ModulationOf(x, modulation);
        Tensor z = x.EmptyLike();
        x.Backend.GatedResidual(x.View, h.Data, modulation.View.From((long)chunk * shape.Channels), shape, z.View);
        return GradMode.Records(x, h, modulation) ? z.Attach(new GatedResidualNode(x, h, modulation, chunk, shape)) : z;
    }

    /// <summary>
    /// The same values in an element type, rounded to nearest even where they become bfloat16; without a copy where x is of that type. The gradient of a
    /// rounded copy stays in the type of x's gradient: what several products add to it is rounded nowhere.
    /// </summary>
    public static Tensor As(this Tensor x, ElementType type)
    {
        if (x.Type == type) { return x.Reshape(x.Shape.ToArray()); }
        Tensor y = x.EmptyLike(type, type == ElementType.Float32 ? type : x.GradientType);
        x.Backend.Convert(x.Data, x.Length, y.Data);
        return GradMode.Records(x) ? y.Attach(new ConvertNode(x)) : y;
    }

    /// <summary>The same data under another shape, no copy; either type.</summary>
    public static Tensor Reshape(this Tensor x, params int[] shape)
    {
        Tensor z = x.Alias(shape);
        return GradMode.Records(x) ? z.Attach(new ReshapeNode(x)) : z;
    }

    private static ModulationShape ModulationOf(Tensor x, Tensor modulation)
    {
        if (modulation.Shape.Length <= 1) { return new ModulationShape(1, x.Rows, x.Columns, 0); }
        int batch = modulation.Shape[0];
        return new ModulationShape(batch, x.Rows / batch, x.Columns, modulation.Columns);
    }

    private static void RequireSameLength(Tensor x, Tensor y, string operation)
    {
        if (x.Length != y.Length) { throw new ArgumentException($"{operation}: [{string.Join(", ", x.Shape.ToArray())}] and [{string.Join(", ", y.Shape.ToArray())}] differ."); }
    }

    private sealed class AxpbyNode(float a, Tensor x, float b, Tensor y) : GradNode(x, y)
    {
        private readonly float _a = a, _b = b;

        public override void Backward()
        {
            if (Needs(1)) { Give(1, _b, last: !Needs(0)); }
            if (Needs(0)) { Give(0, _a, last: true); }
        }

        private void Give(int i, float factor, bool last)
        {
            if (factor == 1)
            {
                if (last) { Pass(i); }
                else { CopyTo(i); }
                return;
            }
            using Target target = Overwrite(i);
            Backend.Scale(factor, OutputGradient, target.View);
        }
    }

    private sealed class ScaleNode(float a, Tensor x) : GradNode(x)
    {
        private readonly float _a = a;

        public override void Backward()
        {
            using Target dx = Overwrite(0);
            Backend.Scale(_a, OutputGradient, dx.View);
        }
    }

    private sealed class MultiplyNode : GradNode
    {
        private readonly BufferView _x, _y;

        public MultiplyNode(Tensor x, Tensor y) : base(x, y) => (_x, _y) = (Save(x), Save(y));

        public override void Backward()
        {
            if (Needs(0))
            {
                using Target dx = Overwrite(0);
                Backend.Multiply(OutputGradient, _y, dx.View);
            }
            if (Needs(1))
            {
                using Target dy = Overwrite(1);
                Backend.Multiply(OutputGradient, _x, dy.View);
            }
        }
    }

    private sealed class AddBroadcastNode(Tensor x, Tensor v) : GradNode(x, v)
    {
        private readonly int _rows = (int)(x.Length / v.Length), _columns = (int)v.Length;

        public override void Backward()
        {
            if (Needs(1))
            {
                BufferView dv = AccumulateOrOverwrite(1, out bool accumulate);
                Backend.SumColumns(OutputGradient, new ReduceShape(1, _rows, _columns), 1, accumulate, dv);
            }
            if (Needs(0)) { Pass(0); }
        }
    }

    private sealed class MixRowsNode : GradNode
    {
        private readonly BufferView _keep;

        public MixRowsNode(Tensor x, Tensor keep, Tensor fallback) : base(x, fallback) => _keep = Save(keep);

        public override void Backward()
        {
            BufferView dfallback = Needs(1) ? Accumulate(1) : BufferView.None;
            if (!Needs(0))
            {
                Backend.MixRowsBackward(_keep, OutputGradient, (int)_keep.Length, BufferView.None, dfallback);
                return;
            }
            using Target dx = Overwrite(0);
            Backend.MixRowsBackward(_keep, OutputGradient, (int)_keep.Length, dx.View, dfallback);
        }
    }

    private sealed class GatedResidualNode : GradNode
    {
        private readonly BufferView _h, _modulation;
        private readonly int _chunk;
        private readonly ModulationShape _shape;

        public GatedResidualNode(Tensor x, Tensor h, Tensor modulation, int chunk, ModulationShape shape) : base(x, h, modulation)
        {
            (_h, _modulation) = (Save(h), Save(modulation));
            (_chunk, _shape) = (chunk, shape);
        }

        /// <summary>True once somebody else has given h and the gate their gradients.</summary>
        public bool BranchIsDone { get; set; }

        public override void Backward()
        {
            if (!BranchIsDone) { GiveBranch(); }
            if (Needs(0)) { Pass(0); }
        }

        private void GiveBranch()
        {
            long offset = (long)_chunk * _shape.Channels;
            BufferView gate = _modulation.From(offset);
            BufferView dgate = Needs(2) ? Accumulate(2).From(offset) : BufferView.None;
            if (Needs(1))
            {
                using Target dh = Overwrite(1);
                Backend.GatedResidualBackward(_h, gate, OutputGradient, _shape, dh.View, dgate);
            }
            else
            {
                Backend.GatedResidualBackward(_h, gate, OutputGradient, _shape, BufferView.None, dgate);
            }
        }
    }

    private sealed class ConvertNode(Tensor x) : GradNode(x)
    {
        private readonly long _length = x.Length;

        public override void Backward()
        {
            if (OutputGradient.Type == TypeOf(0))
            {
                Pass(0);
                return;
            }
            using Target dx = Overwrite(0);
            Backend.Convert(OutputGradient, _length, dx.View);
        }
    }

    private sealed class ReshapeNode(Tensor x) : GradNode(x)
    {
        public override void Backward() => Pass(0);
    }
}
