using I2M.KernelGenerator;

if (args is not [] and not ["--check"])
{
    Console.Error.WriteLine("kernel-generator [--check]\nWrites the kernels of src/I2M.Kernels/Cuda/Generated. --check writes nothing and exits with 1 if a file is stale, missing or left over.");
    return 2;
}
string folder = GeneratedSources.Folder();
string[] stale = [.. GeneratedSources.Stale(folder)];
if (args is ["--check"])
{
    foreach (string file in stale) { Console.WriteLine($"stale: {file}"); }
    return stale.Length == 0 ? 0 : 1;
}
GeneratedSources.Write(folder);
Console.WriteLine($"{GeneratedSources.All().Count} files in {folder}, {stale.Length} changed");
return 0;
