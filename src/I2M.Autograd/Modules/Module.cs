namespace I2M.Autograd.Modules;

/// <summary>
/// A part of a network with parameters and sub-modules in the order of their registration. Parameter names are paths such as
/// <c>blocks.0.attn1.in_proj_weight</c> and are the names in the checkpoint.
/// </summary>
public abstract class Module
{
    private readonly List<(string Name, Parameter Parameter)> _parameters = [];
    private readonly List<(string Name, Module Module)> _children = [];

    /// <summary>How this module and those in it compute; float32 until a <see cref="ParameterArena"/> says otherwise.</summary>
    public Precision Precision { get; private set; }

    /// <summary>All parameters, a module's own before its children's, as PyTorch orders them.</summary>
    public IEnumerable<(string Name, Parameter Parameter)> NamedParameters(string prefix = "")
    {
        foreach (var (name, parameter) in _parameters) { yield return (prefix + name, parameter); }
        foreach (var (name, child) in _children)
        {
            foreach (var entry in child.NamedParameters($"{prefix}{name}.")) { yield return entry; }
        }
    }

    /// <summary>Number of trainable values.</summary>
    public long ParameterCount => NamedParameters().Sum(p => (long)p.Parameter.Length);

    internal void Adopt(Precision precision)
    {
        Precision = precision;
        foreach (var (_, child) in _children) { child.Adopt(precision); }
    }

    /// <summary>Registers a parameter of this module.</summary>
    protected Parameter AddParameter(string name, int[] shape, Initializer initializer, bool decay = true)
    {
        var parameter = new Parameter(shape, initializer, decay);
        _parameters.Add((name, parameter));
        return parameter;
    }

    /// <summary>Registers a sub-module.</summary>
    protected T AddModule<T>(string name, T module) where T : Module
    {
        _children.Add((name, module));
        return module;
    }
}

/// <summary>Numbered sub-modules, named 0, 1, ….</summary>
public sealed class ModuleList<T> : Module where T : Module
{
    /// <summary>The modules in order.</summary>
    public IReadOnlyList<T> Items { get; }

    /// <param name="items">The modules in order.</param>
    public ModuleList(IEnumerable<T> items)
    {
        Items = [.. items];
        for (int i = 0; i < Items.Count; i++) { AddModule(i.ToString(System.Globalization.CultureInfo.InvariantCulture), Items[i]); }
    }
}
