using System.CommandLine;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Diffusion;
using I2M.Model.Dit;
using I2M.Model.Io;
using I2M.Model.Training;
using I2M.Model.Vocos;

namespace I2M.Cli.Commands;

/// <summary><c>i2m convert</c>: weights between PyTorch's files and safetensors.</summary>
internal static class ConvertCommand
{
    private static readonly Argument<string> Input = new("input") { Description = "The original program's .pt, a Vocos folder or its pytorch_model.bin, or a checkpoint of this program." };
    private static readonly Argument<string> Output = new("output") { Description = "A .safetensors file, or a .pt file for a checkpoint trained with --compat seed." };
    private static readonly Option<int?> Heads = CommonOptions.OptionalInteger("--heads", "Attention heads, where the .pt file does not say.", 1, 1024);
    private static readonly Option<bool> Raw = new("--raw-weights") { Description = "To .pt: the weights of the last step instead of their average." };
    private static readonly Option<bool> Force = CommonOptions.Force();

    public static Command Create()
    {
        var command = new Command("convert", "Convert weights between PyTorch's files and safetensors.\n\nExamples:\n  i2m convert best_model.pt model.safetensors\n  i2m convert run best_model.pt\n  i2m convert vocos-mel-24khz vocos.safetensors")
        {
            Input, Output, Heads, Raw, Force,
        };
        command.SetAction(int (ParseResult parse) => Run(parse));
        return command;
    }

    private static int Run(ParseResult parse)
    {
        string input = parse.GetRequiredValue(Input), output = parse.GetRequiredValue(Output);
        CommonOptions.RequireFree(output, parse.GetValue(Force));
        if (Path.GetFullPath(input) == Path.GetFullPath(output)) { throw new I2MException($"{output}: is the input too; expected another name"); }
        string what = Path.GetExtension(output).ToLowerInvariant() switch
        {
            ".safetensors" => ToSafetensors(input, output, parse.GetValue(Heads)),
            ".pt" => ToTorch(input, output, !parse.GetValue(Raw)),
            _ => throw new I2MException($"{output}: expected a name that ends in .safetensors or .pt"),
        };
        Console.Error.WriteLine(what);
        Console.WriteLine(output);
        return 0;
    }

    private static string ToSafetensors(string input, string output, int? heads)
    {
        if (Directory.Exists(input)) { return ConvertVocos(input, output); }
        if (TorchFile.Load(input) is TorchDict root && root["backbone.embed.weight"] is TorchTensor)
        {
            if (Path.GetFileName(input) != "pytorch_model.bin") { throw new BadFileException(input, "holds a Vocos: expected the name pytorch_model.bin, with config.yaml beside it"); }
            return ConvertVocos(Path.GetDirectoryName(Path.GetFullPath(input))!, output);
        }
        SeedCheckpoint seed = SeedCheckpoint.Read(input, heads);
        if (seed.Note is { } note) { Console.Error.WriteLine(note); }
        var config = new TrainConfig { Model = seed.Config, Diffusion = DiffusionConfig.CompatSeed, Mel = new MelSettings { Bands = seed.Config.MelBands }, WarmupSteps = 0, ClassLossWeight = 0 };
        Checkpoint.SaveWeights(output, seed.Weights.Select(w => (w.Name, w.Shape, w.Values)), new CheckpointInfo(config.Validated(), MelNormalizer.CompatSeed(config.Mel), [], null));
        return $"{input}: the original's model of {seed.Weights.Sum(w => (long)w.Values.Length):N0} parameters, {seed.Config.Layers} blocks of {seed.Config.Hidden}, {seed.Config.Heads} heads";
    }

    private static string ConvertVocos(string folder, string output)
    {
        using IBackend backend = BackendSelector.Open("host", 0, out _);
        using VocosVocoder vocoder = VocosLoader.Load(backend, folder);
        VocosLoader.Save(output, vocoder);
        return vocoder.Name;
    }

    private static string ToTorch(string input, string output, bool preferAverage)
    {
        string file = RunFolder.Resolve(input);
        DitConfig config = Checkpoint.ReadInfo(file).Config.Model;
        if (!config.CompatSeed) { throw new BadFileException(file, "holds this program's own model, which the original cannot load: only checkpoints trained with --compat seed become .pt"); }
        NamedWeight[] weights = [.. Checkpoint.ReadWeights(file, DitModel.Create(config), preferAverage).Select(w => new NamedWeight(w.Name, w.Shape, w.Data))];
        SeedCheckpoint.Write(output, config, weights);
        return $"{file}: {weights.Sum(w => (long)w.Values.Length):N0} parameters as the original's .pt";
    }
}
