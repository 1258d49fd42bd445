using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace I2M.Kernels;

/// <summary>
/// The tables of <see cref="TileTable"/> on disk: a file a device, driver and version of this program, in i2m/tiles of the user's cache folder
/// ($XDG_CACHE_HOME, else ~/.cache; the local application data on Windows). A file that cannot be read, or is of another device, driver or version, is ignored, and the
/// line that says what is used says so.
/// </summary>
public static class TileCache
{
    private const int Format = 2;

    /// <summary>Most characters of what is wrong with a file.</summary>
    private const int MostFault = 200;

    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(allowIntegerValues: false) },
    };

    private sealed record Contents(int Format, string Device, string Driver, string Program, DateTimeOffset Date, TileChoice<GemmTileKey>[] Products,
        TileChoice<AttentionTileKey>[] Attention);

    /// <summary>This program's version, with its commit where it is known.</summary>
    public static string Program { get; } =
        typeof(TileCache).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>The file of a device.</summary>
    public static string PathOf(DeviceInfo device) => Path.Combine(Folder(), $"{Slug(device.Name)}-{Slug(device.Detail)}-{Slug(Program)}.json");

    /// <summary>A table as it is written.</summary>
    public static byte[] Serialize(DeviceInfo device, TileTable table) =>
        JsonSerializer.SerializeToUtf8Bytes(new Contents(Format, device.Name, device.Detail, Program, DateTimeOffset.UtcNow, [.. table.Products], [.. table.Attention]), s_json);

    /// <summary>Reads the device's file if there is one.</summary>
    /// <param name="device">The device.</param>
    /// <param name="known">Whether a tile of that name exists.</param>
    /// <param name="reason">One line: which tiles are used and why.</param>
    public static TileTable Load(DeviceInfo device, Func<string, bool> known, out string reason) => Load(PathOf(device), device, known, out reason);

    /// <summary>As above, from a given file.</summary>
    public static TileTable Load(string path, DeviceInfo device, Func<string, bool> known, out string reason)
    {
        try
        {
            if (!File.Exists(path))
            {
                reason = "default tiles: not tuned for this device, driver and version (i2m bench --tune)";
                return TileTable.Defaults;
            }
            Contents read = JsonSerializer.Deserialize<Contents>(File.ReadAllBytes(path), s_json) ?? throw new JsonException("null");
            if (Fault(read, device, known) is { } fault) { return Ignored(path, fault, out reason); }
            reason = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{read.Products.Length + read.Attention.Length} tuned tiles of {read.Date:yyyy-MM-dd} from {path}");
            return new TileTable(read.Products, read.Attention);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return Ignored(path, $"it cannot be read ({e.GetType().Name})", out reason);
        }
    }

    private static TileTable Ignored(string path, string fault, out string reason)
    {
        // What the file says of itself goes to the terminal: one line, without control characters.
        string printable = new([.. fault.Where(c => !char.IsControl(c)).Take(MostFault)]);
        reason = $"default tiles: {path} is ignored: {printable}; i2m bench --tune writes it anew";
        return TileTable.Defaults;
    }

    private static string? Fault(Contents read, DeviceInfo device, Func<string, bool> known)
    {
        if (read.Format != Format) { return $"format {read.Format}, expected {Format}"; }
        if ((read.Device, read.Driver) != (device.Name, device.Detail)) { return $"it is of {read.Device} ({read.Driver})"; }
        if (read.Program != Program) { return $"it is of version {read.Program}"; }
        // The serializer checks members for null, but not the elements of an array.
        if (read.Products.Any(c => c is null) || read.Attention.Any(c => c is null)) { return "a choice is null"; }
        return read.Products.Select(c => c.Tile).Concat(read.Attention.Select(c => c.Tile)).FirstOrDefault(tile => !known(tile)) is { } strange ? $"it names the tile {strange}" : null;
    }

    private static string Folder()
    {
        string? cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (string.IsNullOrEmpty(cache) || !Path.IsPathRooted(cache))
        {
            cache = OperatingSystem.IsWindows()
                ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        }
        return Path.Combine(cache, "i2m", "tiles");
    }

    /// <summary>Lower-case words joined by hyphens.</summary>
    private static string Slug(string text) =>
        string.Join('-', new string([.. text.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : ' ')]).Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
