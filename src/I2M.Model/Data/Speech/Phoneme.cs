namespace I2M.Model.Data.Speech;

/// <summary>
/// What the vocal tract does during one speech sound. Vowel formants: Peterson and Barney, "Control methods used in a study of the vowels", 1952 (men).
/// </summary>
/// <param name="Milliseconds">Length at normal speed.</param>
/// <param name="F1">First formant, Hz; likewise F2 and F3.</param>
/// <param name="F2">Second formant, Hz.</param>
/// <param name="F3">Third formant, Hz.</param>
/// <param name="Voice">Amplitude of the glottal source.</param>
/// <param name="Breath">Amplitude of noise through the formants (aspiration).</param>
/// <param name="Hiss">Amplitude of noise made at the constriction (frication).</param>
/// <param name="HissHz">Centre of that noise.</param>
/// <param name="HissWidth">Its bandwidth, Hz.</param>
internal readonly record struct Phoneme(
    float Milliseconds, float F1, float F2, float F3, float Voice = 1, float Breath = 0, float Hiss = 0, float HissHz = 4000, float HissWidth = 2000)
{
    /// <summary>The sounds that a symbol stands for: diphthongs, stops and affricates are sequences.</summary>
    public static IReadOnlyDictionary<string, Phoneme[]> Inventory { get; } = new Dictionary<string, Phoneme[]>
    {
        ["iy"] = [new(120, 270, 2290, 3010)],
        ["ih"] = [new(80, 390, 1990, 2550)],
        ["eh"] = [new(95, 530, 1840, 2480)],
        ["ae"] = [new(125, 660, 1720, 2410)],
        ["aa"] = [new(125, 730, 1090, 2440)],
        ["ao"] = [new(125, 570, 840, 2410)],
        ["uh"] = [new(85, 440, 1020, 2240)],
        ["uw"] = [new(120, 300, 870, 2240)],
        ["ah"] = [new(90, 640, 1190, 2390)],
        ["ax"] = [new(60, 500, 1400, 2400, 0.8f)],
        ["er"] = [new(125, 490, 1350, 1690)],
        ["ey"] = [new(70, 500, 1880, 2500), new(70, 330, 2200, 2800)],
        ["ay"] = [new(85, 730, 1150, 2440), new(75, 370, 2050, 2600)],
        ["oy"] = [new(85, 570, 840, 2410), new(75, 370, 2050, 2600)],
        ["aw"] = [new(85, 730, 1200, 2440), new(75, 420, 900, 2300)],
        ["ow"] = [new(75, 540, 1000, 2300), new(75, 360, 800, 2250)],
        ["w"] = [new(55, 300, 650, 2200, 0.7f)],
        ["y"] = [new(50, 270, 2250, 3000, 0.7f)],
        ["r"] = [new(60, 380, 1150, 1550, 0.75f)],
        ["l"] = [new(60, 370, 1000, 2700, 0.75f)],
        ["m"] = [new(70, 250, 1000, 2200, 0.4f)],
        ["n"] = [new(65, 250, 1550, 2500, 0.4f)],
        ["ng"] = [new(75, 250, 2050, 2600, 0.4f)],
        ["hh"] = [new(55, 500, 1500, 2500, 0, 0.5f)],
        ["f"] = [new(90, 350, 1100, 2200, 0, 0.05f, 0.12f, 6500, 5000)],
        ["th"] = [new(85, 350, 1400, 2500, 0, 0.05f, 0.09f, 7500, 5000)],
        ["s"] = [new(105, 350, 1700, 2600, 0, 0, 0.45f, 7000, 2200)],
        ["sh"] = [new(105, 350, 1900, 2500, 0, 0, 0.5f, 3400, 1400)],
        ["v"] = [new(60, 280, 1100, 2200, 0.5f, 0, 0.06f, 6500, 5000)],
        ["dh"] = [new(50, 280, 1400, 2500, 0.5f, 0, 0.05f, 7500, 5000)],
        ["z"] = [new(75, 280, 1700, 2600, 0.4f, 0, 0.25f, 7000, 2200)],
        ["zh"] = [new(75, 280, 1900, 2500, 0.4f, 0, 0.25f, 3400, 1400)],
        ["p"] = [new(60, 300, 800, 2200, 0), new(12, 300, 800, 2200, 0, 0.1f, 0.35f, 1000, 1500), new(30, 400, 1000, 2300, 0, 0.35f)],
        ["t"] = [new(55, 300, 1750, 2600, 0), new(14, 300, 1750, 2600, 0, 0.1f, 0.6f, 4800, 2500), new(32, 400, 1750, 2600, 0, 0.35f)],
        ["k"] = [new(60, 300, 1900, 2300, 0), new(18, 300, 1900, 2300, 0, 0.1f, 0.55f, 2100, 900), new(36, 400, 1800, 2300, 0, 0.35f)],
        ["b"] = [new(55, 200, 800, 2200, 0.14f), new(10, 250, 800, 2200, 0.3f, 0, 0.2f, 900, 1500)],
        ["d"] = [new(50, 200, 1750, 2600, 0.14f), new(10, 250, 1750, 2600, 0.3f, 0, 0.3f, 4500, 2500)],
        ["g"] = [new(55, 200, 1900, 2300, 0.14f), new(14, 250, 1900, 2300, 0.3f, 0, 0.3f, 2000, 900)],
        ["ch"] = [new(55, 300, 1850, 2500, 0), new(80, 350, 1900, 2500, 0, 0, 0.55f, 3600, 1600)],
        ["jh"] = [new(50, 200, 1850, 2500, 0.14f), new(55, 280, 1900, 2500, 0.3f, 0, 0.35f, 3500, 1600)],
        [" "] = [new(18, 500, 1500, 2500, 0)],
        [","] = [new(160, 500, 1500, 2500, 0)],
    };

    /// <summary>Whether the symbol is the core of a syllable.</summary>
    public static bool IsVowel(string symbol) => symbol[0] is 'a' or 'e' or 'i' or 'o' or 'u';
}
