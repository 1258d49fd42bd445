namespace I2M.Kernels;

/// <summary>A [batch, rows, columns] block of which the rows are summed.</summary>
public readonly record struct ReduceShape(int Batch, int Rows, int Columns);

public partial interface IBackend
{
    /// <summary>destination[r] = Σ_c x[r,c], with rows = destination.Length. All operands are float32.</summary>
    void SumRows(BufferView x, BufferView destination);

    /// <summary>
    /// destination[b,c] = scale · Σ_r x[b,r,c], or destination += … with <paramref name="accumulate"/>: bias gradients (batch 1),
    /// position-embedding gradients, token means (scale 1/rows). Sums are float32.
    /// </summary>
    /// <param name="x">[batch, rows, columns], float32 or bfloat16 (a gradient of an activation); CUDA reads it in 16-byte accesses where rows and views are aligned to them.</param>
    /// <param name="shape">Sizes, in elements.</param>
    /// <param name="scale">Factor of every sum.</param>
    /// <param name="accumulate">True adds to the destination.</param>
    /// <param name="destination">[batch, columns], float32</param>
    void SumColumns(BufferView x, ReduceShape shape, float scale, bool accumulate, BufferView destination);

    /// <summary>destination[b,r,c] = scale · x[b,c], or destination += … : the backward of <see cref="SumColumns"/>.</summary>
    void BroadcastRows(BufferView x, ReduceShape shape, float scale, bool accumulate, BufferView destination);

    /// <summary>destination[0] = Σ x[i]².</summary>
    void SumSquares(BufferView x, BufferView destination);

    /// <summary>destination[0] = Σ x[i] · y[i].</summary>
    void Dot(BufferView x, BufferView y, BufferView destination);

    /// <summary>Mean squared error per row: destination[r] = 1/columns · Σ_c (x[r,c] − y[r,c])², rows = destination.Length.</summary>
    void SquaredErrorRows(BufferView x, BufferView y, BufferView destination);

    /// <summary>Backward of <see cref="SquaredErrorRows"/> for x (y's is its negative): dx[r,c] = 2/columns · dy[r] · (x[r,c] − y[r,c]), rows = dy.Length.</summary>
    void SquaredErrorRowsBackward(BufferView x, BufferView y, BufferView dy, BufferView dx);
}
