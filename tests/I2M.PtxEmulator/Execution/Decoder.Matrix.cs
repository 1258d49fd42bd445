using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

/// <content>Matrix instructions, asynchronous copies, shuffles and votes.</content>
internal sealed partial class Decoder
{
    private bool DecodeMatrix(Instruction i)
    {
        switch (i.Name)
        {
            case "mma": DecodeMultiplyMatrix(i); return true;
            case "ldmatrix": DecodeLoadMatrix(i); return true;
            case "cp": DecodeAsyncCopy(i); return true;
            case "shfl": DecodeShuffle(i); return true;
            case "vote" or "match" or "redux" or "activemask": DecodeVote(i); return true;
            default: return false;
        }
    }

    private Slot[] Fragment(Operand operand, int count, bool destination)
    {
        if (operand is not ListOperand list || list.Items.Count != count) { throw _current.Error($"{count} registers expected in braces"); }
        return [.. list.Items.Select(item => destination ? Destination(item, "b32") : Source(item, "b32"))];
    }

    private void DecodeMultiplyMatrix(Instruction i)
    {
        (MatrixFormat format, int depth, int left, int right) = string.Join('.', i.Parts) switch
        {
            "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32" => (MatrixFormat.BFloat16, 16, 4, 2),
            "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32" => (MatrixFormat.BFloat16, 8, 2, 1),
            "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32" => (MatrixFormat.Half, 16, 4, 2),
            "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32" => (MatrixFormat.Half, 8, 2, 1),
            "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32" => (MatrixFormat.Tf32, 8, 4, 2),
            "mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32" => (MatrixFormat.Tf32, 4, 2, 1),
            _ => throw i.Error("unsupported shape or type"),
        };
        Slot[] d = Fragment(i.Operands[0], 4, destination: true), a = Fragment(i.Operands[1], left, destination: false);
        Slot[] b = Fragment(i.Operands[2], right, destination: false), c = Fragment(i.Operands[3], 4, destination: false);
        Add(new MatrixMultiplyOperation(format, depth, d, a, b, c), InstructionClass.Mma);
    }

    private void DecodeLoadMatrix(Instruction i)
    {
        Only(i, "sync", "aligned", "m8n8", "x1", "x2", "x4", "trans", "shared", "shared::cta");
        int count = i.Has("x4") ? 4 : i.Has("x2") ? 2 : 1;
        Slot[] destinations = Fragment(i.Operands[0] is ListOperand ? i.Operands[0] : new ListOperand([i.Operands[0]]), count, destination: true);
        Add(new LoadMatrixOperation(SpaceOf(i), Address(i.Operands[1]), destinations, i.Has("trans")), InstructionClass.LdMatrix);
    }

    private void DecodeAsyncCopy(Instruction i)
    {
        if (i.Has("commit_group")) { Add(new CommitCopiesOperation(), InstructionClass.CpAsync); return; }
        if (i.Has("wait_all")) { Add(new WaitCopiesOperation(-1), InstructionClass.CpAsync); return; }
        if (i.Has("wait_group")) { Add(new WaitCopiesOperation((int)Number(i.Operands[0])), InstructionClass.CpAsync); return; }
        Only(i, "async", "ca", "cg", "shared", "shared::cta", "global", "L2::64B", "L2::128B", "L2::256B");
        int bytes = (int)Number(i.Operands[2]);
        bool valid = i.Has("cg") ? bytes == 16 : i.Has("ca") && bytes is 4 or 8 or 16;
        if (!valid || !(i.Has("shared") || i.Has("shared::cta")) || !i.Has("global")) { throw i.Error("unsupported form of cp.async"); }
        AddressSlot to = Address(i.Operands[0]), from = Address(i.Operands[1]);
        Slot? sourceBytes = i.Operands.Length > 3 ? Source(i.Operands[3], "u32") : null;
        NoteGrain(Space.Shared, bytes);
        NoteGrain(Space.Global, bytes);
        Add(new AsyncCopyOperation(to, from, bytes, sourceBytes), InstructionClass.CpAsync);
    }

    private ulong Number(Operand operand) => operand is ImmediateOperand { Kind: ImmediateKind.Integer } number ? number.Bits : throw _current.Error("expected an integer");

    private void DecodeShuffle(Instruction i)
    {
        Only(i, "sync", "up", "down", "bfly", "idx");
        ShuffleMode mode = i.Has("up") ? ShuffleMode.Up : i.Has("down") ? ShuffleMode.Down : i.Has("bfly") ? ShuffleMode.Butterfly : ShuffleMode.Index;
        (Operand first, Operand? second) = i.Operands[0] is PairOperand pair ? (pair.First, pair.Second) : (i.Operands[0], null);
        Slot d = Destination(first, "b32");
        Slot? p = second is null or SinkOperand ? null : Destination(second, "pred");
        Slot members = i.Has("sync") ? Source(i.Operands[4], "b32") : throw i.Error("shuffles need .sync");
        Add(new ShuffleOperation(mode, d, p, Source(i.Operands[1], "b32"), Source(i.Operands[2], "b32"), Source(i.Operands[3], "b32"), members), InstructionClass.Shuffle);
    }

    private void DecodeVote(Instruction i)
    {
        if (i.Name == "activemask") { Add(new ActiveMaskOperation(Destination(i.Operands[0], "b32")), InstructionClass.Shuffle); return; }
        if (!i.Has("sync")) { throw i.Error("votes need .sync"); }
        string type = i.Type();
        Operation operation;
        if (i.Name == "vote")
        {
            VoteMode mode = i.Has("all") ? VoteMode.All : i.Has("any") ? VoteMode.Any : i.Has("uni") ? VoteMode.Uniform : VoteMode.Ballot;
            bool negated = i.Operands[1] is RegisterOperand { Negated: true };
            operation = new VoteOperation(mode, Destination(i.Operands[0], type), Source(i.Operands[1], "pred"), negated, Source(i.Operands[2], "b32"));
        }
        else if (i.Name == "redux") { operation = new ReduceLanesOperation(Destination(i.Operands[0], type), Source(i.Operands[1], type), Source(i.Operands[2], "b32"), Atomics.Of(i, type)); }
        else if (i.Has("any")) { operation = new MatchOperation(Destination(i.Operands[0], "b32"), Source(i.Operands[1], type), Width(type), Source(i.Operands[2], "b32")); }
        else { throw i.Error("unsupported form"); }
        Add(operation, InstructionClass.Shuffle);
    }
}
