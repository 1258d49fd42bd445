using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using I2M.Autograd;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data;

namespace I2M.Cli;

/// <summary>Options that several verbs share, and numbers parsed alike everywhere: invariant culture, no surprises.</summary>
internal static class CommonOptions
{
    public static Option<string> Device() => new("--device", "-d")
    {
        Description = "Where to compute: auto, host, opencl or cuda. auto takes a GPU if there is one, else the host.",
        DefaultValueFactory = _ => "auto",
        HelpName = "device",
    };

    public static Option<int> Threads() => Integer("--threads", "Threads of the host; 0 takes one per processor.", 0, 0, 4096);

    public static Option<string?> Precision() => new("--precision")
    {
        Description = "f32 (default), tf32 (matrix products on CUDA round their factors to 10 bits) or bf16 (activations and weight copies of 16 bits; on CUDA far faster). Weights are kept in float32 in each.",
        HelpName = "name",
    };

    /// <summary>The precision that --precision names; null without the option.</summary>
    /// <exception cref="I2MException">An unknown name.</exception>
    public static Precision? PrecisionOf(string? name) => name is null ? null : PrecisionPolicy.Parse(name);

    /// <summary>Says on stderr when a precision does not bring what one may expect of it on this device.</summary>
    public static void NotePrecision(Precision precision, IBackend backend)
    {
        if (precision == Autograd.Precision.Float32 || backend.Name == "cuda") { return; }
        Console.Error.WriteLine(precision == Autograd.Precision.BFloat16
            ? $"precision bf16: saves memory but not time on {backend.Name}, which computes in float32 between the roundings"
            : $"precision tf32: {backend.Name} multiplies in full float32, as with f32");
    }

    public static Option<ulong> Seed(string what, ulong standard = 1) => new("--seed")
    {
        Description = $"Seed of {what}: the same seed gives the same result.",
        DefaultValueFactory = _ => standard,
        HelpName = "number",
        CustomParser = ParseSeed,
    };

    public static Option<ulong?> OptionalSeed(string what) => new("--seed")
    {
        Description = $"Seed of {what}: the same seed gives the same result.",
        HelpName = "number",
        CustomParser = r => ParseSeed(r),
    };

    public static Option<bool> Force() => new("--force") { Description = "Replace existing files." };

    public static Option<string?> CacheFolder() => new("--cache")
    {
        Description = "Folder for computed mels and decoded pictures; without it .i2m-cache beside the data. What is of other settings is computed again.",
        HelpName = "folder",
    };

    public static Option<double> PictureCache() => Number("--picture-cache", "Most GiB of decoded pictures kept on disk; 0 decodes every time.", 16, 0, 1e6);

    /// <summary>What the two options above say.</summary>
    public static DataOptions DataOptions(string? cacheFolder, double pictureGigabytes) => new(cacheFolder, (long)(pictureGigabytes * (1L << 30)));

    public static Option<bool> Json() => new("--json") { Description = "Print the result as JSON on stdout, for scripts." };

    public static Option<bool> Float() => new("--float") { Description = "Write 32-bit float samples, which keep peaks beyond full scale, instead of 16-bit ones." };

    /// <summary>Writes a clip, and says on stderr what was done to it.</summary>
    /// <returns>What was said; null for nothing.</returns>
    public static string? WriteWav(string path, AudioClip clip, bool isFloat, string comment)
    {
        WavEncoding encoding = isFloat ? WavEncoding.Float32 : WavEncoding.Pcm16;
        WavFile.Write(path, Loudness.Fit(clip, encoding, out string? warning), encoding, comment);
        if (warning is not null) { Console.Error.WriteLine($"warning: {path}: {warning}"); }
        return warning;
    }

    public static Option<string?> Vocoder() => new("--vocoder")
    {
        Description = "A Vocos folder (config.yaml + pytorch_model.bin, or config.json + model.safetensors) or file, or griffin-lim. Without it the built-in Vocos speaks, or Griffin-Lim where the mels are not that one's.",
        HelpName = "path",
    };

    public static Option<int> Integer(string name, string description, int standard, int low, int high) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => standard,
        HelpName = "number",
        CustomParser = r => ParseInteger(r, low, high),
    };

    public static Option<int?> OptionalInteger(string name, string description, int low, int high) => new(name)
    {
        Description = description,
        HelpName = "number",
        CustomParser = r => ParseInteger(r, low, high),
    };

    public static Option<double> Number(string name, string description, double standard, double low, double high) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => standard,
        HelpName = "number",
        CustomParser = r => ParseNumber(r, low, high),
    };

    public static Option<double?> OptionalNumber(string name, string description, double low, double high) => new(name)
    {
        Description = description,
        HelpName = "number",
        CustomParser = r => ParseNumber(r, low, high),
    };

    /// <summary>Opens the backend that --device names and says which it is on stderr.</summary>
    public static IBackend OpenBackend(string device, int threads)
    {
        IBackend backend = BackendSelector.Open(device, threads, out string reason);
        Console.Error.WriteLine($"device {reason}");
        return backend;
    }

    /// <summary>Refuses to replace a file without --force, before any work is done.</summary>
    /// <exception cref="I2MException">The file exists, or is a folder.</exception>
    public static void RequireFree(string path, bool force)
    {
        if (Directory.Exists(path)) { throw new I2MException($"{path}: is a folder; expected a file name"); }
        if (!force && File.Exists(path)) { throw new I2MException($"{path}: exists already: use --force to replace it"); }
    }

    /// <summary>The number, or null for infinity and NaN, which JSON does not have.</summary>
    public static double? Finite(double? value) => value is { } v && double.IsFinite(v) ? v : null;

    private static ulong ParseSeed(ArgumentResult result) =>
        ulong.TryParse(Token(result), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
            ? value : Refuse<ulong>(result, "a whole number from 0 to 18446744073709551615");

    private static int ParseInteger(ArgumentResult result, int low, int high) =>
        int.TryParse(Token(result), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= low && value <= high
            ? value : Refuse<int>(result, $"a whole number from {low} to {high}");

    private static double ParseNumber(ArgumentResult result, double low, double high) =>
        double.TryParse(Token(result), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double value)
            && value >= low && value <= high ? value : Refuse<double>(result, string.Create(CultureInfo.InvariantCulture, $"a number from {low} to {high}"));

    private static T? Refuse<T>(ArgumentResult result, string expected)
    {
        string option = result.Parent is OptionResult parent ? parent.Option.Name : result.Argument.Name;
        result.AddError($"{option} {Token(result)}: expected {expected}");
        return default;
    }

    private static string Token(ArgumentResult result) => result.Tokens.Count > 0 ? result.Tokens[^1].Value : "";
}
