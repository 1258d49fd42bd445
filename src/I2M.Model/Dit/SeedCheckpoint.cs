using I2M.Kernels;
using I2M.Model.Io;

namespace I2M.Model.Dit;

/// <summary>
/// The original Python program's .pt files: {epoch, model_state_dict, …, config} or a bare state dict, with or without the "module." that
/// DataParallel puts before each name. Read and written for weights; the optimiser's state stays behind.
/// </summary>
/// <param name="Config">Sizes, with <see cref="DitConfig.CompatSeed"/> set.</param>
/// <param name="Weights">Every parameter in the order of registration.</param>
/// <param name="Note">What had to be assumed, for the user; null when the file said everything.</param>
public sealed record SeedCheckpoint(DitConfig Config, IReadOnlyList<NamedWeight> Weights, string? Note)
{
    private const string StateKey = "model_state_dict", ConfigKey = "config", ReplicaPrefix = "module.";
    private const int UsualHeads = 12;

    /// <summary>Largest sizes that are believed, so that no product of two overflows.</summary>
    private const int MaxHidden = 16384, MaxTokens = 65536, MaxLayers = 512;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The .pt file.</param>
    /// <param name="heads">Attention heads, which the tensors do not tell; needed only where the file has no config.</param>
    /// <exception cref="BadFileException">Not such a file, or a tensor is missing, superfluous, of another shape or not finite; names it.</exception>
    public static SeedCheckpoint Read(string path, int? heads = null)
    {
        TorchDict root = TorchFile.Load(path) as TorchDict ?? throw new BadFileException(path, $"expected a dict with {StateKey}, or a state dict");
        TorchDict state = root.TryGet(StateKey, out TorchDict? inner) ? inner : root;
        Dictionary<string, StoredWeight> stored = WeightTable.Of(path, state, static name => name.StartsWith(ReplicaPrefix, StringComparison.Ordinal) ? name[ReplicaPrefix.Length..] : name);
        if (stored.Count == 0) { throw new BadFileException(path, $"{StateKey}: expected a dict of tensors, found none"); }
        var sizes = new Sizes(path, stored, root.TryGet(ConfigKey, out TorchDict? config) ? config : new TorchDict());
        (int headCount, string? note) = sizes.Heads(heads);
        DitConfig dit = sizes.ToConfig(headCount);
        return new SeedCheckpoint(dit, WeightTable.Read(path, DitModel.Create(dit), stored), note);
    }

    /// <summary>Writes a file that the original loads: names in the order of registration, its config, epoch 0.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="config">Sizes of a compatible model.</param>
    /// <param name="weights">Its parameters, in any order.</param>
    /// <exception cref="I2MException">The model is not the original's, or the file cannot be written.</exception>
    /// <exception cref="ArgumentException">The weights are not the config's.</exception>
    public static void Write(string path, DitConfig config, IReadOnlyList<NamedWeight> weights)
    {
        if (!config.CompatSeed) { throw new I2MException($"{path}: the original's .pt holds models trained with --compat seed alone; keep this one as safetensors"); }
        Dictionary<string, NamedWeight> given = weights.ToDictionary(w => w.Name);
        var state = new TorchDict(isOrdered: true);
        foreach (var (name, parameter) in DitModel.Create(config).NamedParameters())
        {
            if (!given.Remove(name, out NamedWeight? weight) || !weight.Shape.SequenceEqual(parameter.Shape))
            {
                throw new ArgumentException($"weight '{name}': expected with shape [{string.Join(", ", parameter.Shape)}]");
            }
            state.Add(name, TorchTensor.FromSingles([.. weight.Shape], weight.Values));
        }
        if (given.Count > 0) { throw new ArgumentException($"weight '{given.Keys.First()}': the model has no such parameter"); }
        var sizes = new TorchDict
        {
            { "mel_input_dim", new TorchInt(config.MelTokenLength) },
            { "img_input_dim", new TorchInt(config.ImageTokenLength) },
            { "hidden_size", new TorchInt(config.Hidden) },
            { "mel_seq_len", new TorchInt(config.MelTokens) },
            { "img_seq_len", new TorchInt(config.ImageTokens) },
            { "num_layers", new TorchInt(config.Layers) },
            { "num_heads", new TorchInt(config.Heads) },
        };
        TorchFile.Save(path, new TorchDict { { "epoch", new TorchInt(0) }, { StateKey, state }, { ConfigKey, sizes } });
    }

    /// <summary>
    /// Two factors a·b = n whose ratio a : b is nearest to the wanted one on a logarithmic scale. The files store products only: 875 mel tokens at 5 : 7
    /// are the original's 25 bands × 35 frames, and 32 values a token at 1 : 2 are its 4×8 patch.
    /// </summary>
    internal static (int A, int B) NearestFactors(int n, double ratio)
    {
        (int A, int B) best = (1, n);
        for (int a = 1; a <= n; a++)
        {
            if (n % a == 0 && Distance(a, n / a) < Distance(best.A, best.B)) { best = (a, n / a); }
        }
        return best;

        double Distance(int a, int b) => Math.Abs(Math.Log(a / (b * ratio)));
    }

    /// <summary>The sizes, from the tensors' shapes; a config must agree with them.</summary>
    private sealed class Sizes(string path, Dictionary<string, StoredWeight> stored, TorchDict config)
    {
        public (int Count, string? Note) Heads(int? given)
        {
            int hidden = Size("hidden_size", "mel_proj.weight", 2, 0, MaxHidden);
            if (config["num_heads"] is TorchInt { Value: > 0 and <= MaxHidden } known)
            {
                return given is null || given == known.Value ? ((int)known.Value, null) : throw new BadFileException(path, $"config.num_heads: {known.Value} against the {given} that were asked for");
            }
            if (given is { } heads) { return (heads, null); }
            if (hidden % UsualHeads != 0) { throw new BadFileException(path, $"config.num_heads: absent, and hidden size {hidden} does not divide by the usual {UsualHeads}: say how many heads it has"); }
            return (UsualHeads, $"{path}: the file does not say how many attention heads the model has: {UsualHeads} assumed");
        }

        public DitConfig ToConfig(int heads)
        {
            (int bandTokens, int frameTokens) = NearestFactors(Size("mel_seq_len", "pos_embed_mel", 3, 1, MaxTokens), 5.0 / 7);
            (int patchBands, int patchFrames) = NearestFactors(Size("mel_input_dim", "mel_proj.weight", 2, 1, MaxTokens), 1.0 / 2);
            int imageTokens = Size("img_seq_len", "pos_embed_img", 3, 1, MaxTokens), imageDim = Size("img_input_dim", "img_proj.weight", 2, 1, MaxTokens);
            int side = (int)Math.Round(Math.Sqrt(imageTokens)), patch = (int)Math.Round(Math.Sqrt(imageDim / 3.0));
            if (side * side != imageTokens) { throw new BadFileException(path, $"tensor 'pos_embed_img': {imageTokens} image tokens: expected a square number"); }
            if (3 * patch * patch != imageDim) { throw new BadFileException(path, $"tensor 'img_proj.weight': {imageDim} values an image token: expected 3·p² of an RGB patch"); }
            var result = new DitConfig
            {
                CompatSeed = true,
                MelBands = bandTokens * patchBands,
                MelFrames = frameTokens * patchFrames,
                MelPatchBands = patchBands,
                MelPatchFrames = patchFrames,
                ImageSize = side * patch,
                ImagePatch = patch,
                Hidden = Size("hidden_size", "mel_proj.weight", 2, 0, MaxHidden),
                Layers = Layers(),
                Heads = heads,
                ImageTowerLayers = 0,
            };
            try
            {
                return result.Validated();
            }
            catch (I2MException e) when (e is not BadFileException)
            {
                throw new BadFileException(path, e.Message, e);
            }
        }

        private int Layers()
        {
            int layers = 0;
            while (layers < MaxLayers && stored.ContainsKey($"blocks.{layers}.norm1.linear.weight")) { layers++; }
            return Agree("num_layers", layers);
        }

        /// <summary>Dimension <paramref name="axis"/> of a tensor of the given rank, checked against the config's field.</summary>
        private int Size(string field, string tensor, int rank, int axis, int limit)
        {
            if (!stored.TryGetValue(tensor, out StoredWeight? weight)) { throw new BadFileException(path, $"tensor '{tensor}': expected in the file, but absent"); }
            if (weight.Shape.Count != rank || weight.Shape[axis] < 1 || weight.Shape[axis] > limit)
            {
                throw WeightTable.Bad(path, weight, $"shape [{string.Join(", ", weight.Shape)}]: expected {rank} dimensions of 1 to {limit}");
            }
            return Agree(field, (int)weight.Shape[axis]);
        }

        private int Agree(string field, int fromTensors) => config[field] switch
        {
            null => fromTensors,
            TorchInt stated when stated.Value == fromTensors => fromTensors,
            TorchInt stated => throw new BadFileException(path, $"config.{field}: {stated.Value}, but the tensors have {fromTensors}"),
            _ => throw new BadFileException(path, $"config.{field}: expected an integer"),
        };
    }
}
