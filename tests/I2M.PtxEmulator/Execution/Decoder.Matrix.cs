using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

/// <content>Matrix instructions, asynchronous copies, shuffles and votes.</content>
internal sealed partial class Decoder
{
    private static bool DecodeMatrix(Instruction i) => i.Name == "none";
}
