using I2M.Kernels;

namespace I2M.Model.Benchmarks;

/// <summary>A named case.</summary>
/// <param name="Name">Its name; what stands before the first underscore of a device's case is its group, such as g1.</param>
/// <param name="Create">Makes it.</param>
public sealed record BenchmarkEntry(string Name, Func<IBackend, BenchmarkCase> Create)
{
    /// <summary>The part of the name before the first underscore.</summary>
    public string Group => Name.Split('_')[0];
}

/// <summary>The cases that a device has.</summary>
public sealed class BenchmarkSuite
{
    private readonly IReadOnlyList<BenchmarkEntry> _cases;
    private readonly string _device;

    /// <param name="device">Backend's name, for messages.</param>
    /// <param name="cases">All, in the order in which they run.</param>
    /// <param name="standard">Those that run unless told otherwise.</param>
    public BenchmarkSuite(string device, IReadOnlyList<BenchmarkEntry> cases, IReadOnlyList<string> standard)
    {
        (_device, _cases, Standard) = (device, cases, standard);
        Names = [.. cases.Select(c => c.Name)];
    }

    /// <summary>All names, in the order in which they run.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The names that run unless told otherwise.</summary>
    public IReadOnlyList<string> Standard { get; }

    /// <summary>The cases of a comma-separated list of names and groups; "all" takes every one, null the standard ones.</summary>
    /// <exception cref="I2MException">An unknown name: lists the known ones.</exception>
    public IReadOnlyList<string> Select(string? names)
    {
        if (names is null) { return Standard; }
        string[] chosen = names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (chosen.Length == 0) { throw Unknown(names); }
        if (chosen.Contains("all")) { return Names; }
        return [.. chosen.SelectMany(Expand).Distinct()];
    }

    /// <summary>Makes a case.</summary>
    /// <exception cref="I2MException">Unknown name.</exception>
    public Func<IBackend, BenchmarkCase> Get(string name) => _cases.FirstOrDefault(c => c.Name == name)?.Create ?? throw Unknown(name);

    private string[] Expand(string chosen)
    {
        if (Names.Contains(chosen)) { return [chosen]; }
        string[] group = [.. _cases.Where(c => c.Group == chosen && IsGroup(chosen)).Select(c => c.Name)];
        return group.Length > 0 ? group : throw Unknown(chosen);
    }

    private static bool IsGroup(string name) => name.Length > 1 && name[0] == 'g' && name.Skip(1).All(char.IsAsciiDigit);

    private I2MException Unknown(string name)
    {
        string groups = string.Join(",", _cases.Select(c => c.Group).Where(IsGroup).Distinct());
        return new I2MException($"--cases {name}: {_device} has no such case: expected all or some of {(groups.Length > 0 ? $"{groups} (groups), " : "")}{string.Join(",", Names)}");
    }
}
