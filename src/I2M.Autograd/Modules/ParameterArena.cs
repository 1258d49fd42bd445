using I2M.Kernels;

namespace I2M.Autograd.Modules;

/// <summary>
/// All parameters of a module in one block of device memory, their gradients in another of the same layout, so that clipping, the optimiser
/// and averages are single passes. Parameters that weight decay touches lie first; within each part the registration order is kept. Every parameter
/// begins at a multiple of <see cref="Alignment"/>; what lies between two of them is zero, as are its gradient, moments and average, so passes over the whole
/// arena leave it zero. The parameters of a <see cref="Linear.Stack"/> follow one another without gaps.
/// </summary>
public sealed class ParameterArena : IDisposable
{
    /// <summary>A parameter or a stack of them begins at a multiple of this: 16 bytes in a bfloat16 copy of the arena, 32 in the arena itself, for the kernels' widest loads.</summary>
    public const int Alignment = 8;

    private readonly BufferView _values, _gradients, _narrow;
    private readonly List<Entry> _stacks = [];
    private BufferView _bound;

    /// <summary>The parameters in registration order with their places in the arena.</summary>
    public IReadOnlyList<Entry> Entries { get; }

    /// <summary>Where the memory lies.</summary>
    public IBackend Backend { get; }

    /// <summary>Number of elements, those between parameters included; a multiple of <see cref="Alignment"/>.</summary>
    public long Length { get; }

    /// <summary>How many elements, from the start, weight decay applies to; a multiple of <see cref="Alignment"/>.</summary>
    public long DecayedLength { get; }

    /// <summary>All values.</summary>
    public BufferView Values => _values;

    /// <summary>All gradients.</summary>
    public BufferView Gradients => _gradients;

    /// <summary>
    /// All bound values rounded to bfloat16, where products read such a copy; else None. <see cref="Write"/> and <see cref="Bind"/> renew it, an optimiser
    /// writes it with the values, and after any other change of the values <see cref="RefreshCopy"/> is due.
    /// </summary>
    public BufferView Copy => _narrow;

    /// <summary>One parameter's name and place.</summary>
    /// <param name="Name">Name in the checkpoint.</param>
    /// <param name="Parameter">The parameter.</param>
    /// <param name="Offset">First value in the arena.</param>
    public readonly record struct Entry(string Name, Parameter Parameter, long Offset);

    /// <summary>Gives every parameter of <paramref name="module"/> its memory and, with a seed, its initial values.</summary>
    /// <param name="backend">Where.</param>
    /// <param name="module">What.</param>
    /// <param name="seed">Seed of the initial values; parameter i uses random stream i. Null leaves them zero, for weights that are loaded.</param>
    /// <param name="trainable">False leaves out the gradients, for inference.</param>
    /// <param name="precision">How the module computes from now on.</param>
    public ParameterArena(IBackend backend, Module module, ulong? seed, bool trainable = true, Precision precision = Precision.Float32)
    {
        Backend = backend;
        List<(string Name, Parameter Parameter)> named = [.. module.NamedParameters()];
        List<Parameter> places = [.. named.Select(p => p.Parameter.Stack ?? p.Parameter).Distinct()];
        DecayedLength = places.Where(p => p.Decay).Sum(p => Aligned(p.Length));
        Length = places.Sum(p => Aligned(p.Length));
        Dictionary<Parameter, long> offsets = Place(places);
        Entries = [.. named.Select(p => new Entry(p.Name, p.Parameter, offsets[p.Parameter]))];
        _values = backend.Pool.Rent(Length);
        backend.Fill(_values, 0);
        if (trainable)
        {
            _gradients = backend.Pool.Rent(Length);
            ZeroGradients();
        }
        if (precision.CopiesWeights() && Entries.Any(e => e.Offset % 2 != 0)) { throw new ArgumentException("Layers of an odd number of values lie in a stack: their bfloat16 copies would begin within a word.", nameof(module)); }
        if (precision.CopiesWeights()) { _narrow = backend.Pool.Rent(ElementType.BFloat16.Words(Length)).As(ElementType.BFloat16); }
        module.Adopt(precision);
        if (seed is { } given) { Initialize(given); }
        Bind(_values);
    }

    /// <summary>Sets every gradient to zero.</summary>
    public void ZeroGradients() => Backend.Fill(_gradients, 0);

    /// <summary>Makes the module compute with another block of values in the same layout, such as an average; <see cref="Values"/> itself does not change.</summary>
    /// <param name="values">The values.</param>
    /// <param name="constant">True keeps gradients from the parameters until the next call, for what is computed through them for others' sake.</param>
    public void Bind(BufferView values, bool constant = false)
    {
        foreach (Entry entry in Entries.Concat(_stacks))
        {
            entry.Parameter.Bind(OverPart(entry, values, constant), _narrow.IsNone ? null : OverPart(entry, _narrow, constant));
        }
        _bound = values;
        RefreshCopy();
    }

    /// <summary>Rounds the bound values into <see cref="Copy"/>, where there is one.</summary>
    public void RefreshCopy()
    {
        if (!_narrow.IsNone) { Backend.Convert(_bound, Length, _narrow); }
    }

    /// <summary>
    /// Lets layers keep packed copies of their weights for products without gradients, made when a layer is first used on many rows: on the host about as
    /// much memory again as those weights. <see cref="Write"/> and <see cref="Bind"/> drop them; a change of <see cref="Values"/> by other means does not.
    /// </summary>
    /// <exception cref="InvalidOperationException">The arena is trainable: an optimiser changes the values under the copies.</exception>
    public void PackWeights()
    {
        if (!_gradients.IsNone) { throw new InvalidOperationException("Weights are packed for inference only; this arena is trainable."); }
        foreach (Entry entry in Entries.Concat(_stacks)) { entry.Parameter.AllowPacking(); }
    }

    /// <summary>One parameter's part of a block with the arena's layout (values, gradients, moments or averages), copied to the host.</summary>
    public float[] Read(Entry entry, BufferView block)
    {
        var data = new float[entry.Parameter.Length];
        Backend.CopyToHost(block.Slice(entry.Offset, data.Length), data);
        return data;
    }

    /// <summary>Overwrites one parameter's part of a block with the arena's layout.</summary>
    public void Write(Entry entry, BufferView block, ReadOnlySpan<float> data)
    {
        entry.Parameter.DropPacked();
        Backend.CopyFromHost(data, Part(entry, block));
        bool isBound = !_bound.IsNone && ReferenceEquals(block.Buffer, _bound.Buffer);
        if (isBound && !_narrow.IsNone) { Backend.Convert(Part(entry, block), entry.Parameter.Length, Part(entry, _narrow)); }
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        foreach (Entry entry in Entries) { entry.Parameter.DropPacked(); }
        Backend.Pool.Return(_values);
        if (!_gradients.IsNone) { Backend.Pool.Return(_gradients); }
        if (!_narrow.IsNone) { Backend.Pool.Return(_narrow); }
    }

    private static BufferView Part(Entry entry, BufferView block) => block.Slice(block.Type.Words(entry.Offset), block.Type.Words(entry.Parameter.Length));

    /// <summary>A parameter's part of a block of values as a tensor; a leaf where there are gradients and they are wanted.</summary>
    private Tensor OverPart(Entry entry, BufferView values, bool constant) => constant || _gradients.IsNone
        ? Tensor.Over(Backend, Part(entry, values), entry.Parameter.Shape)
        : Tensor.Leaf(Backend, Part(entry, values), Part(entry, _gradients), entry.Parameter.Shape);

    /// <summary>The offsets of parameters; those of a stack follow one another where the first of them is due.</summary>
    private Dictionary<Parameter, long> Place(List<Parameter> places)
    {
        long decayed = 0, plain = DecayedLength;
        var offsets = new Dictionary<Parameter, long>();
        foreach (Parameter place in places)
        {
            ref long next = ref place.Decay ? ref decayed : ref plain;
            long at = offsets[place] = next;
            foreach (Parameter part in place.Parts)
            {
                offsets[part] = at;
                at += part.Length;
            }
            if (place.Parts.Count > 0) { _stacks.Add(new Entry("", place, next)); }
            next += Aligned(place.Length);
        }
        return offsets;
    }

    private static long Aligned(long length) => (length + Alignment - 1) / Alignment * Alignment;

    private void Initialize(ulong seed)
    {
        for (int i = 0; i < Entries.Count; i++)
        {
            var (_, parameter, _) = Entries[i];
            var values = new float[parameter.Length];
            parameter.Initializer(values, parameter.Shape, seed, (ulong)i);
            Write(Entries[i], _values, values);
        }
    }
}
