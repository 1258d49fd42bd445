using I2M.Kernels;

namespace I2M.Model.Data.Drawing;

/// <summary>One of the ten animals that the product learns to name.</summary>
/// <param name="Name">The English name, lower case.</param>
/// <param name="Synset">The WordNet id that ImageNet uses as a folder name.</param>
/// <param name="Descriptions">Two or three short spoken descriptions, each under two seconds at normal speed; the first is the main one.</param>
public sealed record AnimalClass(string Name, string Synset, IReadOnlyList<string> Descriptions)
{
    /// <summary>The ten classes in ImageNet's order; the position is the label.</summary>
    public static IReadOnlyList<AnimalClass> All { get; } =
    [
        new("tench", "n01440764", ["a plump olive tench", "a green tench with a red eye", "a tench from the pond"]),
        new("goldfish", "n01443537", ["a bright orange goldfish", "a goldfish with long fins", "a small golden goldfish"]),
        new("great white shark", "n01484850", ["a great white shark", "a huge shark with sharp teeth", "a great white, grey above"]),
        new("tiger shark", "n01491361", ["a striped tiger shark", "a shark with dark bars", "a tiger shark on the hunt"]),
        new("hammerhead", "n01494475", ["a hammerhead shark", "a hammerhead in the deep", "a shark with a hammer head"]),
        new("electric ray", "n01496331", ["a round electric ray", "a spotted electric ray", "a ray that gives shocks"]),
        new("stingray", "n01498041", ["a flat stingray", "a stingray with a thin tail", "a diamond shaped stingray"]),
        new("rooster", "n01514668", ["a proud red rooster", "a rooster with a tall red comb", "a crowing rooster"]),
        new("hen", "n01514859", ["a plump brown hen", "a hen in the yard", "a quiet round hen"]),
        new("ostrich", "n01518878", ["a tall ostrich", "an ostrich on long legs", "a big bird with a long neck"]),
    ];

    /// <summary>The class with this name or synset id.</summary>
    /// <exception cref="I2MException">No class is called so.</exception>
    public static AnimalClass Find(string nameOrSynset) =>
        All.FirstOrDefault(c => c.Name.Equals(nameOrSynset, StringComparison.OrdinalIgnoreCase) || c.Synset == nameOrSynset)
        ?? throw new I2MException($"animal class: '{nameOrSynset}' is not one of {string.Join(", ", All.Select(c => c.Name))}");
}
