namespace I2M.Kernels;

public partial interface IBackend
{
    /// <summary>
    /// Classifier-free guidance (Ho &amp; Salimans 2022) with the rescale of Lin et al. 2024, row by row: with r = u + scale·(c − u),
    /// destination = r · (rescale·σ(c)/σ(r) + 1 − rescale), σ being the standard deviation of a row; r itself where rescale or σ(r) is 0.
    /// A row's bits do not depend on the number of rows. All operands are float32; the destination may be c or u.
    /// </summary>
    /// <param name="conditional">c, [rows, columns].</param>
    /// <param name="unconditional">u, [rows, columns].</param>
    /// <param name="rows">Rows; columns = destination.Length / rows.</param>
    /// <param name="scale">Guidance scale; 1 gives c.</param>
    /// <param name="rescale">How far r's deviation is drawn to c's, 0 to 1.</param>
    /// <param name="destination">[rows, columns]</param>
    void GuideRows(BufferView conditional, BufferView unconditional, int rows, float scale, float rescale, BufferView destination);
}
