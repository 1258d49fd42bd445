namespace I2M.Kernels;

/// <summary>
/// Scaled dot-product attention over rows of [batch, tokens, stride] buffers; head h of a row occupies the columns
/// [h·headDim, (h+1)·headDim) from the view's start. Packed buffers are read by stride: in a [batch, tokens, 3·channels] projection,
/// q, k and v are views that start at columns 0, channels and 2·channels, all with row stride 3·channels.
/// </summary>
/// <param name="Batch">Samples.</param>
/// <param name="Heads">Heads.</param>
/// <param name="Queries">Query rows per sample.</param>
/// <param name="Keys">Key and value rows per sample.</param>
/// <param name="HeadDim">Channels per head, 1 to <see cref="MostHeadDim"/>.</param>
/// <param name="Scale">Factor of the logits, usually 1/√headDim.</param>
public readonly record struct AttentionShape(int Batch, int Heads, int Queries, int Keys, int HeadDim, float Scale)
{
    /// <summary>Widest head that the kernels keep in registers and local memory.</summary>
    public const int MostHeadDim = 128;

    /// <summary>Elements between two rows of q and dq.</summary>
    public int StrideQ { get; init; } = Heads * HeadDim;
    /// <summary>Elements between two rows of k and dk.</summary>
    public int StrideK { get; init; } = Heads * HeadDim;
    /// <summary>Elements between two rows of v and dv.</summary>
    public int StrideV { get; init; } = Heads * HeadDim;
    /// <summary>Elements between two rows of o and do.</summary>
    public int StrideO { get; init; } = Heads * HeadDim;
    /// <summary>Useful work of the forward pass: 4·batch·heads·queries·keys·headDim.</summary>
    public double Flops => 4.0 * Batch * Heads * Queries * Keys * HeadDim;
}

public partial interface IBackend
{
    /// <summary>
    /// Fused attention (FlashAttention, Dao et al. 2022): o = softmax(scale · q·kᵀ) · v per head in one pass over key tiles with a running
    /// maximum and sum; probabilities are never stored. Keeps lse[b,h,q] = log Σ_k e^(scale·q·k) for the backward pass. q, k, v and o are all float32,
    /// or all bfloat16 with sums in float32; lse is float32.
    /// </summary>
    /// <param name="q">Rows of queries. Sample b starts at b · queries · StrideQ.</param>
    /// <param name="k">Rows of keys. Sample b starts at b · keys · StrideK.</param>
    /// <param name="v">Rows of values. Sample b starts at b · keys · StrideV.</param>
    /// <param name="shape">Sizes and strides.</param>
    /// <param name="o">Output rows. Sample b starts at b · queries · StrideO.</param>
    /// <param name="lse">[batch, heads, queries]</param>
    void Attention(BufferView q, BufferView k, BufferView v, in AttentionShape shape, BufferView o, BufferView lse);

    /// <summary>
    /// Backward of <see cref="Attention"/> by recomputation: P = e^(scale·q·kᵀ − lse), D = Σ_d do·o, dS = P ∘ (do·vᵀ − D);
    /// dv = Pᵀ·do, dk = scale·dSᵀ·q, dq = scale·dS·k. Every sum adds its tiles in a fixed order. Overwrites dq, dk, dv, which have the strides of q, k, v. All are float32, or all but lse bfloat16.
    /// </summary>
    void AttentionBackward(BufferView q, BufferView k, BufferView v, BufferView o, BufferView lse, BufferView dOut, in AttentionShape shape,
        BufferView dq, BufferView dk, BufferView dv);
}
