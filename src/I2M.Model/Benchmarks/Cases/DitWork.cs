using I2M.Model.Dit;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>Useful operations of sampling: the matrix products and attention of the blocks. The layers before and after them, below 2 %, are not counted. Those of training are counted by <see cref="Planning.StepPlan"/>.</summary>
internal static class DitWork
{
    /// <summary>
    /// One denoising evaluation of one sample with the context's keys and values given: per mel token and block 14·hidden² multiply-adds in linear
    /// layers, and both attentions.
    /// </summary>
    public static double Denoise(DitConfig c)
    {
        double hidden = c.Hidden, mel = c.MelTokens, image = c.ImageTokens;
        return 2 * c.Layers * (14 * hidden * hidden * mel + 2 * mel * mel * hidden + 2 * mel * image * hidden);
    }
}
