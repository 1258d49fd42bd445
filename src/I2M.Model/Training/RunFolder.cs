using System.Globalization;
using I2M.Kernels;
using I2M.Model.Io;

namespace I2M.Model.Training;

/// <summary>
/// The folder of a run: <c>config.json</c>, <c>train.jsonl</c>, <c>loss.png</c>, <c>checkpoints/step-000500.safetensors</c> and
/// <c>best.safetensors</c>. The newest checkpoint is found by listing, so no link can point to nothing.
/// </summary>
public sealed class RunFolder
{
    private const string StepPrefix = "step-", Extension = ".safetensors";

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <param name="path">The folder; need not exist yet.</param>
    public RunFolder(string path) => Path = path;

    /// <summary>The settings that the run was started with.</summary>
    public string ConfigPath => System.IO.Path.Combine(Path, "config.json");

    /// <summary>One JSON object a step.</summary>
    public string LogPath => System.IO.Path.Combine(Path, "train.jsonl");

    /// <summary>The loss curve.</summary>
    public string LossPlotPath => System.IO.Path.Combine(Path, "loss.png");

    /// <summary>The operations of some steps in time.</summary>
    public string TracePath => System.IO.Path.Combine(Path, "trace.json");

    /// <summary>The checkpoint with the lowest validation loss.</summary>
    public string BestPath => System.IO.Path.Combine(Path, "best" + Extension);

    private string CheckpointFolder => System.IO.Path.Combine(Path, "checkpoints");

    /// <summary>The file for a step's checkpoint.</summary>
    public string CheckpointPath(int step) => System.IO.Path.Combine(CheckpointFolder, $"{StepPrefix}{step:D6}{Extension}");

    /// <summary>Checkpoints, newest first.</summary>
    public IReadOnlyList<(int Step, string Path)> Checkpoints()
    {
        if (!Directory.Exists(CheckpointFolder)) { return []; }
        return [.. Directory.EnumerateFiles(CheckpointFolder, $"{StepPrefix}*{Extension}")
            .Select(file => (Step: StepOf(file), Path: file)).Where(c => c.Step >= 0).OrderByDescending(c => c.Step)];
    }

    /// <summary>
    /// Deletes all but the newest checkpoints up to a step, and what killed runs left. Later checkpoints are damaged ones that a resumed run stepped back
    /// behind: they must not count, or the good one just saved would be deleted in their favour.
    /// </summary>
    public void Prune(int step, int keep)
    {
        foreach (var (_, path) in Checkpoints().Where(c => c.Step <= step).Skip(keep)) { File.Delete(path); }
        AtomicDirectory.RemoveLeftovers(CheckpointFolder, "*");
        AtomicDirectory.RemoveLeftovers(Path, "*");
    }

    /// <summary>
    /// The checkpoint that a user means by a path: the file itself, or of a run folder the best, else the newest.
    /// </summary>
    /// <exception cref="I2MException">There is none.</exception>
    public static string Resolve(string path)
    {
        if (!Directory.Exists(path)) { return path; }
        var folder = new RunFolder(path);
        if (File.Exists(folder.BestPath)) { return folder.BestPath; }
        IReadOnlyList<(int Step, string Path)> checkpoints = folder.Checkpoints();
        return checkpoints.Count > 0 ? checkpoints[0].Path : throw new I2MException($"{path}: no checkpoint in this folder: expected checkpoints/{StepPrefix}NNNNNN{Extension}");
    }

    private static int StepOf(string file) =>
        int.TryParse(System.IO.Path.GetFileNameWithoutExtension(file).AsSpan(StepPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int step) ? step : -1;
}
