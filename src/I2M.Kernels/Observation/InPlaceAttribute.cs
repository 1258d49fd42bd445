namespace I2M.Kernels.Observation;

/// <summary>Marks an operand of an operation that is read and written, so that it counts as traffic twice.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class InPlaceAttribute : Attribute;
