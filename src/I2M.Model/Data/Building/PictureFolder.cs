using System.Text.RegularExpressions;
using I2M.Kernels;
using I2M.Model.Images;

namespace I2M.Model.Data.Building;

/// <summary>A picture that decodes.</summary>
/// <param name="Path">Full path.</param>
/// <param name="Hash">SHA-256 of the file.</param>
/// <param name="Look">Perceptual hash.</param>
internal sealed record Picture(string Path, string Hash, ulong Look);

/// <summary>A class and its pictures.</summary>
/// <param name="Folder">Name of its folder.</param>
/// <param name="Name">What is written into the pairs.</param>
/// <param name="Synset">WordNet id at the start of the folder's name; null without one.</param>
/// <param name="Pictures">In the order of their paths.</param>
internal sealed record PictureClass(string Folder, string Name, string? Synset, IReadOnlyList<Picture> Pictures)
{
    /// <summary>The name as a folder name.</summary>
    public string Key => string.Concat(Name.Select(c => char.IsLetterOrDigit(c) || c == '-' ? c : '_'));
}

/// <summary>Reads a folder of class folders. Every picture is decoded once: what does not decode is refused here, not in the middle of training.</summary>
internal static partial class PictureFolder
{
    /// <summary>Larger pictures are decoded one at a time, so that memory stays bounded however many threads there are.</summary>
    private const long LargePixels = 4_000_000;

    private static readonly Lock OneLarge = new();

    /// <summary>The classes in the order of their folders.</summary>
    /// <exception cref="I2MException">The folder is missing or holds no usable class, or two folders have one name.</exception>
    public static List<PictureClass> Read(BuildOptions options, List<RefusedFile> refused, Action<BuildProgress>? progress, CancellationToken cancel)
    {
        string root = Path.GetFullPath(options.Images!);
        if (!Directory.Exists(root)) { throw new I2MException($"{options.Images}: no such folder: expected one folder for each class"); }
        refused.AddRange(Files(root, recurse: false).Select(f => new RefusedFile(f, "lies outside the class folders")));
        List<(string Folder, string[] Files)> folders = [.. Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal).Where(d => !Path.GetFileName(d).StartsWith('.'))
            .Select(d => (Path.GetFileName(d), Files(d, recurse: true)))];
        int total = folders.Sum(f => f.Files.Length), done = 0;
        var classes = new List<PictureClass>();
        foreach (var (folder, files) in folders)
        {
            Picture?[] pictures = ReadAll(files, refused, options.Parallel(cancel), () => { int n = Interlocked.Increment(ref done); progress?.Invoke(new("reading pictures", n, total, n)); });
            Picture[] good = [.. pictures.OfType<Picture>()];
            if (good.Length == 0) { refused.Add(new RefusedFile(Path.Combine(root, folder), "no picture in this folder can be used")); }
            else { classes.Add(Describe(folder, good)); }
        }
        return Checked(classes, root);
    }

    /// <summary>Reads one picture.</summary>
    /// <exception cref="BadFileException">It cannot be used.</exception>
    public static Picture ReadPicture(string path)
    {
        ImageInfo info = ImageLoader.ReadInfo(path);
        bool large = (long)info.Width * info.Height > LargePixels;
        if (large) { OneLarge.Enter(); }
        try { return new Picture(path, Fingerprint.OfFile(path), PerceptualHash.Of(ImageLoader.Load(path))); }
        finally
        {
            if (large) { OneLarge.Exit(); }
        }
    }

    private static Picture?[] ReadAll(string[] files, List<RefusedFile> refused, ParallelOptions parallel, Action tick)
    {
        var pictures = new Picture?[files.Length];
        var reasons = new string?[files.Length];
        ParallelEach.Run(Enumerable.Range(0, files.Length), parallel, i =>
        {
            try { pictures[i] = ReadPicture(files[i]); }
            catch (I2MException e) { reasons[i] = Reason(e, files[i]); }
            tick();
        });
        refused.AddRange(files.Zip(reasons).Where(f => f.Second is not null).Select(f => new RefusedFile(f.First, f.Second!)));
        return pictures;
    }

    /// <summary>A refusal without the path it begins with.</summary>
    internal static string Reason(Exception e, string path) => e.Message.StartsWith(path + ": ", StringComparison.Ordinal) ? e.Message[(path.Length + 2)..] : e.Message;

    private static string[] Files(string folder, bool recurse) =>
        [.. Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = recurse, AttributesToSkip = FileAttributes.Hidden | FileAttributes.System })
            .Order(StringComparer.Ordinal)];

    private static PictureClass Describe(string folder, Picture[] pictures)
    {
        Match match = SynsetPattern().Match(folder);
        string? synset = match.Success ? match.Groups[1].Value : null;
        string rest = (match.Success ? match.Groups[2].Value : folder).Replace('_', ' ').Trim();
        string name = synset is not null && BuiltInClasses.BySynset.TryGetValue(synset, out var known) ? known.Name : rest.Length > 0 ? rest : folder;
        return new PictureClass(folder, name, synset, pictures);
    }

    private static List<PictureClass> Checked(List<PictureClass> classes, string root)
    {
        if (classes.Count == 0) { throw new I2MException($"{root}: no picture can be used: expected one folder of pictures for each class"); }
        foreach (var same in classes.GroupBy(c => c.Key, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1))
        {
            throw new I2MException($"{root}: the folders {string.Join(" and ", same.Select(c => c.Folder))} are both class '{same.First().Name}': expected one folder for each class");
        }
        return classes;
    }

    [GeneratedRegex(@"\A(n\d{8})(?:[_ -](.*))?\z", RegexOptions.Singleline)]
    private static partial Regex SynsetPattern();
}
