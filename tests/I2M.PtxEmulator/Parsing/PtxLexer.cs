namespace I2M.PtxEmulator.Parsing;

internal enum TokenKind { Word, Number, Symbol, End }

/// <summary>A word (dots and percent signs included), a number, or one character, with its place in the text.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, int Line, int Start)
{
    public int End => Start + Text.Length;

    public bool Is(string text) => Text == text && Kind != TokenKind.End;
}

/// <summary>Cuts PTX text into tokens; comments and white space vanish.</summary>
internal sealed class PtxLexer(string source)
{
    private int _position;
    private int _line = 1;

    public List<Token> ReadAll()
    {
        var tokens = new List<Token>(source.Length / 4);
        while (SkipBlanks()) { tokens.Add(Next()); }
        tokens.Add(new Token(TokenKind.End, "end of text", _line, source.Length));
        return tokens;
    }

    private bool SkipBlanks()
    {
        while (_position < source.Length)
        {
            char c = source[_position];
            if (c == '\n') { _line++; _position++; }
            else if (char.IsWhiteSpace(c)) { _position++; }
            else if (source.AsSpan(_position).StartsWith("//")) { SkipTo("\n", 0); }
            else if (source.AsSpan(_position).StartsWith("/*")) { SkipTo("*/", 2); }
            else { return true; }
        }
        return false;
    }

    private void SkipTo(string mark, int length)
    {
        int end = source.IndexOf(mark, _position, StringComparison.Ordinal);
        end = end < 0 ? source.Length : end + length;
        _line += source.AsSpan(_position, end - _position).Count('\n');
        _position = end;
    }

    private Token Next()
    {
        int start = _position;
        char first = source[_position++];
        if (first == '"')
        {
            _position = Math.Max(_position, source.IndexOf('"', _position) + 1);
            return new Token(TokenKind.Word, source[start.._position], _line, start);
        }
        bool number = char.IsAsciiDigit(first);
        if (number || IsWordStart(first))
        {
            while (_position < source.Length && (IsWordPart(source[_position]) || IsDoubleColon(_position))) { _position += IsDoubleColon(_position) ? 2 : 1; }
            return new Token(number ? TokenKind.Number : TokenKind.Word, source[start.._position], _line, start);
        }
        return new Token(TokenKind.Symbol, source.Substring(start, 1), _line, start);
    }

    /// <summary>As in .L2::128B; a single colon ends a label.</summary>
    private bool IsDoubleColon(int at) => source[at] == ':' && at + 1 < source.Length && source[at + 1] == ':';

    private static bool IsWordStart(char c) => char.IsAsciiLetter(c) || c is '_' or '$' or '%' or '.';

    private static bool IsWordPart(char c) => IsWordStart(c) || char.IsAsciiDigit(c);
}
