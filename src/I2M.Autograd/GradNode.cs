using I2M.Kernels;

namespace I2M.Autograd;

/// <summary>
/// One recorded operation: where its inputs came from, what it saved, and how a gradient flows back through it. Sealed subclasses stand beside
/// their forward in Ops/. A node has one output; its gradient arrives complete before <see cref="Backward"/> is called, since nodes run in the
/// reverse order of their making.
/// </summary>
internal abstract class GradNode
{
    [ThreadStatic] private static long s_count;
    private readonly Tensor?[] _leaves;
    private readonly GradNode?[] _origins;
    private readonly long[] _lengths;
    private readonly ElementType[] _types;
    private List<Storage>? _saved;

    /// <summary>Order of making; an operation's inputs have smaller numbers.</summary>
    public long Order { get; } = s_count++;

    public IBackend Backend { get; }

    /// <summary>The gradient of the output, rented; None until something contributes.</summary>
    public BufferView OutputGradient { get; set; }

    public ReadOnlySpan<GradNode?> Origins => _origins;

    protected GradNode(params ReadOnlySpan<Tensor?> inputs)
    {
        Backend = inputs[0]!.Backend;
        _leaves = new Tensor?[inputs.Length];
        _origins = new GradNode?[inputs.Length];
        _lengths = new long[inputs.Length];
        _types = new ElementType[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i] is not { } input) { continue; }
            _leaves[i] = input.IsLeaf ? input : null;
            _origins[i] = input.Node;
            _lengths[i] = input.Length;
            _types[i] = input.GradientType;
        }
        TensorScope.Current?.Add(this);
    }

    /// <summary>Writes the gradients of the inputs that <see cref="Needs"/> names.</summary>
    public abstract void Backward();

    /// <summary>True once <see cref="Release"/> has let go of what the backward would read.</summary>
    public bool IsReleased { get; private set; }

    /// <summary>Lets go of what was saved and of an unused gradient. May be called twice.</summary>
    public void Release()
    {
        IsReleased = true;
        if (_saved is not null)
        {
            foreach (Storage storage in _saved) { storage.Release(); }
            _saved = null;
        }
        ReleaseGradient();
    }

    public void ReleaseGradient()
    {
        if (OutputGradient.IsNone) { return; }
        Backend.Pool.Return(OutputGradient);
        OutputGradient = default;
    }

    /// <summary>Keeps a tensor's memory until the backward pass.</summary>
    protected BufferView Save(Tensor tensor)
    {
        (_saved ??= []).Add(tensor.Storage.Retain());
        return tensor.Data;
    }

    /// <summary>True when input <paramref name="i"/> wants a gradient.</summary>
    protected bool Needs(int i) => _origins[i] is not null || _leaves[i] is not null;

    /// <summary>How the gradient of input <paramref name="i"/> is stored.</summary>
    protected ElementType TypeOf(int i) => _types[i];

    /// <summary>Where a kernel that overwrites puts the gradient of input <paramref name="i"/>; a second contribution goes to scratch and is added at the end of the <c>using</c>.</summary>
    protected Target Overwrite(int i)
    {
        BufferView existing = Existing(i);
        if (existing.IsNone) { return new Target(Backend, Create(i), default, 0); }
        return new Target(Backend, Rent(i), existing, _lengths[i]);
    }

    /// <summary>The gradient of input <paramref name="i"/> for a kernel that adds: zeroed when this is the first contribution.</summary>
    protected BufferView Accumulate(int i)
    {
        BufferView existing = Existing(i);
        if (!existing.IsNone) { return existing; }
        BufferView created = Create(i);
        Backend.Fill(created, 0);
        return created;
    }

    /// <summary>For a kernel that can do both: the gradient of input <paramref name="i"/> and whether to add to it.</summary>
    protected BufferView AccumulateOrOverwrite(int i, out bool accumulate)
    {
        BufferView existing = Existing(i);
        accumulate = !existing.IsNone;
        return accumulate ? existing : Create(i);
    }

    /// <summary>
    /// Passes the output's gradient, which is of the input's type, on unchanged. The last use of it in <see cref="Backward"/>: where it is the first
    /// contribution, the buffer itself moves on.
    /// </summary>
    protected void Pass(int i)
    {
        BufferView existing = Existing(i);
        if (!existing.IsNone)
        {
            Add(Backend, OutputGradient, existing, _lengths[i]);
        }
        else if (_origins[i] is { } origin)
        {
            origin.OutputGradient = OutputGradient;
            OutputGradient = default;
        }
        else
        {
            Backend.Copy(OutputGradient, Create(i));
        }
    }

    /// <summary>Adds a copy of the output's gradient to input <paramref name="i"/>'s and keeps it for further use.</summary>
    protected void CopyTo(int i)
    {
        using Target target = Overwrite(i);
        Backend.Copy(OutputGradient, target.View);
    }

    /// <summary>Takes the gradient of input <paramref name="i"/> as far as it has come; None before the first contribution. <see cref="PutGradient"/> gives it back.</summary>
    protected BufferView TakeGradient(int i)
    {
        BufferView existing = Existing(i);
        if (_origins[i] is { } origin) { origin.OutputGradient = default; }
        return existing;
    }

    /// <summary>Gives a gradient back that <see cref="TakeGradient"/> took and somebody added to.</summary>
    protected void PutGradient(int i, BufferView gradient)
    {
        if (_origins[i] is { } origin) { origin.OutputGradient = gradient; }
        else { _leaves[i]!.Gradient = gradient; }
    }

    private BufferView Existing(int i) => _origins[i] is { } origin ? origin.OutputGradient : _leaves[i]!.Gradient;

    private BufferView Create(int i)
    {
        BufferView view = Rent(i);
        if (_origins[i] is { } origin) { origin.OutputGradient = view; }
        else { _leaves[i]!.Gradient = view; }
        return view;
    }

    private BufferView Rent(int i) => Backend.Pool.Rent(_types[i].Words(_lengths[i])).As(_types[i]);

    /// <summary>sum += x, both of one type.</summary>
    private static void Add(IBackend backend, BufferView x, BufferView sum, long length)
    {
        if (sum.Type == ElementType.Float32)
        {
            backend.Axpby(1, x, 1, sum, sum);
            return;
        }
        using var scratch = new BufferScope(backend.Pool);
        BufferView a = scratch.Rent(length), b = scratch.Rent(length);
        backend.Convert(x, length, a);
        backend.Convert(sum, length, b);
        backend.Axpby(1, a, 1, b, b);
        backend.Convert(b, length, sum);
    }

    /// <summary>The output's gradient as a factor beside others of a type: itself, or its rounded copy until the end of the <c>using</c>.</summary>
    protected Factor GradientAs(ElementType type, long length)
    {
        if (OutputGradient.Type == type) { return new Factor(Backend, OutputGradient, isCopy: false); }
        BufferView copy = Backend.Pool.Rent(type.Words(length)).As(type);
        Backend.Convert(OutputGradient, length, copy);
        return new Factor(Backend, copy, isCopy: true);
    }

    /// <summary>A view that may be a rented copy.</summary>
    protected readonly ref struct Factor(IBackend backend, BufferView view, bool isCopy)
    {
        public BufferView View { get; } = view;

        public void Dispose()
        {
            if (isCopy) { backend.Pool.Return(View); }
        }
    }

    /// <summary>A place for a gradient; disposing adds scratch to what was there.</summary>
    protected readonly ref struct Target(IBackend backend, BufferView view, BufferView addTo, long length)
    {
        public BufferView View { get; } = view;

        public void Dispose()
        {
            if (addTo.IsNone) { return; }
            Add(backend, View, addTo, length);
            backend.Pool.Return(View);
        }
    }
}
