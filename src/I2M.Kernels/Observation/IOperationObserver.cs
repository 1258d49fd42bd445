namespace I2M.Kernels.Observation;

/// <summary>Sees every operation that passes through a backend of <see cref="ObservedBackend"/>.</summary>
public interface IOperationObserver
{
    /// <summary>Before the operation is handed on.</summary>
    void Before(in OperationCall call);

    /// <summary>After the operation has returned; on a device it may only be queued by then. Not called when it threw.</summary>
    void After(in OperationCall call);
}
