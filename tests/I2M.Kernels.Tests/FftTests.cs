using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

public sealed class FftTests
{
    public static TheoryData<string, int> Lengths => Backends.With([2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]);

    [Theory, MemberData(nameof(Lengths))]
    public void Transforms_match_the_definition_and_are_adjoint(string backend, int n)
    {
        Check(backend, n, n > 512 ? 3 : 37, aligned: false);
    }

    /// <summary>The length that CUDA has kernels of its own for: whole groups of rows and part of one.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Aligned_transforms_of_1024_match_the_definition(string backend)
    {
        Check(backend, 1024, 1, aligned: true);
        Check(backend, 1024, 6, aligned: true);
    }

    private static void Check(string backend, int n, int rows, bool aligned)
    {
        int bins = n / 2 + 1;
        foreach (var (edge, interior) in new[] { (1f, 1f), (1f / n, 2f / n) })
        {
            using var run = new OperationRun(nameof(IBackend.RealFft), backend, $"{rows}×{n}, factors {edge} and {interior}", aligned: aligned);
            float[] x = run.Normal(rows * n), spectrum = run.Normal(rows * bins * 2);
            BufferView bx = run.In(x), bs = run.In(spectrum), forward = run.Out(spectrum.Length), inverse = run.Out(x.Length);
            run.Execute(b =>
            {
                b.RealFft(bx, n, edge, interior, forward);
                b.InverseRealFft(bs, n, edge, interior, inverse);
            });
            Node input = Node.Leaf(x, rows, n), expected = Compositions.RealFft(input, n, edge, interior);
            expected.Backward(spectrum);
            run.Close("spectrum", forward, expected.Value);
            run.Close("inverse, which is the adjoint", inverse, input.Gradient);
        }
    }

    public static IEnumerable<FrameShape> FrameShapes =>
        [new(1, 3, 1, 2, 1, 1), new(2, 257, 5, 64, 48, 32), new(1, 1000, 8, 128, 127, 64), new(2, 4096, 17, 1024, 256, 512), new(1, 2048, 8, 1024, 256, 384), new(3, 33, 31, 8, 1, 3)];

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Frame_mirrors_and_windows_forward_and_backward(string backend)
    {
        foreach (FrameShape shape in FrameShapes)
        {
            using var run = new OperationRun(nameof(IBackend.FrameBackward), backend, shape);
            int waves = shape.Batch * shape.Samples, frames = shape.Batch * shape.Frames * shape.Size;
            float[] wave = run.Normal(waves), window = run.Random.Uniform(shape.Size, 0, 1), dframes = run.Normal(frames);
            BufferView bw = run.In(wave), bn = run.In(window), bd = run.In(dframes), windowed = run.Out(frames), plain = run.Out(frames), dwave = run.Out(waves), dplain = run.Out(waves);
            run.Execute(b =>
            {
                b.Frame(bw, bn, shape, windowed);
                b.Frame(bw, BufferView.None, shape, plain);
                b.FrameBackward(bd, bn, shape, dwave);
                b.FrameBackward(bd, BufferView.None, shape, dplain);
            });
            foreach (var (factors, values, gradient) in new[] { (Node.Leaf(window, shape.Size), windowed, dwave), (null, plain, dplain) })
            {
                Node input = Node.Leaf(wave, shape.Batch, shape.Samples), expected = Compositions.Frame(input, factors, shape);
                expected.Backward(dframes);
                run.Close("frames", values, expected.Value, Tolerance.Of(nameof(IBackend.Frame)));
                run.Close("dwave", gradient, input.Gradient);
            }
        }
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void OverlapAdd_divides_by_the_envelope_forward_and_backward(string backend)
    {
        OverlapAddShape[] shapes = [new(1, 1, 2, 1, 0, 2), new(2, 5, 64, 16, 32, 64), new(1, 9, 1024, 256, 512, 2048), new(2, 8, 1024, 256, 384, 2048), new(1, 4, 31, 10, 3, 50), new(1, 2, 8, 12, 0, 24)];
        foreach (OverlapAddShape shape in shapes)
        {
            using var run = new OperationRun(nameof(IBackend.OverlapAdd), backend, shape);
            int waves = shape.Batch * shape.Samples, count = shape.Batch * shape.Frames * shape.Size;
            float[] frames = run.Normal(count), window = run.Random.Uniform(shape.Size, 0.1, 1), dwave = run.Normal(waves);
            BufferView bf = run.In(frames), bn = run.In(window), bd = run.In(dwave), wave = run.Out(waves), dframes = run.Out(count);
            run.Execute(b =>
            {
                b.OverlapAdd(bf, bn, shape, wave);
                b.OverlapAddBackward(bd, bn, shape, dframes);
            });
            Node input = Node.Leaf(frames, shape.Batch, shape.Frames, shape.Size), expected = Compositions.OverlapAdd(input, Node.Leaf(window, shape.Size), shape);
            expected.Backward(dwave);
            run.Close("wave", wave, expected.Value);
            run.Close("dframes", dframes, input.Gradient, Tolerance.Of(nameof(IBackend.OverlapAddBackward)));
        }
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void Magnitude_matches_the_oracle_and_has_gradient_0_at_0(string backend, int size)
    {
        using var run = new OperationRun(nameof(IBackend.Magnitude), backend, size);
        float[] spectrum = run.Normal(2 * size), dy = run.Normal(size);
        float[] withZero = [.. spectrum, 0, 0], dyWithZero = [.. dy, 1];
        BufferView bs = run.In(withZero), bd = run.In(dyWithZero), magnitude = run.Out(size + 1), ds = run.Out(2 * size + 2);
        run.Execute(b =>
        {
            b.Magnitude(bs, magnitude);
            b.MagnitudeBackward(bs, magnitude, bd, ds);
        });
        Node input = Node.Leaf(spectrum, 2 * size), expected = Compositions.Magnitude(input);
        expected.Backward(dy);
        run.Close("magnitude", magnitude, [.. expected.Value, 0]);
        run.Close("dspectrum", ds, [.. input.Gradient, 0, 0]);
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void PolarSpectrum_matches_the_oracle_forward_and_backward(string backend, int bins)
    {
        const int rows = 5;
        const float limit = 2.5f;
        using var run = new OperationRun(nameof(IBackend.PolarSpectrum), backend, $"{rows}×{bins}");
        float[] x = run.Normal(rows * 2 * bins), dy = run.Normal(rows * 2 * bins);
        x[0] = 120;
        x[bins] = 30;
        BufferView bx = run.In(x), bd = run.In(dy), spectrum = run.Out(x.Length), dx = run.Out(x.Length);
        run.Execute(b =>
        {
            b.PolarSpectrum(bx, bins, limit, spectrum);
            b.PolarSpectrumBackward(bx, bins, limit, bd, dx);
        });
        Node input = Node.Leaf(x, rows, 2 * bins), expected = Compositions.PolarSpectrum(input, bins, limit);
        expected.Backward(dy);
        run.Close("spectrum", spectrum, expected.Value, scale: limit);
        run.Close("dx", dx, input.Gradient, scale: limit);
    }
}
