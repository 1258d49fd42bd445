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
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i] is not { } input) { continue; }
            _leaves[i] = input.IsLeaf ? input : null;
            _origins[i] = input.Node;
            _lengths[i] = input.Length;
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
        return tensor.View;
    }

    /// <summary>True when input <paramref name="i"/> wants a gradient.</summary>
    protected bool Needs(int i) => _origins[i] is not null || _leaves[i] is not null;

    /// <summary>Where a kernel that overwrites puts the gradient of input <paramref name="i"/>; a second contribution goes to scratch and is added at the end of the <c>using</c>.</summary>
    protected Target Overwrite(int i)
    {
        BufferView existing = Existing(i);
        if (existing.IsNone) { return new Target(Backend, Create(i), default); }
        return new Target(Backend, Backend.Pool.Rent(_lengths[i]), existing);
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

    /// <summary>Passes the output's gradient on unchanged. The last use of it in <see cref="Backward"/>: where it is the first contribution, the buffer itself moves on.</summary>
    protected void Pass(int i)
    {
        BufferView existing = Existing(i);
        if (!existing.IsNone)
        {
            Backend.Axpby(1, OutputGradient, 1, existing, existing);
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
        BufferView view = Backend.Pool.Rent(_lengths[i]);
        if (_origins[i] is { } origin) { origin.OutputGradient = view; }
        else { _leaves[i]!.Gradient = view; }
        return view;
    }

    /// <summary>A place for a gradient; disposing adds scratch to what was there.</summary>
    protected readonly ref struct Target(IBackend backend, BufferView view, BufferView addTo)
    {
        public BufferView View { get; } = view;

        public void Dispose()
        {
            if (addTo.IsNone) { return; }
            backend.Axpby(1, View, 1, addTo, addTo);
            backend.Pool.Return(View);
        }
    }
}
