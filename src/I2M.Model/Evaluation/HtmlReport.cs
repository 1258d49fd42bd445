using System.Net;
using System.Text;
using I2M.Kernels;
using I2M.Model.Io;

namespace I2M.Model.Evaluation;

/// <summary>One entry of a gallery: a picture, what should be and was said, and how it looks as a spectrogram.</summary>
/// <param name="Picture">PNG, JPEG or WebP bytes.</param>
/// <param name="Text">The text below the picture.</param>
/// <param name="Audio">WAV bytes, or null.</param>
/// <param name="Mel">Spectrogram picture, or null.</param>
public sealed record GalleryItem(byte[] Picture, string Text, byte[]? Audio = null, byte[]? Mel = null);

/// <summary>
/// Builds one self-contained HTML file: pictures and sounds are data URIs, there is no script and no address of any other file. All text is escaped.
/// The methods return the report, to be chained.
/// </summary>
public sealed class HtmlReport
{
    private const string Style = """
        :root { color-scheme: light dark; }
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
        h1, h2, h3 { line-height: 1.2; }
        table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
        th, td { border: 1px solid #8886; padding: 0.3rem 0.7rem; text-align: left; }
        th { background: #8882; }
        td.number { text-align: right; font-variant-numeric: tabular-nums; }
        figure { margin: 1rem 0; }
        figcaption { color: #777; overflow-wrap: anywhere; }
        img { max-width: 100%; height: auto; border-radius: 4px; }
        audio { width: 100%; max-width: 24rem; }
        .gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; }
        .gallery figure { margin: 0; padding: 0.7rem; border: 1px solid #8886; border-radius: 6px; }
        .gallery img { width: 100%; }
        """;

    private readonly StringBuilder body = new();
    private readonly string title;

    /// <param name="title">The page's title and first heading.</param>
    public HtmlReport(string title)
    {
        ArgumentNullException.ThrowIfNull(title);
        this.title = title;
        AddHeading(title, 1);
    }

    /// <summary>Adds a heading of level 1 to 4.</summary>
    public HtmlReport AddHeading(string text, int level = 2)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(level, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, 4);
        return Line($"<h{level}>{Escape(text)}</h{level}>");
    }

    /// <summary>Adds a paragraph of plain text.</summary>
    public HtmlReport AddParagraph(string text) => Line($"<p>{Escape(text)}</p>");

    /// <summary>Adds a table; cells that read as numbers are set flush right.</summary>
    /// <exception cref="I2MException">A row is longer or shorter than the header.</exception>
    public HtmlReport AddTable(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows)
    {
        Line($"<table><thead><tr>{string.Concat(header.Select(h => $"<th>{Escape(h)}</th>"))}</tr></thead><tbody>");
        foreach (IReadOnlyList<string> row in rows)
        {
            if (row.Count != header.Count)
                throw new I2MException($"report table: a row has {row.Count} cells, expected {header.Count}");
            Line($"<tr>{string.Concat(row.Select(Cell))}</tr>");
        }
        return Line("</tbody></table>");
    }

    /// <summary>Adds a picture file.</summary>
    /// <exception cref="BadFileException">The file cannot be read or is no PNG, JPEG or WebP.</exception>
    public HtmlReport AddImage(string path, string caption)
    {
        byte[] bytes = Read(path);
        return ImageType(bytes) is null ? throw new BadFileException(path, "not a PNG, JPEG or WebP picture") : AddImage(bytes, caption);
    }

    /// <summary>Adds a picture.</summary>
    /// <exception cref="I2MException">The bytes are no PNG, JPEG or WebP.</exception>
    public HtmlReport AddImage(byte[] bytes, string caption) => Line($"<figure>{Image(bytes, caption)}{Caption(caption)}</figure>");

    /// <summary>Adds a player for a WAV.</summary>
    /// <exception cref="I2MException">The bytes are no WAV.</exception>
    public HtmlReport AddAudio(byte[] wav, string caption) => Line($"<figure>{Player(wav)}{Caption(caption)}</figure>");

    /// <summary>Adds a grid of pictures, each with its text, sound and spectrogram.</summary>
    /// <exception cref="I2MException">An item's bytes are no picture or no WAV.</exception>
    public HtmlReport AddGallery(IEnumerable<GalleryItem> items)
    {
        Line("<div class=\"gallery\">");
        foreach (GalleryItem item in items)
        {
            string player = item.Audio is null ? "" : Player(item.Audio), mel = item.Mel is null ? "" : Image(item.Mel, $"spectrogram: {item.Text}");
            Line($"<figure>{Image(item.Picture, item.Text)}{player}{mel}{Caption(item.Text)}</figure>");
        }
        return Line("</div>");
    }

    /// <summary>The whole page.</summary>
    public string ToHtml() => $"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:">
        <title>{Escape(title)}</title>
        <style>
        {Style}
        </style>
        </head>
        <body>
        {body}</body>
        </html>

        """;

    /// <summary>Writes the page; the file appears whole or not at all.</summary>
    /// <exception cref="BadFileException">The file cannot be written.</exception>
    public void Save(string path) => AtomicFile.Write(path, Encoding.UTF8.GetBytes(ToHtml()));

    private HtmlReport Line(string html)
    {
        body.Append(html).Append('\n');
        return this;
    }

    private static string Escape(string text) => WebUtility.HtmlEncode(text);

    private static string Caption(string text) => $"<figcaption>{Escape(text)}</figcaption>";

    private static string Cell(string text)
    {
        string kind = double.TryParse(text.TrimEnd('%', ' '), out _) ? " class=\"number\"" : "";
        return $"<td{kind}>{Escape(text)}</td>";
    }

    private static string Image(byte[] bytes, string description)
    {
        string type = ImageType(bytes) ?? throw new I2MException($"report picture '{description}': not a PNG, JPEG or WebP");
        return $"<img alt=\"{Escape(description)}\" src=\"data:{type};base64,{Convert.ToBase64String(bytes)}\">";
    }

    private static string Player(byte[] wav) =>
        wav.AsSpan().StartsWith("RIFF"u8) && wav.Length >= 44
            ? $"<audio controls preload=\"metadata\" src=\"data:audio/wav;base64,{Convert.ToBase64String(wav)}\"></audio>"
            : throw new I2MException("report audio: not a WAV");

    /// <summary>The media type by the first bytes, not by a file's name.</summary>
    private static string? ImageType(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']))
            return "image/png";
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
            return "image/jpeg";
        return bytes.Length > 12 && bytes.StartsWith("RIFF"u8) && bytes[8..12].SequenceEqual("WEBP"u8) ? "image/webp" : null;
    }

    private static byte[] Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BadFileException(path, $"cannot be read: {error.Message.ReplaceLineEndings(" ")}", error);
        }
    }
}
