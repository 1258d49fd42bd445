using System.Text.RegularExpressions;
using I2M.Kernels;
using I2M.Model.Data.Drawing;
using I2M.Model.Evaluation;
using I2M.Model.Images;
using Xunit;

namespace I2M.Model.Tests.Plots;

public class HtmlReportTests
{
    private const string Evil = "<script>alert(\"1\")</script>&'";
    private static readonly byte[] Picture = PngWriter.Encode(AnimalPainter.Paint(AnimalClass.All[0], 1, 32));
    private static readonly byte[] Wav = [.. "RIFF"u8, .. new byte[60]];

    [Fact]
    public void TextIsEscapedEverywhere()
    {
        using ScratchFolder folder = new();
        File.WriteAllBytes(folder["[bad].jpg"], Picture);
        string html = new HtmlReport(Evil).AddHeading(Evil).AddParagraph(Evil).AddTable([Evil], [[Evil], ["1.5"]])
            .AddImage(folder["[bad].jpg"], "[bad].jpg").AddImage(Picture, Evil).AddAudio(Wav, Evil).AddGallery([new(Picture, Evil, Wav, Picture)]).ToHtml();
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        // Title, two headings, paragraph, two cells, two captions; the picture's description; the gallery's two descriptions and caption.
        Assert.Equal(12, Regex.Count(html, Regex.Escape("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;")));
        Assert.Contains("<figcaption>[bad].jpg</figcaption>", html);
        // The bytes are a PNG whatever the name says.
        Assert.DoesNotContain("image/jpeg", html);
        Assert.Contains("<td class=\"number\">1.5</td>", html);
    }

    [Fact]
    public void PageIsSelfContainedAndWellFormed()
    {
        using ScratchFolder folder = new();
        HtmlReport report = new HtmlReport("evaluation").AddImage(Picture, "picture").AddAudio(Wav, "speech").AddGallery([new(Picture, "hen")]);
        report.Save(folder["report.html"]);
        report.Save(folder["report.html"]);
        string html = File.ReadAllText(folder["report.html"]);
        Assert.All(Regex.Matches(html, "(?:src|href)=\"([^\"]*)").Cast<Match>(), m => Assert.StartsWith("data:", m.Groups[1].Value));
        Assert.Contains(Convert.ToBase64String(Picture), html);
        Assert.DoesNotContain("http:", html.Replace("http-equiv", "", StringComparison.Ordinal));
        foreach (string tag in (string[])["figure", "div", "body", "html", "audio", "style"])
            Assert.Equal(Regex.Count(html, $"<{tag}[ >]"), Regex.Count(html, $"</{tag}>"));
        Assert.Equal(["report.html"], folder.Files);
    }

    [Fact]
    public void WrongContentIsRefused()
    {
        using ScratchFolder folder = new();
        File.WriteAllText(folder["page.png"], "<html>");
        HtmlReport report = new("x");
        Assert.Contains("page.png", Assert.Throws<BadFileException>(() => report.AddImage(folder["page.png"], "c")).Message);
        Assert.Contains("none.png", Assert.Throws<BadFileException>(() => report.AddImage(folder["none.png"], "c")).Message);
        Assert.Throws<I2MException>(() => report.AddAudio([1, 2, 3], "c"));
        Assert.Throws<I2MException>(() => report.AddTable(["a", "b"], [["1"]]));
        Assert.ThrowsAny<I2MException>(() => report.Save(folder["page.png/report.html"]));
    }
}
