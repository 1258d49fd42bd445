using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace I2M.Model.Io;

/// <summary>A value in a PyTorch file: a tensor, a plain container or a plain scalar. Nothing else is ever built.</summary>
public abstract record TorchValue
{
    private protected TorchValue() { }

    /// <summary>Deepest nesting of containers that is read or written.</summary>
    internal const int MaxDepth = 64;
}

/// <summary>Python's None.</summary>
public sealed record TorchNone : TorchValue;

/// <summary>A Python bool.</summary>
public sealed record TorchBool(bool Value) : TorchValue;

/// <summary>A Python int that fits 64 bits.</summary>
public sealed record TorchInt(long Value) : TorchValue
{
    /// <inheritdoc/>
    public bool Equals(TorchInt? other) => other is not null && other.Value == Value;

    /// <summary>Mixes both halves under the process's random seed: chosen keys cannot all fall into one bucket.</summary>
    public override int GetHashCode() => HashCode.Combine((int)Value, (int)(Value >> 32));
}

/// <summary>A Python int beyond 64 bits (a random seed, say), kept as its little-endian two's complement bytes in hexadecimal.</summary>
public sealed record TorchWideInt(string LittleEndianHex) : TorchValue;

/// <summary>A Python float.</summary>
public sealed record TorchFloat(double Value) : TorchValue;

/// <summary>A Python str.</summary>
public sealed record TorchString(string Value) : TorchValue;

/// <summary>A Python list or tuple. Compared by reference.</summary>
public abstract record TorchSequence : TorchValue, IReadOnlyList<TorchValue>
{
    private readonly List<TorchValue> _items;

    private protected TorchSequence(ReadOnlySpan<TorchValue> items) => _items = [.. items];

    /// <summary>Number of items.</summary>
    public int Count => _items.Count;

    /// <summary>The item at a place, from 0.</summary>
    public TorchValue this[int index] => _items[index];

    /// <inheritdoc/>
    public IEnumerator<TorchValue> GetEnumerator() => _items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public virtual bool Equals(TorchSequence? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    internal void Append(TorchValue item) => _items.Add(item);
}

/// <summary>A Python list.</summary>
public sealed record TorchList : TorchSequence
{
    /// <summary>A list of the given items.</summary>
    public TorchList(params ReadOnlySpan<TorchValue> items) : base(items) { }
}

/// <summary>A Python tuple, or a torch.Size.</summary>
public sealed record TorchTuple : TorchSequence
{
    /// <summary>A tuple of the given items.</summary>
    public TorchTuple(params ReadOnlySpan<TorchValue> items) : base(items) { }
}

/// <summary>
/// A Python dict or OrderedDict in insertion order; setting a key again keeps its place. Keys are scalars, mostly strings,
/// integers in an optimiser's state. Compared by reference.
/// </summary>
public sealed record TorchDict : TorchValue, IEnumerable<KeyValuePair<TorchValue, TorchValue>>
{
    private readonly OrderedDictionary<TorchValue, TorchValue> _entries = [];

    /// <summary>Whether Python's type is collections.OrderedDict, as state dicts are.</summary>
    public bool IsOrdered { get; }

    /// <summary>An empty dict.</summary>
    public TorchDict(bool isOrdered = false) => IsOrdered = isOrdered;

    /// <summary>Number of entries.</summary>
    public int Count => _entries.Count;

    /// <summary>The value under a string key, null when there is none.</summary>
    public TorchValue? this[string key] => _entries.GetValueOrDefault(new TorchString(key));

    /// <summary>The value under an integer key, null when there is none.</summary>
    public TorchValue? this[long key] => _entries.GetValueOrDefault(new TorchInt(key));

    /// <summary>Looks for a value of the given kind under a string key; false when absent or of another kind.</summary>
    public bool TryGet<T>(string key, [NotNullWhen(true)] out T? value) where T : TorchValue => (value = this[key] as T) is not null;

    /// <summary>Sets a string key.</summary>
    public void Add(string key, TorchValue value) => Set(new TorchString(key), value);

    /// <summary>Sets an integer key.</summary>
    public void Add(long key, TorchValue value) => Set(new TorchInt(key), value);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<TorchValue, TorchValue>> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public bool Equals(TorchDict? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    internal void Set(TorchValue key, TorchValue value) => _entries[key] = value;
}
