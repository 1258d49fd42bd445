namespace I2M.PtxEmulator.Execution;

/// <summary>Where divergent branches meet again: the immediate post-dominator of each branch.</summary>
internal static class ControlFlow
{
    /// <summary>The paths meet only at the end of the threads.</summary>
    public const int NoReconvergence = -1;

    /// <summary>
    /// The immediate post-dominator of every instruction, by the algorithm of Cooper, Harvey and Kennedy on the reversed graph.
    /// </summary>
    /// <param name="successors">Per instruction, where control may go; the index <c>successors.Count</c> is the end of the thread.</param>
    /// <returns>Per instruction the index of its post-dominator, or <see cref="NoReconvergence"/>.</returns>
    public static int[] PostDominators(IReadOnlyList<int[]> successors)
    {
        int exit = successors.Count;
        int[] order = ReverseOrder(successors, exit);
        int[] dominator = new int[exit + 1];
        Array.Fill(dominator, NoReconvergence);
        dominator[exit] = exit;
        int[] byOrder = [.. Enumerable.Range(0, exit).Where(i => order[i] >= 0).OrderByDescending(i => order[i])];
        for (bool changed = true; changed;)
        {
            changed = false;
            foreach (int node in byOrder)
            {
                int common = NoReconvergence;
                foreach (int next in successors[node])
                {
                    if (dominator[next] == NoReconvergence) { continue; }
                    common = common == NoReconvergence ? next : Intersect(common, next, dominator, order);
                }
                changed |= dominator[node] != common;
                dominator[node] = common;
            }
        }
        return [.. dominator.Take(exit).Select(d => d == exit ? NoReconvergence : d)];
    }

    private static int Intersect(int a, int b, int[] dominator, int[] order)
    {
        while (a != b)
        {
            while (order[a] < order[b]) { a = dominator[a]; }
            while (order[b] < order[a]) { b = dominator[b]; }
        }
        return a;
    }

    /// <summary>Postorder numbers of a walk from the exit against the edges; −1 for instructions that never end.</summary>
    private static int[] ReverseOrder(IReadOnlyList<int[]> successors, int exit)
    {
        var predecessors = new List<int>[exit + 1];
        for (int i = 0; i <= exit; i++) { predecessors[i] = []; }
        for (int i = 0; i < exit; i++)
        {
            foreach (int next in successors[i]) { predecessors[next].Add(i); }
        }
        int[] order = new int[exit + 1];
        Array.Fill(order, -1);
        int number = 0;
        bool[] seen = new bool[exit + 1];
        seen[exit] = true;
        var stack = new Stack<(int Node, int Edge)>([(exit, 0)]);
        while (stack.TryPop(out (int Node, int Edge) top))
        {
            if (top.Edge == predecessors[top.Node].Count) { order[top.Node] = number++; continue; }
            stack.Push((top.Node, top.Edge + 1));
            int previous = predecessors[top.Node][top.Edge];
            if (!seen[previous])
            {
                seen[previous] = true;
                stack.Push((previous, 0));
            }
        }
        return order;
    }
}
