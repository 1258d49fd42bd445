namespace I2M.Kernels;

/// <summary>
/// Vectors that modulate a [batch, tokens, channels] activation per sample and channel. Several vectors lie side by side in one
/// [batch, stride] buffer; a view of one starts at its first channel of sample 0, and sample b starts at b · <see cref="Stride"/>.
/// </summary>
/// <param name="Batch">Samples.</param>
/// <param name="Tokens">Rows per sample that share one vector.</param>
/// <param name="Channels">Columns.</param>
/// <param name="Stride">Distance in words between two samples' vectors, at least <paramref name="Channels"/>; 0 with batch 1.</param>
public readonly record struct ModulationShape(int Batch, int Tokens, int Channels, int Stride);

public partial interface IBackend
{
    /// <summary>destination[i] = value.</summary>
    void Fill(BufferView destination, float value);

    /// <summary>destination[i] = source[i].</summary>
    void Copy(BufferView source, BufferView destination);

    /// <summary>destination[i] = a · x[i] + b · y[i]. The destination may be x or y.</summary>
    void Axpby(float a, BufferView x, float b, BufferView y, BufferView destination);

    /// <summary>destination[i] = a · x[i]. The destination may be x.</summary>
    void Scale(float a, BufferView x, BufferView destination);

    /// <summary>destination[i] = factor[0] · x[i], the factor read on the device. The destination may be x.</summary>
    void ScaleByDevice(BufferView factor, BufferView x, BufferView destination);

    /// <summary>destination[i] = x[i] · y[i]. The destination may be x or y.</summary>
    void Multiply(BufferView x, BufferView y, BufferView destination);

    /// <summary>destination[i] = min(max(x[i], low), high). The destination may be x.</summary>
    void Clamp(BufferView x, float low, float high, BufferView destination);

    /// <summary>destination[i] = x[i] + v[i mod v.Length]: a bias or position embedding over leading dimensions. The destination may be x.</summary>
    void AddBroadcast(BufferView x, BufferView v, BufferView destination);

    /// <summary>destination[r,c] = a[r] · x[r,c] + b[r] · y[r,c], such as q-sample x_t = √ᾱ·x0 + √(1−ᾱ)·ε per sample. The destination may be x or y.</summary>
    /// <param name="a">[rows]</param>
    /// <param name="x">[rows, columns]</param>
    /// <param name="b">[rows]</param>
    /// <param name="y">[rows, columns]</param>
    /// <param name="rows">Rows; columns = x.Length / rows.</param>
    /// <param name="destination">[rows, columns]</param>
    void CombineRows(BufferView a, BufferView x, BufferView b, BufferView y, int rows, BufferView destination);

    /// <summary>
    /// destination[r,c] = keep[r] · x[r,c] + (1 − keep[r]) · fallback[c], keep 0 or 1: a learned null condition replaces dropped samples
    /// (a dropped row takes the fallback exactly, whatever x holds).
    /// </summary>
    void MixRows(BufferView keep, BufferView x, BufferView fallback, int rows, BufferView destination);

    /// <summary>Backward of <see cref="MixRows"/>: dx[r,c] = keep[r] · dy[r,c]; accumulates dfallback[c] += Σ_r (1 − keep[r]) · dy[r,c]. Either output may be None.</summary>
    void MixRowsBackward(BufferView keep, BufferView dy, int rows, BufferView dx, BufferView dfallback);

    /// <summary>
    /// destination[b,t,c] = x[b,t,c] + gate[b,c] · h[b,t,c]: adaLN-Zero's gated residual, or ConvNeXt's layer scale with batch 1. The destination may be x.
    /// h is float32 or bfloat16.
    /// </summary>
    void GatedResidual(BufferView x, BufferView h, BufferView gate, ModulationShape shape, BufferView destination);

    /// <summary>
    /// Backward of <see cref="GatedResidual"/> for h and gate (dx is dy itself): dh[b,t,c] = gate[b,c] · dy[b,t,c];
    /// accumulates dgate[b,c] += Σ_t h[b,t,c] · dy[b,t,c]. dgate has the gate's stride. Either output may be None. h and dh are float32 or bfloat16, each.
    /// </summary>
    void GatedResidualBackward(BufferView h, BufferView gate, BufferView dy, ModulationShape shape, BufferView dh, BufferView dgate);
}
