using I2M.Autograd.Modules;
using I2M.Kernels;

namespace I2M.Model.Io;

/// <summary>A model's parameter with its values.</summary>
/// <param name="Name">The parameter's name in the model.</param>
/// <param name="Shape">Sizes, outermost first.</param>
/// <param name="Values">Row-major.</param>
public sealed record NamedWeight(string Name, int[] Shape, float[] Values);

/// <summary>A tensor of a weight file, read when asked for.</summary>
/// <param name="Name">Its name in the file, for messages.</param>
/// <param name="Shape">Its dimensions.</param>
/// <param name="Read">Gives the values, row-major.</param>
internal sealed record StoredWeight(string Name, IReadOnlyList<long> Shape, Func<float[]> Read);

/// <summary>
/// The tensors of a safetensors or PyTorch file under the names of a model, and their comparison with its parameters: every parameter must be there
/// with its shape and finite values, and nothing else.
/// </summary>
internal static class WeightTable
{
    /// <summary>All tensors of an open file.</summary>
    /// <param name="path">The file's name, for messages.</param>
    /// <param name="file">The file; it stays open until the values are read.</param>
    /// <param name="rename">Name in the file → name in the model.</param>
    /// <exception cref="BadFileException">Two tensors have the same name in the model.</exception>
    public static Dictionary<string, StoredWeight> Of(string path, SafetensorsFile file, Func<string, string> rename) =>
        Index(path, rename, file.Tensors.Select(pair => new StoredWeight(pair.Key, pair.Value.Shape, () => file.ReadSingles(pair.Key))));

    /// <summary>All tensors of a state dict; values of other kinds are passed over.</summary>
    /// <exception cref="BadFileException">Two tensors have the same name in the model.</exception>
    public static Dictionary<string, StoredWeight> Of(string path, TorchDict state, Func<string, string> rename) =>
        Index(path, rename, from pair in state
                            where pair.Key is TorchString && pair.Value is TorchTensor
                            select new StoredWeight(((TorchString)pair.Key).Value, ((TorchTensor)pair.Value).Shape, ((TorchTensor)pair.Value).ToSingles));

    /// <summary>Reads every parameter of <paramref name="module"/>, in the order of registration.</summary>
    /// <exception cref="BadFileException">A tensor is missing, superfluous, of another shape or not finite; the message names it.</exception>
    public static List<NamedWeight> Read(string path, Module module, IReadOnlyDictionary<string, StoredWeight> stored)
    {
        List<(string Name, Parameter Parameter)> parameters = [.. module.NamedParameters()];
        foreach (var (name, parameter) in parameters)
        {
            if (!stored.TryGetValue(name, out StoredWeight? weight)) { throw new BadFileException(path, $"tensor '{name}': expected with shape {Text(parameter.Shape)}, but absent"); }
            if (!weight.Shape.SequenceEqual(parameter.Shape.Select(size => (long)size)))
            {
                throw Bad(path, weight, $"shape {Text(weight.Shape)}: expected {Text(parameter.Shape)}");
            }
        }
        HashSet<string> known = [.. parameters.Select(p => p.Name)];
        if (stored.FirstOrDefault(pair => !known.Contains(pair.Key)).Value is { } stray) { throw Bad(path, stray, $"shape {Text(stray.Shape)}: the model has no such parameter"); }
        return [.. parameters.Select(p => new NamedWeight(p.Name, p.Parameter.Shape, Finite(path, stored[p.Name])))];
    }

    /// <summary>A problem with one tensor.</summary>
    public static BadFileException Bad(string path, StoredWeight weight, string problem) => new(path, $"tensor '{InputFile.OneLine(weight.Name)}': {problem}");

    private static Dictionary<string, StoredWeight> Index(string path, Func<string, string> rename, IEnumerable<StoredWeight> weights)
    {
        var index = new Dictionary<string, StoredWeight>();
        foreach (StoredWeight weight in weights)
        {
            if (!index.TryAdd(rename(weight.Name), weight)) { throw Bad(path, weight, $"is there twice, as '{InputFile.OneLine(index[rename(weight.Name)].Name)}' too"); }
        }
        return index;
    }

    private static float[] Finite(string path, StoredWeight weight)
    {
        float[] values = weight.Read();
        int bad = Array.FindIndex(values, v => !float.IsFinite(v));
        return bad < 0 ? values : throw Bad(path, weight, $"value {bad} is {values[bad]}: expected finite numbers");
    }

    private static string Text<T>(IEnumerable<T> shape) => $"[{string.Join(", ", shape)}]";
}
