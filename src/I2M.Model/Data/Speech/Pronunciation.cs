using System.Text;

namespace I2M.Model.Data.Speech;

/// <summary>
/// English letters to phoneme symbols: a short list of words that follow no rule, then the longest matching spelling.
/// Good for short plain sentences; stress is not modelled.
/// </summary>
internal static class Pronunciation
{
    private const string Vowels = "aeiouy";

    private static readonly Dictionary<string, string> Words = new()
    {
        ["a"] = "ax",
        ["an"] = "ax n",
        ["the"] = "dh ax",
        ["of"] = "ax v",
        ["to"] = "t uw",
        ["is"] = "ih z",
        ["are"] = "aa r",
        ["with"] = "w ih dh",
        ["and"] = "ax n d",
        ["from"] = "f r ah m",
        ["that"] = "dh ae t",
        ["this"] = "dh ih s",
        ["has"] = "hh ae z",
        ["its"] = "ih t s",
        ["one"] = "w ah n",
        ["two"] = "t uw",
        ["gives"] = "g ih v z",
        ["great"] = "g r ey t",
        ["bright"] = "b r ay t",
        ["white"] = "w ay t",
        ["above"] = "ax b ah v",
        ["below"] = "b ih l ow",
        ["flowing"] = "f l ow ih ng",
        ["eye"] = "ay",
        ["goldfish"] = "g ow l d f ih sh",
        ["golden"] = "g ow l d ax n",
        ["gold"] = "g ow l d",
        ["orange"] = "ao r ih n jh",
        ["tench"] = "t eh n ch",
        ["olive"] = "aa l ih v",
        ["tiger"] = "t ay g er",
        ["shark"] = "sh aa r k",
        ["hammer"] = "hh ae m er",
        ["hammerhead"] = "hh ae m er hh eh d",
        ["head"] = "hh eh d",
        ["headed"] = "hh eh d ih d",
        ["electric"] = "ih l eh k t r ih k",
        ["stingray"] = "s t ih ng r ey",
        ["diamond"] = "d ay m ax n d",
        ["rooster"] = "r uw s t er",
        ["ostrich"] = "ao s t r ih ch",
        ["proud"] = "p r aw d",
        ["round"] = "r aw n d",
        ["yard"] = "y aa r d",
        ["quiet"] = "k w ay ax t",
        ["tail"] = "t ey l",
        ["tall"] = "t ao l",
        ["small"] = "s m ao l",
        ["crowing"] = "k r ow ih ng",
        ["brown"] = "b r aw n",
        ["comb"] = "k ow m",
        ["wide"] = "w ay d",
        ["huge"] = "hh y uw jh",
        ["pond"] = "p aa n d",
        ["long"] = "l ao ng",
        ["bird"] = "b er d",
        ["legs"] = "l eh g z",
        ["bars"] = "b aa r z",
        ["fins"] = "f ih n z",
        ["shaped"] = "sh ey p t",
        ["striped"] = "s t r ay p t",
        ["shocks"] = "sh aa k s",
    };

    private static readonly string[] Digits = ["zero", "one", "two", "three", "for", "five", "six", "seven", "ate", "nine"];

    /// <summary>Spelling, phonemes; longer spellings win. '^' at the start binds to the word's beginning, '$' at the end to its end.</summary>
    private static readonly (string Spelling, string Phonemes)[] Rules = Sorted(
        "eigh ey,ough ow,tion sh ax n,igh ay,tch ch,dge jh,sch s k,ch ch,sh sh,th th,ph f,wh w,ck k,ng ng,qu k w,^kn n,^wr r,gh ,ee iy,"
        + "ea iy,oo uw,ou aw,ow ow,oi oy,oy oy,ai ey,ay ey,au ao,aw ao,ar aa r,er er,ir er,ur er,or ao r,ew uw,ie iy,oa ow,ue uw,ce s,"
        + "ci s ih,cy s iy,ge jh,^y y,y$ iy,le$ ax l,ed$ d,es$ z,e$ ,x k s,a ae,b b,c k,d d,e eh,f f,g g,h hh,i ih,j jh,k k,l l,m m,n n,"
        + "o aa,p p,q k,r r,s s,t t,u ah,v v,w w,y ih,z z");

    private static readonly Dictionary<char, string> LongVowels = new() { ['a'] = "ey", ['e'] = "iy", ['i'] = "ay", ['o'] = "ow", ['u'] = "uw", ['y'] = "ay" };

    /// <summary>The phoneme symbols of a text; " " between words, "," for a pause. Letters outside a–z are left out.</summary>
    public static List<string> Of(string text)
    {
        List<string> phonemes = [];
        foreach (string token in Tokens(text))
        {
            if (token == ",")
                phonemes.Add(",");
            else
            {
                phonemes.AddRange(Word(token));
                phonemes.Add(" ");
            }
        }
        return phonemes;
    }

    private static IEnumerable<string> Tokens(string text)
    {
        StringBuilder word = new();
        foreach (char c in text.ToLowerInvariant() + ' ')
        {
            if (c is >= 'a' and <= 'z')
            {
                word.Append(c);
                continue;
            }
            if (c == '\'')
                continue;
            if (word.Length > 0)
                yield return word.ToString();
            word.Clear();
            if (c is >= '0' and <= '9')
                yield return Digits[c - '0'];
            else if (c is ',' or '.' or ';' or ':' or '!' or '?')
                yield return ",";
        }
    }

    private static IEnumerable<string> Word(string word)
    {
        if (Words.TryGetValue(word, out string? known))
            return known.Split(' ');
        List<string> phonemes = [];
        for (int at = 0; at < word.Length;)
            at += Spell(word, at, phonemes);
        return phonemes;
    }

    /// <summary>Reads one spelling at a position; returns its number of letters.</summary>
    private static int Spell(string word, int at, List<string> phonemes)
    {
        // "ake", "ine": a vowel, one consonant and a final silent e make the vowel long.
        if (at + 3 == word.Length && word[^1] == 'e' && Vowels.Contains(word[at]) && !Vowels.Contains(word[at + 1]))
        {
            phonemes.Add(LongVowels[word[at]]);
            return 1;
        }
        // A doubled consonant sounds once.
        if (at > 0 && word[at] == word[at - 1] && !Vowels.Contains(word[at]))
            return 1;
        foreach ((string spelling, string sounds) in Rules)
        {
            string letters = spelling.Trim('^', '$');
            if (string.CompareOrdinal(word, at, letters, 0, letters.Length) != 0
                || spelling[0] == '^' && at > 0
                || spelling[^1] == '$' && (at == 0 || at + letters.Length != word.Length))
                continue;
            phonemes.AddRange(sounds.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            return letters.Length;
        }
        return 1;
    }

    private static (string, string)[] Sorted(string rules) =>
        [.. rules.Split(',').Select(rule => rule.Split(' ', 2)).Select(parts => (parts[0], parts[1])).OrderByDescending(rule => rule.Item1.Length)];
}
