using System.Globalization;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Images;
using I2M.Model.Io;
using I2M.Model.Training;
using I2M.Model.Vocos;

namespace I2M.Cli.Inspection;

/// <summary>Tells what a path is, from its content and from headers alone: no tensor, no sample and no pixel is read.</summary>
internal static class FileInspector
{
    private const int HeadBytes = 64;

    /// <exception cref="BadFileException">Missing, damaged, or nothing that this program knows.</exception>
    public static FileReport Inspect(string path)
    {
        if (Directory.Exists(path)) { return Folder(path); }
        ReadOnlySpan<byte> head = Head(path);
        if (head.IsEmpty) { throw new BadFileException(path, "is empty (0 bytes)"); }
        if (head.Length >= 12 && head[8..12].SequenceEqual("WAVE"u8)) { return Wav(path); }
        if (head.StartsWith("PK"u8) || (head[0] == 0x80 && head.Length > 1 && head[1] == 2)) { return Torch(path); }
        // A header below 100 MB leaves the upper half of its 64-bit length zero.
        bool looksSafe = head.Length > 8 && head[8] == (byte)'{' && !head[4..8].ContainsAnyExcept((byte)0);
        if (looksSafe || path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)) { return Safetensors(path); }
        ReadOnlySpan<byte> text = head.TrimStart((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF, (byte)' ', (byte)'\t', (byte)'\r', (byte)'\n']);
        if (text.StartsWith("["u8)) { return Pairs(path); }
        if (text.StartsWith("{"u8)) { return new FileReport("training settings", SettingsFacts(TrainConfig.Load(path)), []); }
        try
        {
            ImageInfo picture = ImageLoader.ReadInfo(path);
            return new FileReport($"{picture.Format} picture", [("size", $"{picture.Width} × {picture.Height} pixels"), ("bytes", new FileInfo(path).Length)], []);
        }
        catch (BadFileException e) when (e.Message.Contains("expected a JPEG", StringComparison.Ordinal))
        {
            throw new BadFileException(path, "is of an unknown format: expected a checkpoint, .safetensors, .pt, pairs.json, WAV or picture, a run folder or a Vocos folder", e);
        }
    }

    private static byte[] Head(string path)
    {
        using var handle = InputFile.Open(path);
        var head = new byte[Math.Min(HeadBytes, RandomAccess.GetLength(handle))];
        InputFile.ReadExactly(handle, path, 0, head);
        return head;
    }

    private static FileReport Folder(string path)
    {
        if (File.Exists(Path.Combine(path, "config.yaml")) || File.Exists(Path.Combine(path, "model.safetensors"))) { return VocosFolder(path); }
        var run = new RunFolder(path);
        IReadOnlyList<(int Step, string Path)> checkpoints = run.Checkpoints();
        if (checkpoints.Count == 0 && !File.Exists(run.BestPath)) { throw new BadFileException(path, "is a folder without checkpoints and without a Vocos: expected a run folder or a Vocos folder"); }
        string chosen = RunFolder.Resolve(path);
        FileReport checkpoint = Safetensors(chosen);
        List<(string, object)> facts = [("checkpoints", checkpoints.Select(c => c.Step.ToString(CultureInfo.InvariantCulture))), ("best", File.Exists(run.BestPath) ? run.BestPath : "none yet"), ("shown", chosen)];
        return new FileReport("run folder", [.. facts, .. checkpoint.Facts], checkpoint.Entries);
    }

    private static FileReport VocosFolder(string path)
    {
        var (config, weights) = VocosLoader.ReadFolder(path);
        IReadOnlyList<ReportEntry> entries = weights.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) ? Safetensors(weights).Entries : Torch(weights).Entries;
        return new FileReport("Vocos folder",
            [("backbone", $"{config.Layers} ConvNeXt blocks of {config.Dim}, {config.IntermediateDim} between"), ("mel", MelText(config.Mel)), ("weights", weights), ("values", Values(entries))], entries);
    }

    private static FileReport Safetensors(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        List<ReportEntry> entries = [.. file.Tensors.Select(t => new ReportEntry(t.Key, t.Value.DType.ToString(), t.Value.Shape))];
        if (file.Metadata.GetValueOrDefault("i2m.format") == "i2m-checkpoint") { return CheckpointReport(path, entries); }
        List<(string, object)> facts = [("tensors", entries.Count), ("values", Values(entries))];
        facts.AddRange(file.Metadata.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => ($"metadata.{m.Key}", (object)m.Value)));
        return new FileReport(file.Metadata.GetValueOrDefault("i2m.format") == "vocos" ? "Vocos in one file" : "safetensors file", facts, entries);
    }

    private static FileReport CheckpointReport(string path, List<ReportEntry> entries)
    {
        CheckpointInfo info = Checkpoint.ReadInfo(path);
        List<(string, object)> facts =
        [
            ("parameters", Values(entries.Where(e => e.Name.StartsWith(Checkpoint.ModelPrefix, StringComparison.Ordinal)))),
            ("step", info.State is { } state ? string.Create(CultureInfo.InvariantCulture, $"{state.Step} of {info.Config.Steps}") : "weights only"),
        ];
        if (info.State?.BestValidation is { } best) { facts.Add(("best validation loss", best)); }
        facts.Add(("mel statistics", string.Create(CultureInfo.InvariantCulture, $"mean {info.Normalizer.Mean:F3}, deviation {info.Normalizer.Deviation:F3}, floor {info.Normalizer.Floor:F3}, scale {info.Normalizer.Scale}")));
        facts.Add(("classes", info.Classes.Count == 0 ? "none" : info.Classes));
        return new FileReport("I2M checkpoint", [.. facts, .. SettingsFacts(info.Config)], entries);
    }

    private static FileReport Torch(string path)
    {
        List<ReportEntry> entries = [];
        Walk("", TorchFile.Load(path), entries);
        int tensors = entries.Count(e => e.Shape is not null);
        return new FileReport("PyTorch file", [("tensors", tensors), ("values", Values(entries))], entries);
    }

    /// <summary>The tree of a PyTorch file, leaves only; an empty container is a leaf. The reader has bounded its depth.</summary>
    private static void Walk(string name, TorchValue value, List<ReportEntry> entries)
    {
        string prefix = name.Length == 0 ? "" : name + ".";
        switch (value)
        {
            case TorchTensor t: entries.Add(new ReportEntry(name, t.DType.ToString(), t.Shape)); break;
            case TorchDict { Count: > 0 } dict:
                foreach (var (key, item) in dict) { Walk(prefix + Scalar(key).Value, item, entries); }
                break;
            case TorchSequence { Count: > 0 } list:
                for (int i = 0; i < list.Count; i++) { Walk(string.Create(CultureInfo.InvariantCulture, $"{prefix}{i}"), list[i], entries); }
                break;
            default:
                var (type, text) = Scalar(value);
                entries.Add(new ReportEntry(name, type, Value: text));
                break;
        }
    }

    private static (string Type, string? Value) Scalar(TorchValue value) => value switch
    {
        TorchString s => ("str", s.Value),
        TorchInt i => ("int", i.Value.ToString(CultureInfo.InvariantCulture)),
        TorchWideInt w => ("int", $"0x{w.LittleEndianHex} (little-endian)"),
        TorchFloat f => ("float", f.Value.ToString("R", CultureInfo.InvariantCulture)),
        TorchBool b => ("bool", b.Value ? "True" : "False"),
        TorchNone => ("None", null),
        TorchDict => ("dict", "empty"),
        TorchList => ("list", "empty"),
        _ => ("tuple", "empty"),
    };

    private static FileReport Pairs(string path)
    {
        PairManifest manifest = PairManifest.Load(path);
        string[] files = [.. manifest.Pairs.SelectMany(p => new[] { p.Image, p.Audio }).Distinct()];
        string[] missing = [.. files.Where(f => !File.Exists(f))];
        string[] classes = [.. manifest.Pairs.Select(p => p.Class).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        string[] speakers = [.. manifest.Pairs.Select(p => p.Speaker).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        List<(string, object)> facts = [("pairs", manifest.Pairs.Count), ("files", files.Length), ("missing files", missing.Length)];
        if (missing.Length > 0) { facts.Add(("first missing", missing[0])); }
        facts.Add(("classes", classes.Length == 0 ? "none" : classes));
        facts.Add(("speakers", speakers.Length == 0 ? "none" : speakers));
        return new FileReport("list of picture–speech pairs", facts, []);
    }

    private static FileReport Wav(string path)
    {
        WavInfo wav = WavFile.ReadInfo(path);
        List<(string, object)> facts = [("sample rate", $"{wav.SampleRate} Hz"), ("channels", wav.Channels), ("encoding", wav.Encoding), ("frames", wav.Frames), ("seconds", (double)wav.Frames / wav.SampleRate)];
        if (wav.Comment is { } comment) { facts.Add(("comment", comment)); }
        return new FileReport("WAV sound", facts, []);
    }

    private static List<(string, object)> SettingsFacts(TrainConfig c) =>
    [
        ("model", $"{(c.Model.CompatSeed ? "compat seed, " : "")}{c.Model.Layers} blocks of {c.Model.Hidden}, {c.Model.Heads} heads, image tower of {c.Model.ImageTowerLayers}"),
        ("picture", $"{c.Model.ImageSize} px in patches of {c.Model.ImagePatch}: {c.Model.ImageTokens} tokens"),
        ("mel tokens", $"{c.Model.MelBands} × {c.Model.MelFrames} in patches of {c.Model.MelPatchBands} × {c.Model.MelPatchFrames}: {c.Model.MelTokens} tokens"),
        ("mel", MelText(c.Mel)),
        ("diffusion", string.Create(CultureInfo.InvariantCulture, $"{c.Diffusion.Prediction}, {c.Diffusion.Schedule}, {c.Diffusion.Steps} steps{(c.Diffusion.ZeroTerminalSnr ? ", zero terminal SNR" : "")}, input scale {c.Diffusion.InputScale}")),
        ("training", string.Create(CultureInfo.InvariantCulture, $"{c.Steps} steps of {c.BatchSize}×{c.Accumulation}, lr {c.LearningRate}, warm-up {c.WarmupSteps}, EMA {c.EmaDecay}, seed {c.Seed}")),
    ];

    private static string MelText(MelSettings mel) =>
        string.Create(CultureInfo.InvariantCulture, $"{mel.SampleRate} Hz, FFT {mel.FftSize}, hop {mel.HopLength}, {mel.Bands} bands, {mel.Padding} padding, floor {mel.Floor}");

    /// <summary>Values in all tensors. A shape is bounded by the file's length or was multiplied with a check when it was read.</summary>
    private static long Values(IEnumerable<ReportEntry> entries) => entries.Sum(e => e.Shape is null ? 0 : e.Shape.Aggregate(1L, (product, size) => product * size));
}
