namespace I2M.Autograd.Optim;

/// <summary>The learning rate of each step: linear warm-up from 0, then constant or a cosine down to a floor.</summary>
/// <param name="Peak">Rate after the warm-up.</param>
/// <param name="WarmupSteps">Steps of linear growth; step s of them has Peak · s / WarmupSteps.</param>
/// <param name="TotalSteps">Where the cosine ends; 0 keeps the rate constant after the warm-up.</param>
/// <param name="Floor">Rate at the end of the cosine.</param>
public sealed record LearningRateSchedule(double Peak, long WarmupSteps = 0, long TotalSteps = 0, double Floor = 0)
{
    /// <summary>The rate of 0-based step <paramref name="step"/>.</summary>
    public double At(long step)
    {
        if (step < WarmupSteps) { return Peak * step / WarmupSteps; }
        if (TotalSteps <= WarmupSteps) { return Peak; }
        double progress = Math.Min(1, (double)(step - WarmupSteps) / (TotalSteps - WarmupSteps));
        return Floor + (Peak - Floor) * 0.5 * (1 + Math.Cos(Math.PI * progress));
    }
}
