namespace I2M.Kernels;

public partial interface IBackend
{
    /// <summary>Softmax over the last dimension, the maximum subtracted: y[r,c] = e^(x[r,c]−max_r) / Σ_c e^(x[r,c]−max_r). y may be x.</summary>
    void Softmax(BufferView x, int columns, BufferView y);

    /// <summary>dx[r,c] = y[r,c] · (dy[r,c] − Σ_j y[r,j]·dy[r,j]). dx may be dy.</summary>
    void SoftmaxBackward(BufferView y, BufferView dy, int columns, BufferView dx);

    /// <summary>Cross-entropy with class indices: loss[r] = log Σ_c e^x[r,c] − x[r, labels[r]].</summary>
    /// <param name="x">Logits [rows, columns].</param>
    /// <param name="labels">[rows] indices (32-bit integers) in [0, columns).</param>
    /// <param name="columns">Classes.</param>
    /// <param name="loss">[rows]</param>
    void CrossEntropyRows(BufferView x, BufferView labels, int columns, BufferView loss);

    /// <summary>dx[r,c] = dloss[r] · (softmax(x)[r,c] − [c = labels[r]]).</summary>
    void CrossEntropyRowsBackward(BufferView x, BufferView labels, BufferView dloss, int columns, BufferView dx);
}
