using System.Security.Cryptography;
using System.Text;
using I2M.Model.Training;

namespace I2M.Model.Data;

/// <summary>Where a data set's pairs lie: single files that a list names, or shards. Reading is safe from several threads.</summary>
internal abstract class PairStore : IDisposable
{
    /// <summary>Number of pairs.</summary>
    public abstract int Count { get; }

    /// <summary>The pairs of a list; empty for packed ones, whose texts stay in the shards.</summary>
    public virtual IReadOnlyList<Pair> Pairs => [];

    /// <summary>Indices to learn from and to hold out.</summary>
    public abstract DataSplit Split { get; }

    /// <summary>Class names in the order of their indices; empty where a pair has no class.</summary>
    public abstract IReadOnlyList<string> Classes { get; }

    /// <summary>Class index of a pair; −1 without classes.</summary>
    public abstract int ClassOf(int pair);

    /// <summary>SHA-256 of a pair's picture file.</summary>
    public abstract string PictureHash(int pair);

    /// <summary>SHA-256 of a pair's sound.</summary>
    public abstract string SoundHash(int pair);

    /// <summary>Number of the pair's picture among the different ones.</summary>
    public abstract int PictureRecord(int pair);

    /// <summary>What to call a pair's picture in messages.</summary>
    public abstract string PictureName(int pair);

    /// <summary>Reads a pair's log-mel.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="values">[bands, frames].</param>
    public abstract void ReadMel(int pair, Span<float> values);

    /// <summary>Reads a pair's picture file.</summary>
    public abstract void ReadPicture(int pair, StoredSample sample);

    /// <summary>The pairs of an epoch, from some place on.</summary>
    /// <param name="data">Reads them.</param>
    /// <param name="config">Seed and sizes.</param>
    /// <param name="first">Number of the first sample in the run.</param>
    public abstract ISampleFeed OpenFeed(PairDataset data, TrainConfig config, long first);

    /// <summary>What decides the order of the samples besides seed and pairs, as text.</summary>
    protected virtual string Layout => "";

    /// <summary>Hash over all files' contents, what is said of the pairs, and the layout.</summary>
    public string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < Count; i++)
        {
            string name = ClassOf(i) is >= 0 and var c ? Classes[c] : Pairs.Count > 0 ? Pairs[i].Class ?? "" : "";
            hash.AppendData(Encoding.UTF8.GetBytes((i == 0 ? "" : "\n") + PictureHash(i) + SoundHash(i) + name));
            if (Pairs.Count > 0 && Pairs[i].Split is { } part) { hash.AppendData(Encoding.UTF8.GetBytes("\t" + part)); }
        }
        hash.AppendData(Encoding.UTF8.GetBytes(Layout));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>Gives the samples of a run one after another.</summary>
internal interface ISampleFeed
{
    /// <summary>Exchanges a sample that is no longer needed for the next one, which may be still to be loaded; gives its epoch.</summary>
    long Next(ref StoredSample sample);
}
