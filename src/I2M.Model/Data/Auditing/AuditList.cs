using I2M.Kernels;
using I2M.Model.Data.Building;

namespace I2M.Model.Data.Auditing;

/// <summary>Finds and reads the list of a data set.</summary>
internal static class AuditList
{
    private static readonly string[] Names = ["pairs.json", "meta_file.json"];

    /// <summary>The list that a folder holds, or the file itself: JSON, or a CSV with the columns image and audio.</summary>
    /// <exception cref="BadFileException">There is none, or it is not such a list.</exception>
    public static PairManifest Read(string path)
    {
        string list = path;
        if (Directory.Exists(path))
        {
            list = Names.Select(n => Path.Combine(path, n)).FirstOrDefault(File.Exists) ?? throw new BadFileException(path, $"holds no {string.Join(" and no ", Names)}, expected the folder of a data set");
        }
        return Path.GetExtension(list).Equals(".csv", StringComparison.OrdinalIgnoreCase) ? new PairManifest(list, OwnPairs.Read(list)) : PairManifest.Load(list);
    }
}
