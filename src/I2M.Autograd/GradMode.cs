namespace I2M.Autograd;

/// <summary>Switches recording off: <c>using var _ = GradMode.NoGrad();</c> makes everything until the end of the scope constant.</summary>
public static class GradMode
{
    [ThreadStatic] private static int s_disabled;

    /// <summary>True where operations record nodes.</summary>
    public static bool IsEnabled => s_disabled == 0;

    /// <summary>No recording until the returned value is disposed.</summary>
    public static Restorer NoGrad()
    {
        s_disabled++;
        return default;
    }

    /// <summary>Recording again until the returned value is disposed, also inside a no-grad region.</summary>
    internal static Disabled Grad()
    {
        var before = new Disabled(s_disabled);
        s_disabled = 0;
        return before;
    }

    internal static bool Records(Tensor a) => IsEnabled && a.RequiresGrad;

    internal static bool Records(Tensor a, Tensor b) => IsEnabled && (a.RequiresGrad || b.RequiresGrad);

    internal static bool Records(Tensor a, Tensor b, Tensor? c) => IsEnabled && (a.RequiresGrad || b.RequiresGrad || c is { RequiresGrad: true });

    /// <summary>Ends a region of <see cref="Grad"/>.</summary>
    internal readonly struct Disabled(int count) : IDisposable
    {
        public void Dispose() => s_disabled = count;
    }

    /// <summary>Ends a no-grad region.</summary>
    public readonly struct Restorer : IDisposable
    {
        /// <summary>Ends the region.</summary>
        public void Dispose() => s_disabled--;
    }
}
