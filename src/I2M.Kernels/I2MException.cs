namespace I2M.Kernels;

/// <summary>
/// A failure that the user can act on. The message is one line that names what is wrong, where, and what was expected;
/// the command line prints it without a stack trace and exits with 1.
/// </summary>
public class I2MException : Exception
{
    /// <summary>Creates the exception with a one-line message.</summary>
    public I2MException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>A file that cannot be used: the message is "file: field: what was expected".</summary>
public sealed class BadFileException : I2MException
{
    /// <summary>The file's path as the user gave it.</summary>
    public string Path { get; }

    /// <param name="path">The file, as the user named it.</param>
    /// <param name="problem">What is wrong and what was expected, one line without the path.</param>
    /// <param name="inner">The cause, when another exception led here.</param>
    public BadFileException(string path, string problem, Exception? inner = null) : base($"{path}: {problem}", inner) => Path = path;
}
