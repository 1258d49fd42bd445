namespace I2M.PtxEmulator;

/// <summary>PTX text that the emulator does not understand: where it is and what was wrong with it.</summary>
public sealed class PtxParseException : Exception
{
    /// <summary>A message of one line: the number of the line, the text and what is wrong with it.</summary>
    public PtxParseException(int line, string text, string reason)
        : base($"PTX line {line}: {reason}: {text}")
    {
        Line = line;
        Text = text;
    }

    /// <summary>The line in the PTX text, from 1.</summary>
    public int Line { get; }

    /// <summary>The statement or word that was not understood.</summary>
    public string Text { get; }
}
