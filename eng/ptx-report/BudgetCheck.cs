using I2M.Kernels.Ilgpu;

namespace I2M.PtxReport;

/// <summary>Compares kernels with the table.</summary>
internal static class BudgetCheck
{
    /// <summary>One line for every kernel without a row and every row without a kernel.</summary>
    public static IEnumerable<string> Rows(BudgetTable table, IReadOnlyCollection<KernelEntry> kernels)
    {
        var names = kernels.Select(kernel => kernel.Name).ToHashSet();
        foreach (string name in names.Except(table.Kernels.Keys).Order()) { yield return $"{name}: not in the budget table (--update adds it)"; }
        foreach (string name in table.Kernels.Keys.Except(names)) { yield return $"{name}: in the budget table, but there is no such kernel (--update removes it)"; }
        foreach (var clash in kernels.GroupBy(kernel => kernel.Name).Where(group => group.Count() > 1)) { yield return $"{clash.Key}: {clash.Count()} kernels of this name"; }
    }

    /// <summary>What to do when budgets of one assembler were missed with another; null when it is the same.</summary>
    public static string? VersionHint(string used, string ofTable)
    {
        if (used == ofTable) { return null; }
        string release = string.Join('.', ofTable.Split('.').Take(2));
        return $"the budgets were made with ptxas {ofTable}, this is ptxas {used}, whose registers and instructions may differ without a change of the kernel. " +
            $"For {ofTable}: eng/install-ptxas.sh where the distribution's nvidia-cuda-toolkit is {release} (Debian 12 has 11.8.89), or ptxas of NVIDIA's CUDA toolkit {release} by --ptxas FILE. --update makes budgets for this one";
    }

    /// <summary>One line for everything in which a kernel of the table misses its budget.</summary>
    public static IEnumerable<string> Kernel(BudgetTable table, Measurement measured)
    {
        if (!table.Kernels.TryGetValue(measured.Kernel.Name, out BudgetRow? row)) { yield break; }
        string what = $"{measured.Kernel.Name} on {measured.Target}";
        Usage usage = measured.Usage;
        if (row.Hot && usage.Stack > 0) { yield return $"{what}: {usage.Stack} bytes of stack in a hot kernel"; }
        if (row.Hot && usage.Spill > 0) { yield return $"{what}: {usage.Spill} bytes of spills in a hot kernel"; }
        if (measured.Groups < Math.Max(1, measured.Kernel.MinGroups))
        {
            yield return $"{what}: {measured.Groups} groups fit on a multiprocessor, its KernelBounds promise {Math.Max(1, measured.Kernel.MinGroups)}";
        }
        if (!row.Targets.TryGetValue(measured.Target, out Budget? budget))
        {
            yield return $"{what}: no budget for this target (--update adds it)";
            yield break;
        }
        foreach (string problem in Limits(usage, measured.Groups, budget)) { yield return $"{what}: {problem}"; }
    }

    private static IEnumerable<string> Limits(Usage usage, int groups, Budget budget)
    {
        if (usage.Registers > budget.Registers) { yield return $"{usage.Registers} registers, budget {budget.Registers}"; }
        if (usage.Stack > budget.Stack) { yield return $"{usage.Stack} bytes of stack, budget {budget.Stack}"; }
        if (usage.Spill > budget.Spill) { yield return $"{usage.Spill} bytes of spills, budget {budget.Spill}"; }
        if (usage.Shared > budget.Shared) { yield return $"{usage.Shared} bytes of static shared memory, budget {budget.Shared}"; }
        if (groups < budget.Groups) { yield return $"{groups} groups on a multiprocessor, budget {budget.Groups}"; }
        if (usage.Instructions is not { } counts || budget.Instructions is not { } wanted) { yield break; }
        if (counts.Hmma < wanted.Hmma) { yield return $"{counts.Hmma} HMMA, at least {wanted.Hmma} expected"; }
        if (counts.Ldsm < wanted.Ldsm) { yield return $"{counts.Ldsm} LDSM, at least {wanted.Ldsm} expected"; }
        if (counts.Ldgsts < wanted.Ldgsts) { yield return $"{counts.Ldgsts} LDGSTS, at least {wanted.Ldgsts} expected"; }
        if (counts.Mufu > wanted.Mufu) { yield return $"{counts.Mufu} MUFU, budget {wanted.Mufu}"; }
        if (counts.Ldg128 < wanted.Ldg128) { yield return $"{counts.Ldg128} LDG.128, at least {wanted.Ldg128} expected"; }
    }
}
