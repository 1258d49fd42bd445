using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Io;
using I2M.Model.Vocos;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Vocos;

/// <summary>Vocos in both paddings, loaded from its authors' layout, against PyTorch's numbers.</summary>
public sealed class VocosReferenceTests
{
    public static TheoryData<string, string> Cases => Backends.With(["vocos_center", "vocos_same"]);

    [Theory, MemberData(nameof(Cases))]
    public void AudioFeaturesAndGradientsMatchPyTorch(string backend, string name)
    {
        IBackend device = Backends.Get(backend);
        using SafetensorsFile file = SafetensorsFile.Open(ReferenceData.Path($"{name}/io.safetensors"));
        // A backend keeps the transform's tables from the first use on.
        using (VocosVocoder first = VocosLoader.Load(device, ReferenceData.Path(name))) { first.Decode(file.ReadSingles("mel"), 94); }
        long before = device.Pool.LiveBytes;
        using (VocosVocoder vocoder = VocosLoader.Load(device, ReferenceData.Path(name), trainable: true))
        {
            var error = new WorstError($"{name} on {backend}", ModelTolerance.Vocos);
            using (var scope = new TensorScope())
            {
                Tensor mel = Tensor.From(device, file.ReadSingles("mel"), 1, 100, 94);
                Tensor audio = vocoder.Forward(mel);
                error.Add("backbone", vocoder.Model.Features(mel).ToArray(), file.ReadDoubles("backbone_out"));
                error.Add("audio", audio.ToArray(), file.ReadDoubles("audio"));
                float[] gradient = file.ReadSingles("grad_audio");
                audio.Backward(Tensor.From(device, gradient, 1, gradient.Length));
            }
            error.Check();
            var gradients = new WorstError($"{name} gradients on {backend}", ModelTolerance.VocosGradients);
            foreach (ParameterArena.Entry entry in vocoder.Arena.Entries)
            {
                gradients.Add(entry.Name, vocoder.Arena.Read(entry, vocoder.Arena.Gradients), file.ReadDoubles($"grads.{entry.Name}"));
            }
            gradients.Check();
            var decoded = new WorstError($"{name} decoded on {backend}", ModelTolerance.Vocos);
            decoded.Add("audio", vocoder.Decode(file.ReadSingles("mel"), 94), file.ReadDoubles("audio"));
            decoded.Check();
        }
        Assert.Equal(before, device.Pool.LiveBytes);
    }

    [Fact]
    public void TheDefaultSizesAreThePublishedModels()
    {
        var model = new VocosModel(new VocosConfig());
        // 83 tensors and 13,531,650 values in all, less the window twice and the filter bank, which are no parameters.
        Assert.Equal(80, model.NamedParameters().Count());
        Assert.Equal(13_531_650, model.ParameterCount);
    }
}
