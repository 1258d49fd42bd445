using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

/// <content>Branches, calls, barriers.</content>
internal sealed partial class Decoder
{
    private bool DecodeControl(Instruction i)
    {
        switch (i.Name)
        {
            case "bra": DecodeBranch(i); return true;
            case "brx": DecodeIndexedBranch(i); return true;
            case "call": DecodeCall(i); return true;
            case "ret": DecodeReturn(); return true;
            case "exit": Add(new ExitOperation(), InstructionClass.Branch); return true;
            case "trap": Add(new TrapOperation(), InstructionClass.Branch); return true;
            case "bar" or "barrier": DecodeBarrier(i); return true;
            case "membar" or "fence" or "nanosleep": Add(new NoOperation(), InstructionClass.Barrier); return true;
            default: return false;
        }
    }

    private string Label(Operand operand) => operand is NameOperand name ? name.Name : throw _current.Error("expected a label");

    private void DecodeBranch(Instruction i)
    {
        Only(i, "uni");
        var branch = new BranchOperation();
        _callers[^1].Jumps.Add((target => branch.Target = target, Label(i.Operands[0]), i));
        Add(branch, InstructionClass.Branch);
    }

    private void DecodeIndexedBranch(Instruction i)
    {
        string list = Label(i.Operands[1]);
        if (!_callers[^1].Function.BranchTargets.TryGetValue(list, out string[]? targets)) { throw i.Error($"there is no list of targets '{list}'"); }
        var branch = new IndexedBranchOperation(Source(i.Operands[0], "u32"), targets.Length);
        for (int n = 0; n < targets.Length; n++)
        {
            int index = n;
            _callers[^1].Jumps.Add((target => branch.Targets[index] = target, targets[n], i));
        }
        Add(branch, InstructionClass.Branch);
    }

    /// <summary>call [(result),] function[, (arguments)]: the function's body stands here.</summary>
    private void DecodeCall(Instruction i)
    {
        if (i.Predicate is not null) { throw i.Error("a call with a predicate is not supported"); }
        int at = i.Operands[0] is ListOperand ? 1 : 0;
        string name = Label(i.Operands[at]);
        if (!functions.TryGetValue(name, out Function? function)) { throw i.Error($"there is no function '{name}' with a body"); }
        var expansion = new Expansion(function);
        Bind(expansion, function.Results, at == 1 ? i.Operands[0] : null);
        Bind(expansion, function.Parameters, i.Operands.Length > at + 1 ? i.Operands[at + 1] : null);
        Expand(expansion);
        _products.Clear();
        _current = i;
    }

    private void Bind(Expansion expansion, List<MemoryVariable> formals, Operand? actuals)
    {
        Operand[] items = actuals is ListOperand list ? [.. list.Items] : [];
        if (items.Length != formals.Count) { throw _current.Error($"{formals.Count} arguments expected"); }
        for (int n = 0; n < items.Length; n++)
        {
            expansion.Bindings[formals[n]] = items[n] is VariableOperand actual ? actual.Variable : throw _current.Error("an argument is not a parameter variable");
        }
    }

    private void DecodeReturn()
    {
        if (_callers.Count == 1) { Add(new ExitOperation(), InstructionClass.Branch); return; }
        var back = new BranchOperation();
        _callers[^1].Returns.Add(back);
        Add(back, InstructionClass.Branch);
    }

    private void DecodeBarrier(Instruction i)
    {
        if (i.Has("warp")) { Add(new WarpBarrierOperation(), InstructionClass.Barrier); return; }
        Only(i, "cta", "sync", "arrive", "red", "aligned", "and", "or", "popc");
        BarrierReduction reduction = !i.Has("red") ? BarrierReduction.None : i.Has("and") ? BarrierReduction.And : i.Has("or") ? BarrierReduction.Or : BarrierReduction.Count;
        Operand[] operands = i.Operands;
        Slot result = default, source = Constant(4, 0);
        bool negated = false;
        if (reduction != BarrierReduction.None)
        {
            result = Destination(operands[0], reduction == BarrierReduction.Count ? "u32" : "pred");
            source = Source(operands[^1], "pred");
            negated = operands[^1] is RegisterOperand { Negated: true };
            operands = operands[1..^1];
        }
        Slot id = Source(operands[0], "u32");
        Slot? threads = operands.Length > 1 ? Source(operands[1], "u32") : null;
        if (threads is null && i.Has("arrive")) { throw i.Error("bar.arrive needs a number of threads"); }
        _hasPartialBarriers |= threads is not null;
        Add(new BarrierOperation(id, threads, !i.Has("arrive"), reduction, result, source, negated), InstructionClass.Barrier);
    }
}
