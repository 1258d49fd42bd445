using System.Globalization;
using I2M.Model.Io;
using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>The optimiser and the Fourier family against PyTorch's numbers in adamw.safetensors and audio.safetensors.</summary>
public sealed class ReferenceFilesTests
{
    /// <summary>
    /// Ten steps over two parameters with clipping by the joint norm and the file's learning rates. Only the end is compared: the file
    /// holds the final parameters under every step's name. Single steps are compared with the formula in <see cref="OptimizerTests"/>.
    /// </summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void AdamW_follows_PyTorch_for_ten_steps(string backend)
    {
        using SafetensorsFile file = SafetensorsFile.Open(ReferenceData.Path("adamw.safetensors"));
        double[] rates = file.ReadDoubles("lrs"), norms = file.ReadDoubles("grad_norms");
        float[] betas = [.. file.Metadata["betas"].Split(',').Select(Number)];
        float[][] starts = [file.ReadSingles("p0.start"), file.ReadSingles("p1.start")];
        int split = starts[0].Length, size = split + starts[1].Length;
        using var run = new OperationRun(nameof(IBackend.AdamW), backend, "PyTorch's ten steps");
        BufferView p = run.InOut([.. starts[0], .. starts[1]]), m = run.InOut(new float[size]), v = run.InOut(new float[size]), squares = run.Out(1), factor = run.Out(1);
        for (int step = 0; step < rates.Length; step++)
        {
            BufferView gradient = run.In([.. file.ReadSingles($"step{step}.g0"), .. file.ReadSingles($"step{step}.g1")]);
            var scalars = new AdamWStep((float)rates[step], betas[0], betas[1], Number(file.Metadata["eps"]), Number(file.Metadata["weight_decay"]), step + 1);
            run.Backend.SumSquares(gradient, squares);
            run.Backend.ClipFactor(squares, Number(file.Metadata["clip"]), factor);
            run.Backend.AdamW(gradient, factor, scalars, p, m, v);
            Tolerance.ReferenceAdamW.Check($"AdamW on {backend}: norm {step}", [MathF.Sqrt(run.Read(squares)[0])], [norms[step]]);
        }
        int last = rates.Length - 1;
        run.Close("parameters after the last step", p, [.. file.ReadDoubles($"step{last}.p0"), .. file.ReadDoubles($"step{last}.p1")], Tolerance.ReferenceAdamW);
    }

    /// <summary>torch.stft and torch.istft with a periodic Hann window and reflected padding; the file holds [bins, frames].</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Stft_and_its_inverse_match_PyTorch(string backend)
    {
        using SafetensorsFile file = SafetensorsFile.Open(ReferenceData.Path("audio.safetensors"));
        int size = (int)Number(file.Metadata["n_fft"]), hop = (int)Number(file.Metadata["hop"]), bins = size / 2 + 1;
        float[] wave = file.ReadSingles("wave"), window = file.ReadSingles("hann_window");
        double[] re = file.ReadDoubles("stft.real"), im = file.ReadDoubles("stft.imag"), inverse = file.ReadDoubles("istft");
        int frames = re.Length / bins;
        using var run = new OperationRun(nameof(IBackend.RealFft), backend, "PyTorch's STFT");
        BufferView bw = run.In(wave), bn = run.In(window), cut = run.Out(frames * size), spectrum = run.Out(frames * bins * 2), back = run.Out(frames * size), restored = run.Out(inverse.Length);
        run.Execute(b =>
        {
            b.Frame(bw, bn, new FrameShape(1, wave.Length, frames, size, hop, size / 2), cut);
            b.RealFft(cut, size, 1, 1, spectrum);
            b.InverseRealFft(spectrum, size, 1f / size, 2f / size, back);
            b.OverlapAdd(back, bn, new OverlapAddShape(1, frames, size, hop, size / 2, inverse.Length), restored);
        });
        double[] expected = [.. Enumerable.Range(0, frames * bins * 2).Select(i => (i % 2 == 0 ? re : im)[i / 2 % bins * frames + i / (2 * bins)])];
        run.Close("STFT", spectrum, expected, Tolerance.ReferenceStft);
        run.Close("inverse STFT", restored, inverse, Tolerance.ReferenceStft);
    }

    private static float Number(string text) => float.Parse(text, CultureInfo.InvariantCulture);
}
