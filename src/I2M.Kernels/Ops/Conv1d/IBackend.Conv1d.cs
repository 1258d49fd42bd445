namespace I2M.Kernels;

/// <summary>A one-dimensional convolution with stride 1 and zero padding kernel/2 ("same"), channels last.</summary>
/// <param name="Batch">Sequences.</param>
/// <param name="Length">Time steps, in and out.</param>
/// <param name="InChannels">Channels of x.</param>
/// <param name="OutChannels">Channels of y; equal to <paramref name="InChannels"/> when depthwise.</param>
/// <param name="Kernel">Taps, odd (7 in Vocos).</param>
public readonly record struct Conv1dShape(int Batch, int Length, int InChannels, int OutChannels, int Kernel);

public partial interface IBackend
{
    /// <summary>y[b,t,o] = bias[o] + Σ_i Σ_j weight[o,i,j] · x[b, t+j−kernel/2, i].</summary>
    /// <param name="x">[batch, length, inChannels]</param>
    /// <param name="weight">[outChannels, inChannels, kernel], PyTorch's layout.</param>
    /// <param name="bias">[outChannels] or None.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="y">[batch, length, outChannels]</param>
    void Conv1d(BufferView x, BufferView weight, BufferView bias, Conv1dShape shape, BufferView y);

    /// <summary>dx[b,t,i] = Σ_o Σ_j weight[o,i,j] · dy[b, t−j+kernel/2, o].</summary>
    void Conv1dBackwardInput(BufferView weight, BufferView dy, Conv1dShape shape, BufferView dx);

    /// <summary>Accumulates dweight[o,i,j] += Σ_b Σ_t x[b, t+j−kernel/2, i] · dy[b,t,o] and dbias[o] += Σ dy (dbias may be None).</summary>
    void Conv1dBackwardWeight(BufferView x, BufferView dy, Conv1dShape shape, BufferView dweight, BufferView dbias);

    /// <summary>y[b,t,c] = bias[c] + Σ_j weight[c,j] · x[b, t+j−kernel/2, c]; weight [channels, 1, kernel], bias may be None.</summary>
    void DepthwiseConv1d(BufferView x, BufferView weight, BufferView bias, Conv1dShape shape, BufferView y);

    /// <summary>dx[b,t,c] = Σ_j weight[c,j] · dy[b, t−j+kernel/2, c].</summary>
    void DepthwiseConv1dBackwardInput(BufferView weight, BufferView dy, Conv1dShape shape, BufferView dx);

    /// <summary>Accumulates dweight[c,j] += Σ_b Σ_t x[b, t+j−kernel/2, c] · dy[b,t,c] and dbias[c] += Σ dy (dbias may be None).</summary>
    void DepthwiseConv1dBackwardWeight(BufferView x, BufferView dy, Conv1dShape shape, BufferView dweight, BufferView dbias);
}
