using System.Globalization;
using I2M.Model.Data.Drawing;

namespace I2M.Model.Data.Speech;

/// <summary>
/// Endless different sentences of everyday words, numbers and the drawn animals' descriptions, for speech that trains a vocoder: it needs every sound in every
/// neighbourhood, not sense.
/// </summary>
internal static class SentenceWriter
{
    private static readonly string[] s_names = ["Anna", "Thomas", "the teacher", "my sister", "the old man", "our neighbour", "a young girl", "the captain", "the farmer", "your brother", "George", "the judge", "a boy from the village", "Zoe", "the choir"];
    private static readonly string[] s_verbs = ["bought", "found", "measured", "washed", "carried", "painted", "forgot", "described", "watched", "threw", "fixed", "sold", "brought back", "counted", "chose", "enjoyed", "heard about", "laughed at", "pushed", "reached for"];
    private static readonly string[] s_adjectives = ["yellow", "quiet", "huge", "broken", "beautiful", "strange", "heavy", "cheap", "wooden", "bright", "narrow", "fresh", "smooth", "ancient", "purple", "thirsty", "sharp", "sleepy", "golden", "vague"];
    private static readonly string[] s_things = ["bridge", "apple", "garden", "window", "shoe", "jacket", "church", "measure of oil", "piece of cheese", "thunderstorm", "vision", "kitchen", "ship", "book", "road", "village", "orange juice", "feather", "zebra", "treasure", "radio", "bath", "yacht", "glove", "mountain"];
    private static readonly string[] s_places = ["near the river", "behind the house", "in the city", "under a tall tree", "on the beach", "at the station", "beyond the hills", "in the north", "by the fire", "across the square", "inside the museum", "outside the school"];
    private static readonly string[] s_times = ["yesterday", "in the morning", "last week", "every Thursday", "long ago", "at noon", "before the rain", "this year", "after supper", "in July", "just now", "twice a month"];
    private static readonly string[] s_openings = ["Perhaps", "However", "Of course", "Then", "Still", "Unfortunately", "Between us", "As usual", "Oh", "Yes"];

    /// <summary>The next sentence.</summary>
    public static string Write(ref PhiloxRandom random) => random.Next(8) switch
    {
        0 => $"{Upper(Pick(ref random, s_names))} {Pick(ref random, s_verbs)} {Number(ref random)} {Pick(ref random, s_adjectives)} things {Pick(ref random, s_times)}.",
        1 => $"Did {Pick(ref random, s_names)} really see {Description(ref random)} {Pick(ref random, s_places)}?",
        2 => $"{Pick(ref random, s_openings)}, {Pick(ref random, s_names)} {Pick(ref random, s_verbs)} {Thing(ref random)}, and {Pick(ref random, s_names)} {Pick(ref random, s_verbs)} {Thing(ref random)}.",
        3 => $"{Upper(Thing(ref random))} costs {Number(ref random)} dollars and {random.Next(100)} cents {Pick(ref random, s_times)}.",
        4 => $"This is {Description(ref random)}.",
        5 => $"{Upper(Pick(ref random, s_places))} there was {Thing(ref random)}, {Thing(ref random)} and {Description(ref random)}.",
        6 => $"{Upper(Pick(ref random, s_names))} {Pick(ref random, s_verbs)} {Thing(ref random)} {Pick(ref random, s_places)} {Pick(ref random, s_times)}!",
        _ => $"{Upper(Description(ref random))} is what {Pick(ref random, s_names)} {Pick(ref random, s_verbs)} {Pick(ref random, s_places)}.",
    };

    private static string Thing(ref PhiloxRandom random) => $"the {Pick(ref random, s_adjectives)} {Pick(ref random, s_things)}";

    private static string Description(ref PhiloxRandom random)
    {
        AnimalClass animal = AnimalClass.All[random.Next(AnimalClass.All.Count)];
        return animal.Descriptions[random.Next(animal.Descriptions.Count)];
    }

    /// <summary>Small numbers as often as large ones.</summary>
    private static string Number(ref PhiloxRandom random) =>
        ((int)Math.Pow(10, random.NextDouble(0.3, 6))).ToString(CultureInfo.InvariantCulture);

    private static string Pick(ref PhiloxRandom random, string[] words) => words[random.Next(words.Length)];

    private static string Upper(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
