using I2M.Kernels;

namespace I2M.Bench;

/// <summary>The shapes of the full model (768 wide, 12 heads of 64, 875 mel tokens, 1024 image tokens), so that figures mean something for training.</summary>
internal static class ModelShapes
{
    public const int Hidden = 768, Heads = 12, HeadDim = 64, MelTokens = 875, ImageTokens = 1024, MlpHidden = 3072;

    public static GemmShape Square(int n) => new(GemmLayout.NN, n, n, n);

    public static GemmShape MlpExpand => new(GemmLayout.NT, MelTokens, MlpHidden, Hidden);

    public static AttentionShape SelfAttention => new(1, Heads, MelTokens, MelTokens, HeadDim, 0.125f);

    public static AttentionShape CrossAttention => new(1, Heads, MelTokens, ImageTokens, HeadDim, 0.125f);
}
