using I2M.Kernels;

namespace I2M.Autograd;

public static partial class TensorOps
{
    /// <summary>Real FFT of each row [rows, n] → [rows, n/2+1, 2], as torch.fft.rfft.</summary>
    public static Tensor RealFft(this Tensor x)
    {
        int n = x.Columns;
        Tensor spectrum = Tensor.Empty(x.Backend, x.Rows, n / 2 + 1, 2);
        x.Backend.RealFft(x.View, n, 1, 1, spectrum.View);
        return GradMode.Records(x) ? spectrum.Attach(new RealFftNode(x, n)) : spectrum;
    }

    /// <summary>Inverse of <see cref="RealFft"/>: [rows, n/2+1, 2] → [rows, n], as torch.fft.irfft.</summary>
    public static Tensor InverseRealFft(this Tensor spectrum)
    {
        int bins = spectrum.Shape[^2], n = 2 * (bins - 1), rows = (int)(spectrum.Length / (2 * bins));
        Tensor x = Tensor.Empty(spectrum.Backend, rows, n);
        spectrum.Backend.InverseRealFft(spectrum.View, n, 1f / n, 2f / n, x.View);
        return GradMode.Records(spectrum) ? x.Attach(new InverseRealFftNode(spectrum, n)) : x;
    }

    /// <summary>Frames of waveforms [batch, samples], windowed where there is a window, → [batch, frames, size].</summary>
    public static Tensor Frame(this Tensor wave, Tensor? window, FrameShape shape)
    {
        Tensor frames = Tensor.Empty(wave.Backend, shape.Batch, shape.Frames, shape.Size);
        wave.Backend.Frame(wave.View, ViewOrNone(window), shape, frames.View);
        return GradMode.Records(wave) ? frames.Attach(new FrameNode(wave, window, shape)) : frames;
    }

    /// <summary>Windowed overlap-add, divided by the window's envelope: [batch, frames, size] → [batch, samples].</summary>
    public static Tensor OverlapAdd(this Tensor frames, Tensor window, OverlapAddShape shape)
    {
        Tensor wave = Tensor.Empty(frames.Backend, shape.Batch, shape.Samples);
        frames.Backend.OverlapAdd(frames.View, window.View, shape, wave.View);
        return GradMode.Records(frames) ? wave.Attach(new OverlapAddNode(frames, window, shape)) : wave;
    }

    /// <summary>√(re² + im²): [..., 2] → [...].</summary>
    public static Tensor Magnitude(this Tensor spectrum)
    {
        Tensor magnitude = Tensor.Empty(spectrum.Backend, spectrum.Shape[..^1].ToArray());
        spectrum.Backend.Magnitude(spectrum.View, magnitude.View);
        return GradMode.Records(spectrum) ? magnitude.Attach(new MagnitudeNode(spectrum, magnitude)) : magnitude;
    }

    /// <summary>Vocos' head: log-magnitudes and phases [rows, 2·bins] → spectrum [rows, bins, 2], magnitudes at most <paramref name="limit"/>.</summary>
    public static Tensor PolarSpectrum(this Tensor x, float limit)
    {
        int bins = x.Columns / 2;
        Tensor spectrum = Tensor.Empty(x.Backend, x.Rows, bins, 2);
        x.Backend.PolarSpectrum(x.View, bins, limit, spectrum.View);
        return GradMode.Records(x) ? spectrum.Attach(new PolarSpectrumNode(x, bins, limit)) : spectrum;
    }

    private sealed class RealFftNode(Tensor x, int n) : GradNode(x)
    {
        private readonly int _n = n;

        public override void Backward()
        {
            using Target dx = Overwrite(0);
            Backend.InverseRealFft(OutputGradient, _n, 1, 1, dx.View);
        }
    }

    private sealed class InverseRealFftNode(Tensor spectrum, int n) : GradNode(spectrum)
    {
        private readonly int _n = n;

        public override void Backward()
        {
            using Target dx = Overwrite(0);
            Backend.RealFft(OutputGradient, _n, 1f / _n, 2f / _n, dx.View);
        }
    }

    private sealed class FrameNode : GradNode
    {
        private readonly BufferView _window;
        private readonly FrameShape _shape;

        public FrameNode(Tensor wave, Tensor? window, FrameShape shape) : base(wave) => (_window, _shape) = (window is null ? BufferView.None : Save(window), shape);

        public override void Backward()
        {
            using Target dwave = Overwrite(0);
            Backend.FrameBackward(OutputGradient, _window, _shape, dwave.View);
        }
    }

    private sealed class OverlapAddNode : GradNode
    {
        private readonly BufferView _window;
        private readonly OverlapAddShape _shape;

        public OverlapAddNode(Tensor frames, Tensor window, OverlapAddShape shape) : base(frames) => (_window, _shape) = (Save(window), shape);

        public override void Backward()
        {
            using Target dframes = Overwrite(0);
            Backend.OverlapAddBackward(OutputGradient, _window, _shape, dframes.View);
        }
    }

    private sealed class MagnitudeNode : GradNode
    {
        private readonly BufferView _spectrum, _magnitude;

        public MagnitudeNode(Tensor spectrum, Tensor magnitude) : base(spectrum) => (_spectrum, _magnitude) = (Save(spectrum), Save(magnitude));

        public override void Backward()
        {
            using Target dx = Overwrite(0);
            Backend.MagnitudeBackward(_spectrum, _magnitude, OutputGradient, dx.View);
        }
    }

    private sealed class PolarSpectrumNode : GradNode
    {
        private readonly BufferView _x;
        private readonly int _bins;
        private readonly float _limit;

        public PolarSpectrumNode(Tensor x, int bins, float limit) : base(x) => (_x, _bins, _limit) = (Save(x), bins, limit);

        public override void Backward()
        {
            using Target dx = Overwrite(0);
            Backend.PolarSpectrumBackward(_x, _bins, _limit, OutputGradient, dx.View);
        }
    }
}
