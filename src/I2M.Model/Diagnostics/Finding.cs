namespace I2M.Model.Diagnostics;

/// <summary>How bad a finding is.</summary>
public enum FindingLevel
{
    /// <summary>Something works less well, or a part that is optional is missing.</summary>
    Remark,
    /// <summary>Something that is needed does not work.</summary>
    Broken,
}

/// <summary>What is wrong and how to mend it, in plain words.</summary>
/// <param name="Level">How bad.</param>
/// <param name="What">What is wrong.</param>
/// <param name="Mend">What to do.</param>
public sealed record Finding(FindingLevel Level, string What, string Mend);
