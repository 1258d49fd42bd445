using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using I2M.PtxEmulator;
using ILGPU;
using ILGPU.Runtime;

namespace I2M.Testing.Emulation;

/// <summary>
/// The parameter block of a launch, laid out as ILGPU's CUDA launcher does: a view is its address and its length in elements, 64 bits each; everything
/// else is copied as it lies in memory. Each must have the size that the kernel's own declaration gives it.
/// </summary>
internal sealed class KernelArguments(PtxKernel kernel)
{
    private const int ViewBytes = 2 * sizeof(long);
    private readonly byte[] _bytes = new byte[kernel.ParameterBytes];
    private int _count;

    /// <summary>The block, once every parameter was added.</summary>
    public ReadOnlySpan<byte> Bytes => _count == kernel.Parameters.Count ? _bytes
        : throw new InvalidOperationException($"{kernel.Name} declares {kernel.Parameters.Count} parameters, {_count} were given");

    /// <summary>Adds a view.</summary>
    public KernelArguments AddView<T>(ArrayView<T> view) where T : unmanaged
    {
        Span<byte> place = Next(ViewBytes, sizeof(long), view.GetType());
        MemoryMarshal.Write(place, view.Length > 0 ? (long)view.LoadEffectiveAddressAsPtr() : 0L);
        MemoryMarshal.Write(place[sizeof(long)..], view.Length);
        return this;
    }

    /// <summary>Adds a number or a structure of numbers.</summary>
    public KernelArguments AddValue<T>(T value) where T : unmanaged
    {
        MemoryMarshal.Write(Next(Unsafe.SizeOf<T>(), 1, typeof(T)), value);
        return this;
    }

    private Span<byte> Next(int size, int align, Type type)
    {
        if (_count == kernel.Parameters.Count) { throw new InvalidOperationException($"{kernel.Name} declares {_count} parameters, more were given"); }
        PtxParameter declared = kernel.Parameters[_count++];
        if (declared.Size != size || declared.Offset % Math.Max(align, declared.Alignment) != 0)
        {
            throw new InvalidOperationException($"{kernel.Name}: parameter {declared.Name} is declared with {declared.Size} bytes at {declared.Offset}, {type} has {size}");
        }
        return _bytes.AsSpan(declared.Offset, size);
    }
}
