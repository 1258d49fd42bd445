namespace I2M.Kernels;

/// <summary>A contiguous part of a <see cref="DeviceBuffer"/>. The default value is <see cref="None"/>.</summary>
public readonly struct BufferView
{
    private readonly DeviceBuffer? _buffer;

    /// <summary>Stands for an operand that is left out, such as a missing bias.</summary>
    public static BufferView None => default;

    /// <summary>True for <see cref="None"/>.</summary>
    public bool IsNone => _buffer is null;

    /// <summary>The memory that this view is a part of.</summary>
    public DeviceBuffer Buffer => _buffer ?? throw new InvalidOperationException("This operand is required and was left out.");

    /// <summary>First word.</summary>
    public long Offset { get; }

    /// <summary>Length in words.</summary>
    public long Length { get; }

    /// <summary>How the elements are stored; operations that take float32 alone say nothing about it.</summary>
    public ElementType Type { get; }

    /// <param name="buffer">The memory.</param>
    /// <param name="offset">First word.</param>
    /// <param name="length">Length in words.</param>
    /// <param name="type">How the elements are stored.</param>
    public BufferView(DeviceBuffer buffer, long offset, long length, ElementType type = ElementType.Float32)
    {
        if (offset < 0 || length < 0 || offset + length > buffer.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(length), $"View [{offset}, {offset + length}) is outside a buffer of {buffer.Length} words.");
        }
        _buffer = buffer;
        Offset = offset;
        Length = length;
        Type = type;
    }

    /// <summary>The same words, read as elements of another type.</summary>
    public BufferView As(ElementType type) => IsNone ? this : new BufferView(Buffer, Offset, Length, type);

    /// <summary>The part that starts at <paramref name="offset"/> and has <paramref name="length"/> words.</summary>
    public BufferView Slice(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset + length > Length)
        {
            throw new ArgumentOutOfRangeException(nameof(length), $"Slice [{offset}, {offset + length}) is outside a view of {Length} words.");
        }
        return new BufferView(Buffer, Offset + offset, length, Type);
    }

    /// <summary>The part from <paramref name="offset"/> to the end.</summary>
    public BufferView From(long offset) => Slice(offset, Length - offset);
}
