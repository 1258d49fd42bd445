namespace I2M.Kernels;

public partial interface IBackend
{
    /// <summary>
    /// Random 32-bit integers: word i is lane (offset+i) mod 4 of Philox 4×32-10 with key = seed and counter = ((offset+i)/4, stream).
    /// The same bits on every backend.
    /// </summary>
    /// <param name="seed">Key.</param>
    /// <param name="stream">Upper half of the counter: independent sequences.</param>
    /// <param name="offset">Index of the first element in the sequence.</param>
    /// <param name="destination">Receives the integers.</param>
    void RandomBits(ulong seed, ulong stream, long offset, BufferView destination);

    /// <summary>Uniform numbers in (0, 1): u = ((bits >> 8) + 0.5) · 2⁻²⁴ of the same integers as <see cref="RandomBits"/>.</summary>
    void RandomUniform(ulong seed, ulong stream, long offset, BufferView destination);

    /// <summary>
    /// Standard normal numbers by Box–Muller: elements 2j and 2j+1 of the sequence are r·cos(2πu₂) and r·sin(2πu₂), r = √(−2 ln u₁),
    /// u₁ and u₂ the uniform numbers 2j and 2j+1. Equal across backends up to the rounding of ln, cos and sin.
    /// </summary>
    void RandomNormal(ulong seed, ulong stream, long offset, BufferView destination);

    /// <summary>
    /// A diffusion batch in one pass: with ε the numbers that <see cref="RandomNormal"/> gives for (seed, stream, offset), noisy[r,c] = signal[r]·x0[r,c] +
    /// noise[r]·ε[r,c] and target[r,c] = targetSample[r]·x0[r,c] + targetNoise[r]·ε[r,c], as <see cref="CombineRows"/> gives them; ε itself is not kept.
    /// Noisy or target may be x0.
    /// </summary>
    /// <param name="x0">[rows, columns]</param>
    /// <param name="mix">[4, rows]: signal, noise, targetSample and targetNoise.</param>
    /// <param name="rows">Rows; columns = x0.Length / rows.</param>
    /// <param name="seed">Key.</param>
    /// <param name="stream">Upper half of the counter.</param>
    /// <param name="offset">Index of the first element's noise in the sequence.</param>
    /// <param name="noisy">[rows, columns]</param>
    /// <param name="target">[rows, columns]</param>
    /// <param name="batch">
    /// [2], a 64-bit integer n on the device, lower word first: the noise starts at offset + n · x0.Length, so that a recorded step can be replayed with the next batch; or None (0).
    /// </param>
    void QSample(BufferView x0, BufferView mix, int rows, ulong seed, ulong stream, long offset, BufferView noisy, BufferView target, BufferView batch = default);
}
