namespace I2M.Kernels;

/// <summary>A backend whose work runs on threads of this program.</summary>
public interface IProcessorThreads
{
    /// <summary>Threads that compute, the caller included.</summary>
    int Threads { get; }
}
