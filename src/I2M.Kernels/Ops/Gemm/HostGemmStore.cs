using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace I2M.Kernels.Host;

public sealed unsafe partial class HostBackend
{
    /// <summary>
    /// Where the sums of a product go and what becomes of them. The products write sums with their bias to <see cref="Sums"/>, which is c unless c's
    /// former values are needed later; <see cref="Finish"/> takes a region whose sums are complete, and still in the cache, through the rest of the epilogue.
    /// </summary>
    internal readonly struct GemmStore
    {
        private readonly float* _c, _preActivation, _residual, _gradientOf;
        private readonly long _itemC, _rowC;
        private readonly GemmActivation _activation;
        private readonly bool _accumulateLast;

        /// <summary>A value per column, or null.</summary>
        public float* Bias { get; }

        /// <summary>The sums of the first item.</summary>
        public float* Sums { get; }

        /// <summary>Words between the sums of two items.</summary>
        public long Item { get; }

        /// <summary>Words between two rows of sums.</summary>
        public long Row { get; }

        /// <summary>Sums are added to what is there.</summary>
        public bool Accumulate { get; }

        /// <summary>Whether <see cref="Finish"/> has anything to do.</summary>
        public bool HasRest { get; }

        /// <param name="epilogue">Checked.</param>
        /// <param name="shape">Of the product, as the caller gave it.</param>
        /// <param name="c">The product.</param>
        /// <param name="scratch">[batch, m, n] where <see cref="GemmEpilogue.NeedsSeparateSums"/>, else None.</param>
        public GemmStore(in GemmEpilogue epilogue, in GemmShape shape, BufferView c, BufferView scratch)
        {
            bool residualIsC = GemmEpilogue.IsSame(epilogue.Residual, c), separate = !scratch.IsNone;
            _c = Pointer(c);
            (_itemC, _rowC, _activation) = (shape.StrideC, shape.LeadingC, epilogue.Activation);
            _preActivation = Pointer(epilogue.PreActivation);
            _gradientOf = Pointer(epilogue.GeluGradientOf);
            _residual = residualIsC ? null : Pointer(epilogue.Residual);
            _accumulateLast = separate;
            Bias = Pointer(epilogue.Bias);
            Sums = separate ? Pointer(scratch) : _c;
            (Item, Row) = separate ? ((long)shape.M * shape.N, shape.N) : (shape.StrideC, shape.LeadingC);
            Accumulate = !separate && (shape.Accumulate || residualIsC);
            HasRest = _activation != GemmActivation.None || _residual is not null;
        }

        /// <summary>Applies the rest of the epilogue to a region of c whose sums are complete.</summary>
        public void Finish(long item, long row, int rows, long column, int columns)
        {
            switch (_activation)
            {
                case GemmActivation.None: Finish<NoActivation>(item, row, rows, column, columns); break;
                case GemmActivation.GeluErf when _gradientOf is null: Finish<ErfForm>(item, row, rows, column, columns); break;
                case GemmActivation.GeluErf: Finish<ErfGradient>(item, row, rows, column, columns); break;
                case GemmActivation.GeluTanh when _gradientOf is null: Finish<TanhForm>(item, row, rows, column, columns); break;
                default: Finish<TanhGradient>(item, row, rows, column, columns); break;
            }
        }

        private void Finish<F>(long item, long row, int rows, long column, int columns) where F : struct, IBinary
        {
            float* sums = Sums + item * Item + row * Row + column;
            long at = item * _itemC + row * _rowC + column;
            if (Vector512.IsHardwareAccelerated) { Loop<F, Lanes512>(sums, at, rows, columns); }
            else if (Vector256.IsHardwareAccelerated) { Loop<F, Lanes256>(sums, at, rows, columns); }
            else if (Vector128.IsHardwareAccelerated) { Loop<F, Lanes128>(sums, at, rows, columns); }
            else { Loop<F, Lanes32>(sums, at, rows, columns); }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Loop<F, V>(float* sums, long at, int rows, int columns) where F : struct, IBinary where V : struct, ILanes<V>
        {
            for (int i = 0; i < rows; i++, sums += Row, at += _rowC)
            {
                int j = 0;
                for (; j <= columns - V.Count; j += V.Count) { One<F, V>(sums + j, at + j); }
                for (; j < columns; j++) { One<F, Lanes32>(sums + j, at + j); }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void One<F, V>(float* sums, long at) where F : struct, IBinary where V : struct, ILanes<V>
        {
            V v = V.Load(sums), x = v;
            if (_gradientOf is not null) { x = V.Load(_gradientOf + at); }
            else if (_preActivation is not null) { v.Store(_preActivation + at); }
            v = default(F).Apply(x, v);
            if (_residual is not null) { v += V.Load(_residual + at); }
            if (_accumulateLast) { v += V.Load(_c + at); }
            v.Store(_c + at);
        }

        private readonly struct NoActivation : IBinary
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public V Apply<V>(V x, V v) where V : struct, ILanes<V> => v;
        }

        private readonly struct ErfForm : IBinary
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public V Apply<V>(V x, V v) where V : struct, ILanes<V> => default(GeluErfFunction).Apply(v);
        }

        private readonly struct ErfGradient : IBinary
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public V Apply<V>(V x, V v) where V : struct, ILanes<V> => default(GeluErfDerivative).Apply(x, v);
        }

        private readonly struct TanhForm : IBinary
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public V Apply<V>(V x, V v) where V : struct, ILanes<V> => default(GeluTanhFunction).Apply(v);
        }

        private readonly struct TanhGradient : IBinary
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public V Apply<V>(V x, V v) where V : struct, ILanes<V> => default(GeluTanhDerivative).Apply(x, v);
        }
    }
}
