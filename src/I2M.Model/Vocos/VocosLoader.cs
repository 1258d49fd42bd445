using System.Text.Json;
using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Io;
using I2M.Model.Training;

namespace I2M.Model.Vocos;

/// <summary>
/// Reads Vocos weights in three layouts: the authors' folder (config.yaml with pytorch_model.bin or a safetensors file), the transformers port's folder
/// (config.json with model.safetensors) and this program's single safetensors file, which it also writes.
/// </summary>
public static class VocosLoader
{
    private const string FormatKey = "i2m.format", Format = "vocos", ConfigKey = "i2m.config";
    private const string SynthesisWindow = "head.istft.window", AnalysisWindow = "feature_extractor.mel_spec.spectrogram.window", Filters = "feature_extractor.mel_spec.mel_scale.fb";
    private const double WindowTolerance = 1e-6, FilterTolerance = 1e-5;

    private static readonly JsonSerializerOptions s_json = new(TrainConfig.Json) { WriteIndented = false, IgnoreReadOnlyProperties = true };

    /// <summary>Loads a vocoder.</summary>
    /// <param name="backend">Where to compute.</param>
    /// <param name="path">A folder of one of the layouts above, or this program's file.</param>
    /// <param name="trainable">Makes room for gradients.</param>
    /// <exception cref="BadFileException">Something is missing, superfluous, of another shape or another variant of Vocos; names file and field.</exception>
    public static VocosVocoder Load(IBackend backend, string path, bool trainable = false)
    {
        if (!Directory.Exists(path))
        {
            using SafetensorsFile own = SafetensorsFile.Open(path);
            return LoadOwn(backend, path, own, $"from {path}", trainable);
        }
        string yaml = Path.Combine(path, "config.yaml"), json = Path.Combine(path, "config.json");
        if (File.Exists(yaml))
        {
            VocosConfig config = VocosConfigFile.ReadYaml(yaml);
            string torch = Path.Combine(path, "pytorch_model.bin");
            return File.Exists(torch) ? LoadTorch(backend, path, torch, config, trainable) : LoadSafetensors(backend, path, SafetensorsIn(path), config, static name => name, trainable);
        }
        if (File.Exists(json)) { return LoadSafetensors(backend, path, SafetensorsIn(path), VocosConfigFile.ReadTransformers(json), FromTransformers, trainable); }
        throw new BadFileException(path, "expected a Vocos folder: config.yaml with pytorch_model.bin, or config.json with model.safetensors");
    }

    /// <summary>The sizes of a Vocos folder and the file of its weights, which is not opened.</summary>
    /// <exception cref="BadFileException">The folder holds no Vocos, or another variant.</exception>
    public static (VocosConfig Config, string WeightsPath) ReadFolder(string path)
    {
        string yaml = Path.Combine(path, "config.yaml"), json = Path.Combine(path, "config.json"), torch = Path.Combine(path, "pytorch_model.bin");
        if (File.Exists(yaml)) { return (VocosConfigFile.ReadYaml(yaml), File.Exists(torch) ? torch : SafetensorsIn(path)); }
        if (File.Exists(json)) { return (VocosConfigFile.ReadTransformers(json), SafetensorsIn(path)); }
        throw new BadFileException(path, "expected a Vocos folder: config.yaml with pytorch_model.bin, or config.json with model.safetensors");
    }

    /// <summary>Writes a vocoder as one safetensors file that <see cref="Load"/> reads.</summary>
    /// <param name="path">The file.</param>
    /// <param name="vocoder">The vocoder.</param>
    /// <param name="bfloat16">Rounds the weights to bfloat16: half the size.</param>
    /// <exception cref="I2MException">The file cannot be written.</exception>
    public static void Save(string path, VocosVocoder vocoder, bool bfloat16 = false) => Save(path, vocoder, vocoder.Arena.Values, bfloat16);

    /// <summary>The same with the weights of a block that has the layout of the vocoder's arena, such as an average.</summary>
    internal static void Save(string path, VocosVocoder vocoder, BufferView weights, bool bfloat16)
    {
        ParameterArena arena = vocoder.Arena;
        Save(path, vocoder.Model.Config, arena.Entries.Select(entry => new NamedWeight(entry.Name, entry.Parameter.Shape, arena.Read(entry, weights))), bfloat16);
    }

    /// <summary>The same with weights of the host.</summary>
    internal static void Save(string path, VocosConfig config, IEnumerable<NamedWeight> weights, bool bfloat16)
    {
        // The checksums are those of the values that a reader finds.
        NamedWeight[] stored = [.. weights.Select(w => bfloat16 ? w with { Values = Array.ConvertAll(w.Values, DTypes.RoundToBFloat16) } : w)];
        var metadata = new Dictionary<string, string> { [FormatKey] = Format, [ConfigKey] = JsonSerializer.Serialize(config, s_json) };
        TensorBlocks.AddChecksums(metadata, stored.Select(w => (w.Name, w.Values)));
        SafetensorsWriter.Write(path, [.. stored.Select(Data)], metadata);

        TensorData Data(NamedWeight w)
        {
            long[] shape = [.. w.Shape];
            return bfloat16 ? TensorData.BFloat16s(w.Name, shape, w.Values) : TensorData.Singles(w.Name, shape, w.Values);
        }
    }

    /// <summary>A file of this program's own, open.</summary>
    /// <param name="backend">Where to compute.</param>
    /// <param name="path">Its name, for messages.</param>
    /// <param name="file">The file.</param>
    /// <param name="origin">Where it comes from, for the user.</param>
    /// <param name="trainable">Makes room for gradients.</param>
    internal static VocosVocoder LoadOwn(IBackend backend, string path, SafetensorsFile file, string origin, bool trainable = false)
    {
        VocosConfig config = ReadOwnConfig(path, file);
        Dictionary<string, string> checksums = TensorBlocks.Checksums(path, file);
        Dictionary<string, StoredWeight> stored = WeightTable.Of(path, file, static name => name);
        foreach (var (name, weight) in stored.ToList()) { stored[name] = weight with { Read = () => TensorBlocks.Verified(path, checksums, name, weight.Read()) }; }
        return Build(backend, origin, path, config, stored, trainable);
    }

    /// <summary>The sizes that a file of this program's own names.</summary>
    /// <exception cref="BadFileException">It is no such file, or its sizes cannot be computed with.</exception>
    internal static VocosConfig ReadOwnConfig(string path, SafetensorsFile file)
    {
        if (!file.Metadata.TryGetValue(FormatKey, out string? format) || format != Format || !file.Metadata.TryGetValue(ConfigKey, out string? json))
        {
            throw new BadFileException(path, $"metadata {FormatKey}: expected {Format} with {ConfigKey} (of other Vocos weights, name the folder that holds their configuration too)");
        }
        VocosConfig config;
        try
        {
            config = JsonSerializer.Deserialize<VocosConfig>(json, s_json) ?? throw new BadFileException(path, $"metadata {ConfigKey}: expected an object, found null");
        }
        catch (JsonException e)
        {
            throw new BadFileException(path, $"metadata {ConfigKey}: {InputFile.OneLine(e.Message)}", e);
        }
        return VocosConfigFile.Validated(path, config);
    }

    private static VocosVocoder LoadSafetensors(IBackend backend, string folder, string path, VocosConfig config, Func<string, string> rename, bool trainable)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return Build(backend, $"from {folder}", path, config, WeightTable.Of(path, file, rename), trainable);
    }

    private static VocosVocoder LoadTorch(IBackend backend, string folder, string path, VocosConfig config, bool trainable)
    {
        TorchDict state = TorchFile.Load(path) as TorchDict ?? throw new BadFileException(path, "expected a state dict");
        return Build(backend, $"from {folder}", path, config, WeightTable.Of(path, state, static name => name), trainable);
    }

    /// <summary>Checks everything on the host before the first byte is taken from the device.</summary>
    private static VocosVocoder Build(IBackend backend, string origin, string path, VocosConfig config, Dictionary<string, StoredWeight> stored, bool trainable)
    {
        float[] window = MelSpectrogram.HannWindow(config.Mel.FftSize);
        CheckConstant(path, stored, SynthesisWindow, window, WindowTolerance, $"the periodic Hann window of {window.Length}");
        CheckConstant(path, stored, AnalysisWindow, window, WindowTolerance, $"the periodic Hann window of {window.Length}");
        CheckConstant(path, stored, Filters, MelFilterBank.Create(config.Mel), FilterTolerance, $"the {config.Mel.Scale} filter bank [{config.Mel.Bins}, {config.Mel.Bands}] {(config.Mel.AreaNormalized ? "with" : "without")} area normalisation");
        List<NamedWeight> weights = WeightTable.Read(path, new VocosModel(config), stored);
        var vocoder = new VocosVocoder(backend, config, $"Vocos ({weights.Sum(w => (long)w.Values.Length):N0} parameters) {origin}", trainable);
        foreach (var (entry, weight) in vocoder.Arena.Entries.Zip(weights)) { vocoder.Arena.Write(entry, vocoder.Arena.Values, weight.Values); }
        if (!trainable) { vocoder.Arena.PackWeights(); }
        return vocoder;
    }

    /// <summary>A buffer that is computed here must equal the file's, and is then passed over.</summary>
    private static void CheckConstant(string path, Dictionary<string, StoredWeight> stored, string name, float[] ours, double tolerance, string what)
    {
        if (!stored.Remove(name, out StoredWeight? weight)) { return; }
        float[] theirs = weight.Read();
        if (theirs.Length != ours.Length) { throw WeightTable.Bad(path, weight, $"shape [{string.Join(", ", weight.Shape)}]: expected {what}"); }
        double worst = 0;
        for (int i = 0; i < ours.Length; i++) { worst = Math.Max(worst, Math.Abs(theirs[i] - (double)ours[i])); }
        if (!(worst <= tolerance)) { throw WeightTable.Bad(path, weight, $"differs by up to {worst:G3} from {what} (at most {tolerance:G1} allowed)"); }
    }

    private static string SafetensorsIn(string folder)
    {
        string usual = Path.Combine(folder, "model.safetensors");
        if (File.Exists(usual)) { return usual; }
        string[] found = Directory.GetFiles(folder, "*.safetensors");
        return found.Length == 1 ? found[0] : throw new BadFileException(folder, $"expected pytorch_model.bin or model.safetensors beside the configuration, found {found.Length} other .safetensors files");
    }

    /// <summary>The transformers port's names.</summary>
    private static string FromTransformers(string name) => name switch
    {
        "head.window" => SynthesisWindow,
        _ when name.StartsWith("head.out_proj.", StringComparison.Ordinal) => name.Replace("head.out_proj.", "head.out.", StringComparison.Ordinal),
        _ => name.Replace("backbone.layers.", "backbone.convnext.", StringComparison.Ordinal).Replace(".layer_scale_parameter", ".gamma", StringComparison.Ordinal),
    };
}
