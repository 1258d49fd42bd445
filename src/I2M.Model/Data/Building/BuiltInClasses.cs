namespace I2M.Model.Data.Building;

/// <summary>
/// Names and short spoken descriptions of the ImageNet classes that people try first: the ten animals of the original program and the ten classes of
/// Imagenette. Every text is under two seconds at normal speed, so that three seconds hold it at speed 0.75.
/// </summary>
internal static class BuiltInClasses
{
    /// <summary>By WordNet id.</summary>
    public static IReadOnlyDictionary<string, (string Name, string[] Texts)> BySynset { get; } = new Dictionary<string, (string, string[])>
    {
        ["n01440764"] = ("tench", ["a plump olive tench", "a green tench with a red eye", "a tench from the pond", "a tench in the grass", "this fish is a tench"]),
        ["n01443537"] = ("goldfish", ["a bright orange goldfish", "a goldfish with long fins", "a small golden goldfish", "a goldfish in a bowl", "this fish is a goldfish"]),
        ["n01484850"] = ("great white shark", ["a great white shark", "a huge great white shark", "a great white, grey above", "the great white shows its teeth", "this is a great white shark"]),
        ["n01491361"] = ("tiger shark", ["a striped tiger shark", "a tiger shark with dark bars", "a tiger shark on the hunt", "a tiger shark in blue water", "this is a tiger shark"]),
        ["n01494475"] = ("hammerhead", ["a hammerhead shark", "a hammerhead in the deep", "a shark with a hammer head", "a hammerhead above the sand", "this is a hammerhead"]),
        ["n01496331"] = ("electric ray", ["a round electric ray", "a spotted electric ray", "a ray that gives shocks", "an electric ray on the sand", "this is an electric ray"]),
        ["n01498041"] = ("stingray", ["a flat stingray", "a stingray with a thin tail", "a diamond shaped stingray", "a stingray glides along", "this is a stingray"]),
        ["n01514668"] = ("rooster", ["a proud red rooster", "a rooster with a tall comb", "a crowing rooster", "a rooster in the morning", "this bird is a rooster"]),
        ["n01514859"] = ("hen", ["a plump brown hen", "a hen in the yard", "a quiet round hen", "a hen looks for grain", "this bird is a hen"]),
        ["n01518878"] = ("ostrich", ["a tall ostrich", "an ostrich on long legs", "an ostrich with a long neck", "an ostrich on the plain", "this bird is an ostrich"]),
        ["n02102040"] = ("English springer", ["an English springer", "a springer spaniel outdoors", "a spotted springer spaniel", "a springer with long ears", "this dog is an English springer"]),
        ["n02979186"] = ("cassette player", ["an old cassette player", "a cassette player with buttons", "a tape deck from the eighties", "a cassette player on a table", "this is a cassette player"]),
        ["n03000684"] = ("chain saw", ["a loud chain saw", "a chain saw cuts the wood", "a chain saw with sharp teeth", "a chain saw in the forest", "this is a chain saw"]),
        ["n03028079"] = ("church", ["an old stone church", "a church with a high tower", "a church in the village", "a white church by the road", "this building is a church"]),
        ["n03394916"] = ("French horn", ["a golden French horn", "a French horn made of brass", "a French horn in a concert", "someone plays the French horn", "this is a French horn"]),
        ["n03417042"] = ("garbage truck", ["a big garbage truck", "a garbage truck in the street", "a garbage truck picks up bins", "a heavy garbage truck", "this is a garbage truck"]),
        ["n03425413"] = ("gas pump", ["an old gas pump", "a gas pump with a hose", "a gas pump at the station", "a gas pump by the road", "this is a gas pump"]),
        ["n03445777"] = ("golf ball", ["a small white golf ball", "a golf ball on the grass", "a golf ball near the hole", "a golf ball with dimples", "this is a golf ball"]),
        ["n03888257"] = ("parachute", ["an open parachute", "a parachute in the sky", "a colourful parachute", "a parachute floats down", "this is a parachute"]),
    };

    /// <summary>Texts for a class that nobody described: its name in a few phrases.</summary>
    public static string[] TextsFor(string name)
    {
        string article = name.Length > 0 && "aeiouAEIOU".Contains(name[0], StringComparison.Ordinal) ? "an" : "a";
        return [$"{article} {name}", $"this is {article} {name}", $"a picture of {article} {name}", $"here is {article} {name}", $"I can see {article} {name}"];
    }
}
