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

        /// <summary>Applies the rest of the epilogue to a region of c whose sums are complete: a row at a time, which stays in the first cache between its parts.</summary>
        public void Finish(long item, long row, int rows, long column, int columns)
        {
            for (int i = 0; i < rows; i++)
            {
                FinishRow(Sums + item * Item + (row + i) * Row + column, item * _itemC + (row + i) * _rowC + column, columns);
            }
        }

        private void FinishRow(float* sums, long at, int columns)
        {
            if (_preActivation is not null) { Move(sums, _preActivation + at, columns); }
            switch (_activation)
            {
                case GemmActivation.None: break;
                case GemmActivation.GeluErf when _gradientOf is null: ElementwiseDrivers.Apply(new GeluErfFunction(), sums, sums, columns); break;
                case GemmActivation.GeluErf: ElementwiseDrivers.Apply(new GeluErfDerivative(), _gradientOf + at, sums, sums, columns); break;
                case GemmActivation.GeluTanh when _gradientOf is null: ElementwiseDrivers.Apply(new GeluTanhFunction(), sums, sums, columns); break;
                default: ElementwiseDrivers.Apply(new GeluTanhDerivative(), _gradientOf + at, sums, sums, columns); break;
            }
            if (_residual is not null) { ElementwiseDrivers.Apply(new Add(), sums, _residual + at, sums, columns); }
            if (_accumulateLast) { ElementwiseDrivers.Apply(new Add(), sums, _c + at, _c + at, columns); }
        }
    }
}
