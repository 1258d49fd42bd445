using System.Reflection;
using System.Text.RegularExpressions;
using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>The conventions that the compiler does not check.</summary>
public sealed partial class ConventionTests
{
    private const int LongestFile = 600;

    /// <summary>Each project with the only project it may reference: Cli → Model → Autograd → Kernels.</summary>
    private static readonly Dictionary<string, string[]> s_references = new()
    {
        ["I2M.Kernels"] = [],
        ["I2M.Autograd"] = ["I2M.Kernels"],
        ["I2M.Model"] = ["I2M.Autograd"],
        ["I2M.Cli"] = ["I2M.Model"],
    };

    [Fact]
    public void Projects_reference_one_way()
    {
        string[] projects = Directory.GetFiles(Source, "*.csproj", SearchOption.AllDirectories);
        Assert.Equal(s_references.Keys.Order(), projects.Select(Path.GetFileNameWithoutExtension).Order());
        foreach (string project in projects)
        {
            var found = ProjectReference().Matches(File.ReadAllText(project)).Select(m => m.Groups[1].Value);
            Assert.Equal(s_references[Path.GetFileNameWithoutExtension(project)], found);
        }
    }

    [Fact]
    public void Kernels_know_no_other_layer_and_only_kernels_know_ILGPU()
    {
        Assert.DoesNotContain(typeof(IBackend).Assembly.GetReferencedAssemblies(), a => a.Name!.StartsWith("I2M.", StringComparison.Ordinal));
        foreach (string layer in new[] { "I2M.Autograd", "I2M.Model" })
        {
            Assert.DoesNotContain(Assembly.Load(layer).GetReferencedAssemblies(), a => a.Name!.StartsWith("ILGPU", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Autograd_and_model_name_no_concrete_backend()
    {
        foreach (string file in SourceFiles(Path.Combine(Source, "I2M.Autograd")).Concat(SourceFiles(Path.Combine(Source, "I2M.Model"))))
        {
            Match name = ConcreteBackend().Match(File.ReadAllText(file));
            Assert.False(name.Success, $"{Path.GetRelativePath(ReferenceData.RepositoryRoot, file)} names {name.Value}");
        }
    }

    [Fact]
    public void No_source_file_is_longer_than_600_lines()
    {
        var sizes = new[] { "src", "tests", "bench", "eng" }.SelectMany(folder => SourceFiles(Path.Combine(ReferenceData.RepositoryRoot, folder)))
            .Select(file => (Name: Path.GetRelativePath(ReferenceData.RepositoryRoot, file), Lines: File.ReadLines(file).Count())).ToList();
        foreach (var project in sizes.GroupBy(s => string.Join('/', s.Name.Split(Path.DirectorySeparatorChar).Take(2))))
        {
            var longest = project.MaxBy(s => s.Lines);
            TestContext.Current.TestOutputHelper?.WriteLine($"{project.Key}: {project.Sum(s => s.Lines)} lines in {project.Count()} files, the longest {Path.GetFileName(longest.Name)} with {longest.Lines}");
        }
        Assert.NotEmpty(sizes);
        Assert.All(sizes, s => Assert.True(s.Lines <= LongestFile, $"{s.Name} has {s.Lines} lines, at most {LongestFile}"));
    }

    private static string Source => Path.Combine(ReferenceData.RepositoryRoot, "src");

    private static IEnumerable<string> SourceFiles(string folder) => Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories)
        .Where(f => !Path.GetRelativePath(folder, f).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"));

    [GeneratedRegex(@"ProjectReference Include=""[^""]*?([^/\\""]+)\.csproj""")]
    private static partial Regex ProjectReference();

    [GeneratedRegex(@"\b(HostBackend|IlgpuBackend|I2M\.Kernels\.(Host|Ilgpu))\b")]
    private static partial Regex ConcreteBackend();
}
