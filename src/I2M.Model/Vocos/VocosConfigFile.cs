using System.Globalization;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Io;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace I2M.Model.Vocos;

/// <summary>
/// Reads the sizes of a Vocos from its authors' config.yaml or from the transformers port's config.json. A setting that would change the numbers and is
/// not known here is refused.
/// </summary>
internal static class VocosConfigFile
{
    private const int MaxBytes = 1 << 16;

    /// <summary>The authors' file: three sections of class_path and init_args.</summary>
    public static VocosConfig ReadYaml(string path)
    {
        var settings = new Settings(path, ParseYaml(path));
        settings.Require("feature_extractor.class_path", "vocos.feature_extractors.MelSpectrogramFeatures");
        settings.Require("backbone.class_path", "vocos.models.VocosBackbone");
        settings.Require("head.class_path", "vocos.heads.ISTFTHead");
        // The defaults are those of the named classes.
        var mel = new MelSettings
        {
            SampleRate = settings.Integer("feature_extractor.init_args.sample_rate", 24000),
            FftSize = settings.Integer("feature_extractor.init_args.n_fft", 1024),
            HopLength = settings.Integer("feature_extractor.init_args.hop_length", 256),
            Bands = settings.Integer("feature_extractor.init_args.n_mels", 100),
            Padding = settings.Padding("feature_extractor.init_args.padding", "center"),
            // These four are torchaudio's names; forks of the class pass them on.
            Scale = settings.OneOf("feature_extractor.init_args.mel_scale", ("htk", MelScale.Htk), ("slaney", MelScale.Slaney)),
            AreaNormalized = settings.OneOf("feature_extractor.init_args.norm", ("null", false), ("~", false), ("", false), ("slaney", true)),
            LowFrequency = settings.Number("feature_extractor.init_args.f_min", 0),
            HighFrequency = settings.Number("feature_extractor.init_args.f_max"),
        };
        var config = new VocosConfig
        {
            Mel = mel,
            Dim = settings.Integer("backbone.init_args.dim"),
            IntermediateDim = settings.Integer("backbone.init_args.intermediate_dim"),
            Layers = settings.Integer("backbone.init_args.num_layers"),
        };
        settings.Agree("backbone.init_args.input_channels", mel.Bands, settings.Integer("backbone.init_args.input_channels"));
        settings.Agree("head.init_args.dim", config.Dim, settings.Integer("head.init_args.dim"));
        settings.Agree("head.init_args.n_fft", mel.FftSize, settings.Integer("head.init_args.n_fft"));
        settings.Agree("head.init_args.hop_length", mel.HopLength, settings.Integer("head.init_args.hop_length"));
        settings.Agree("head.init_args.padding", mel.Padding, settings.Padding("head.init_args.padding", "same"));
        settings.Ignore("backbone.init_args.layer_scale_init_value");
        settings.Optional("backbone.init_args.adanorm_num_embeddings", "null", "~", "");
        settings.RefuseOthers();
        return Validated(path, config);
    }

    /// <summary>The transformers port's file; both names that the band count and the sample rate have had there are known.</summary>
    public static VocosConfig ReadTransformers(string path)
    {
        var settings = new Settings(path, ParseJson(path));
        settings.Require("model_type", "vocos");
        settings.Optional("use_adaptive_norm", "False");
        settings.Optional("hidden_act", "gelu");
        settings.Agree("kernel_size", 7, settings.Integer("kernel_size", 7));
        settings.Agree("padding", 3, settings.Integer("padding", 3));
        settings.Agree("layer_norm_eps", 1e-6, settings.Number("layer_norm_eps", 1e-6));
        var config = new VocosConfig
        {
            Mel = new MelSettings
            {
                SampleRate = settings.Integer("sample_rate", settings.Integer("sampling_rate", 24000)),
                FftSize = settings.Integer("n_fft", 1024),
                HopLength = settings.Integer("hop_length", 256),
                Bands = settings.Integer("n_mels", settings.Integer("input_channels", 100)),
                Padding = settings.Padding("istft_padding", "center"),
            },
            Dim = settings.Integer("hidden_size", 512),
            IntermediateDim = settings.Integer("intermediate_size", 1536),
            Layers = settings.Integer("num_layers", 8),
        };
        return Validated(path, config);
    }

    /// <summary>Checks the sizes against what the transforms can do and against overflow.</summary>
    /// <exception cref="BadFileException">Names the size.</exception>
    public static VocosConfig Validated(string path, VocosConfig config)
    {
        MelSettings mel = config.Mel;
        if (mel.FindProblem() is { } problem) { throw new BadFileException(path, $"mel features: {problem}"); }
        Require(config.Dim is > 0 and <= 16384, $"dim {config.Dim}: expected 1 to 16384");
        Require(config.IntermediateDim is > 0 and <= 65536, $"intermediate_dim {config.IntermediateDim}: expected 1 to 65536");
        Require(config.Layers is > 0 and <= 256, $"num_layers {config.Layers}: expected 1 to 256");
        return config;

        void Require(bool condition, string problem)
        {
            if (!condition) { throw new BadFileException(path, problem); }
        }
    }

    /// <summary>The file as dotted names and scalars; walks the parser's events, so that nesting costs no stack.</summary>
    private static Dictionary<string, string> ParseYaml(string path)
    {
        var values = new Dictionary<string, string>();
        var prefixes = new Stack<string>();
        string? key = null;
        int skipping = 0;
        try
        {
            var parser = new Parser(new StringReader(InputFile.ReadText(path, MaxBytes)));
            while (parser.MoveNext())
            {
                ParsingEvent current = parser.Current!;
                if (skipping > 0 || current is SequenceStart)
                {
                    skipping += current.NestingIncrease;
                    if (skipping == 0) { Set("a list"); }
                    continue;
                }
                switch (current)
                {
                    case MappingStart when prefixes.Count == 0: prefixes.Push(""); break;
                    case MappingStart when key is not null: prefixes.Push($"{prefixes.Peek()}{key}."); key = null; break;
                    case MappingEnd: prefixes.Pop(); break;
                    case Scalar scalar when prefixes.Count > 0 && key is null: key = scalar.Value; break;
                    case Scalar scalar when prefixes.Count > 0: Set(scalar.Value); break;
                    case NodeEvent: throw new BadFileException(path, $"line {current.Start.Line}: expected names and plain values");
                }
            }
        }
        catch (YamlException e)
        {
            throw new BadFileException(path, $"line {e.Start.Line}: not valid YAML: {InputFile.OneLine(e.Message)}", e);
        }
        return values;

        void Set(string value)
        {
            if (key is null || !values.TryAdd(prefixes.Peek() + key, value)) { throw new BadFileException(path, $"'{InputFile.OneLine(key ?? value)}': expected one value under one name"); }
            key = null;
        }
    }

    private static Dictionary<string, string> ParseJson(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(InputFile.ReadText(path, MaxBytes));
            if (document.RootElement.ValueKind != JsonValueKind.Object) { throw new BadFileException(path, "expected a JSON object"); }
            return document.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ToString());
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new BadFileException(path, $"not valid JSON: {InputFile.OneLine(e.Message)}", e);
        }
    }

    /// <summary>Named scalars; remembers which ones were asked for.</summary>
    private sealed class Settings(string path, Dictionary<string, string> values)
    {
        private readonly HashSet<string> _known = [];

        public void Require(string name, string expected)
        {
            string? found = Find(name);
            if (found != expected) { throw new BadFileException(path, $"{name}: expected {expected}, found {InputFile.OneLine(found ?? "nothing")}"); }
        }

        public void Optional(string name, params ReadOnlySpan<string> allowed)
        {
            if (Find(name) is { } found && !allowed.Contains(found)) { throw new BadFileException(path, $"{name}: {InputFile.OneLine(found)}: this variant is not known here"); }
        }

        public int Integer(string name, int? otherwise = null)
        {
            if (Find(name) is not { } text) { return otherwise ?? throw new BadFileException(path, $"{name}: expected a whole number, but absent"); }
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value)
                ? value
                : throw new BadFileException(path, $"{name}: {InputFile.OneLine(text)}: expected a whole number");
        }

        public double Number(string name, double otherwise) => Number(name) ?? otherwise;

        public double? Number(string name)
        {
            if (Find(name) is not { } text || text is "null" or "~" or "") { return null; }
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                ? value
                : throw new BadFileException(path, $"{name}: {InputFile.OneLine(text)}: expected a number");
        }

        public FramePadding Padding(string name, string otherwise) => OneOf(name, otherwise, ("center", FramePadding.Center), ("same", FramePadding.Same));

        /// <summary>The value of a word; the first one where the file says nothing.</summary>
        public T OneOf<T>(string name, params ReadOnlySpan<(string Word, T Value)> choices) => OneOf(name, choices[0].Word, choices);

        private T OneOf<T>(string name, string otherwise, params ReadOnlySpan<(string Word, T Value)> choices)
        {
            string found = Find(name) ?? otherwise;
            foreach (var (word, value) in choices)
            {
                if (word == found) { return value; }
            }
            throw new BadFileException(path, $"{name}: {InputFile.OneLine(found)}: expected {string.Join(" or ", choices.ToArray().Select(c => c.Word).Where(w => w.Length > 1))}");
        }

        public void Agree<T>(string name, T expected, T found)
        {
            if (!Equals(expected, found)) { throw new BadFileException(path, $"{name}: {found}: expected {expected}"); }
        }

        public void Ignore(string name) => _known.Add(name);

        public void RefuseOthers()
        {
            if (values.Keys.FirstOrDefault(name => !_known.Contains(name)) is { } stray) { throw new BadFileException(path, $"{InputFile.OneLine(stray)}: this setting is not known here"); }
        }

        private string? Find(string name)
        {
            _known.Add(name);
            return values.GetValueOrDefault(name);
        }
    }
}
