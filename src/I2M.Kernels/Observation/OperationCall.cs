namespace I2M.Kernels.Observation;

/// <summary>What an operation was asked to do, as far as its cost goes. Calls with equal keys cost the same.</summary>
/// <param name="Name">The operation: its method in <see cref="IBackend"/>.</param>
/// <param name="Kind">What the sizes are, and how products lie.</param>
/// <param name="Type">How the first operand is stored.</param>
/// <param name="A">m of a product, batch · heads of attention, elements of the largest operand else.</param>
/// <param name="B">n, or queries.</param>
/// <param name="C">k, or keys.</param>
/// <param name="D">Products of a batch, or channels of a head.</param>
public readonly record struct OperationKey(string Name, string Kind, ElementType Type, long A, long B, long C, long D)
{
    /// <summary>The sizes in words, such as "NT 5600×384×128".</summary>
    public string Shape => Kind switch
    {
        "" => $"{A}",
        OperationCall.AttentionKind => $"{A}×[{B}×{C}]×{D}",
        _ => D == 1 ? $"{Kind} {A}×{B}×{C}" : $"{Kind} {D}×[{A}×{B}×{C}]",
    };

    /// <summary>"f32" or "bf16".</summary>
    public string TypeName => Type == ElementType.BFloat16 ? "bf16" : "f32";
}

/// <summary>
/// One call of an operation. It is made from the operation's own arguments, so that no family has to say what it costs: products, attention and
/// convolutions count operations by their shapes, everything else is memory traffic, each operand counted once, or twice where it is read and written.
/// </summary>
public struct OperationCall
{
    /// <summary>Kind of attention's keys.</summary>
    public const string AttentionKind = "attention";
    private const string AttentionBackward = nameof(IBackend.AttentionBackward);

    private readonly string _name;
    private string _kind;
    private long _a, _b, _c, _d, _viewBytes, _largest, _shapeBytes;
    private ElementType? _type;
    private bool _accumulates;

    /// <param name="name">The operation.</param>
    public OperationCall(string name) => (_name, _kind) = (name, "");

    /// <summary>Useful floating-point operations of products, attention and convolutions, a multiply-add as two; 0 of everything else. What attention's backward pass recomputes is not counted.</summary>
    public double Flops { get; private set; }

    /// <summary>Bytes that have to be read or written at least once.</summary>
    public readonly long Bytes => _shapeBytes > 0 ? _shapeBytes : _viewBytes;

    /// <summary>The operation: its method in <see cref="IBackend"/>.</summary>
    public readonly string Name => _name;

    /// <summary>Operation and sizes.</summary>
    public readonly OperationKey Key => new(_name, _kind, _type ?? ElementType.Float32, _kind.Length == 0 ? _largest : _a, _b, _c, _d);

    /// <summary>The last operand so far: by the contract's convention an output.</summary>
    public BufferView Last { get; private set; }

    /// <summary>Takes an operand in.</summary>
    public void Describe(in BufferView view) => Describe(view, _accumulates ? 2 : 1);

    /// <summary>Takes an operand in that is read and written.</summary>
    public void DescribeInPlace(in BufferView view) => Describe(view, 2);

    private void Describe(BufferView view, int times)
    {
        if (view.IsNone) { return; }
        Last = view;
        _type ??= view.Type;
        _viewBytes += times * view.Length * sizeof(float);
        _largest = Math.Max(_largest, view.Type == ElementType.BFloat16 ? 2 * view.Length : view.Length);
    }

    /// <summary>Takes the optional operands of a product in.</summary>
    public void Describe(in GemmEpilogue epilogue)
    {
        Describe(epilogue.PreActivation);
        Describe(epilogue.Residual);
        Describe(epilogue.GeluGradientOf);
    }

    /// <summary>Takes a product's sizes in. Its bytes are those of the operands: a shared weight counts once.</summary>
    public void Describe(in GemmShape shape)
    {
        (_kind, _a, _b, _c, _d) = (shape.Layout.ToString(), shape.M, shape.N, shape.K, shape.Batch);
        Flops = shape.Flops;
        _accumulates = shape.Accumulate; // What comes after the shape is c.
    }

    /// <summary>Takes attention's sizes in. Views into packed projections overlap, so bytes come from the sizes: q, o and k, v once, and of the backward pass as many gradients again.</summary>
    public void Describe(in AttentionShape shape)
    {
        (_kind, _a, _b, _c, _d) = (AttentionKind, (long)shape.Batch * shape.Heads, shape.Queries, shape.Keys, shape.HeadDim);
        int passes = _name == AttentionBackward ? 2 : 1;
        Flops = passes * shape.Flops;
        _shapeBytes = passes * 2L * shape.Batch * shape.Heads * shape.HeadDim * (shape.Queries + shape.Keys) * (_type == ElementType.BFloat16 ? 2 : 4);
    }

    /// <summary>Takes a convolution's sizes in.</summary>
    public void Describe(in Conv1dShape shape)
    {
        int inputs = _name.StartsWith("Depthwise", StringComparison.Ordinal) ? 1 : shape.InChannels;
        (_kind, _a, _b, _c, _d) = ("conv", (long)shape.Batch * shape.Length, shape.OutChannels, (long)inputs * shape.Kernel, 1);
        Flops = 2.0 * _a * _b * _c;
    }
}
