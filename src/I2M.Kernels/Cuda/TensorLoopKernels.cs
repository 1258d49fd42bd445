using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// The ceiling of the tensor cores as mma.sync reaches them: eight independent accumulators a warp, four warps a group, two groups a multiprocessor, everything in
/// registers. Registers are declared by name in the first Emit and used by the later ones, as in all kernels of tensor cores here.
/// <para>Fragments (PTX manual, mma.m16n8k16 and m16n8k8), g = lane / 4, t = lane mod 4, rows of eight words: a0…a3 are the words (g, t), (g+8, t), (g, t+4), (g+8, t+4);
/// b0, b1 are (g, t), (g, t+4) of b with its columns as rows; c0…c3 are the results (g, 2t), (g, 2t+1), (g+8, 2t), (g+8, 2t+1). A word is one
/// tf32 or two neighbouring bfloat16, so both formats load alike.</para>
/// </summary>
internal static class TensorLoopKernels
{
    private const int Warps = 4, Accumulators = 8, Rows = 16, Columns = 8;

    /// <summary>Results of a group.</summary>
    public const int GroupResults = Warps * Rows * Columns;

    private const string Declare = ".reg .b32 fa<4>; .reg .b32 fb<16>; .reg .f32 acc<32>;";

    /// <summary>a at 0, b_j at 512 + 256·j bytes; %0 is the lane's word (g, t) of a.</summary>
    private const string Load = "ld.global.b32 fa0, [%0]; ld.global.b32 fa1, [%0+256]; ld.global.b32 fa2, [%0+16]; ld.global.b32 fa3, [%0+272]; " +
        "ld.global.b32 fb0, [%0+512]; ld.global.b32 fb1, [%0+528]; ld.global.b32 fb2, [%0+768]; ld.global.b32 fb3, [%0+784]; " +
        "ld.global.b32 fb4, [%0+1024]; ld.global.b32 fb5, [%0+1040]; ld.global.b32 fb6, [%0+1280]; ld.global.b32 fb7, [%0+1296]; " +
        "ld.global.b32 fb8, [%0+1536]; ld.global.b32 fb9, [%0+1552]; ld.global.b32 fb10, [%0+1792]; ld.global.b32 fb11, [%0+1808]; " +
        "ld.global.b32 fb12, [%0+2048]; ld.global.b32 fb13, [%0+2064]; ld.global.b32 fb14, [%0+2304]; ld.global.b32 fb15, [%0+2320]; ";

    private const string Clear =
        "mov.f32 acc0, 0f00000000; mov.f32 acc1, 0f00000000; mov.f32 acc2, 0f00000000; mov.f32 acc3, 0f00000000; mov.f32 acc4, 0f00000000; mov.f32 acc5, 0f00000000; mov.f32 acc6, 0f00000000; mov.f32 acc7, 0f00000000; " +
        "mov.f32 acc8, 0f00000000; mov.f32 acc9, 0f00000000; mov.f32 acc10, 0f00000000; mov.f32 acc11, 0f00000000; mov.f32 acc12, 0f00000000; mov.f32 acc13, 0f00000000; mov.f32 acc14, 0f00000000; mov.f32 acc15, 0f00000000; " +
        "mov.f32 acc16, 0f00000000; mov.f32 acc17, 0f00000000; mov.f32 acc18, 0f00000000; mov.f32 acc19, 0f00000000; mov.f32 acc20, 0f00000000; mov.f32 acc21, 0f00000000; mov.f32 acc22, 0f00000000; mov.f32 acc23, 0f00000000; " +
        "mov.f32 acc24, 0f00000000; mov.f32 acc25, 0f00000000; mov.f32 acc26, 0f00000000; mov.f32 acc27, 0f00000000; mov.f32 acc28, 0f00000000; mov.f32 acc29, 0f00000000; mov.f32 acc30, 0f00000000; mov.f32 acc31, 0f00000000; ";

    private const string MultiplyBFloat16 =
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {acc0, acc1, acc2, acc3}, {fa0, fa1, fa2, fa3}, {fb0, fb1}, {acc0, acc1, acc2, acc3}; " +
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {acc4, acc5, acc6, acc7}, {fa0, fa1, fa2, fa3}, {fb2, fb3}, {acc4, acc5, acc6, acc7}; " +
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {acc8, acc9, acc10, acc11}, {fa0, fa1, fa2, fa3}, {fb4, fb5}, {acc8, acc9, acc10, acc11}; " +
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {acc12, acc13, acc14, acc15}, {fa0, fa1, fa2, fa3}, {fb6, fb7}, {acc12, acc13, acc14, acc15}; " +
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {acc16, acc17, acc18, acc19}, {fa0, fa1, fa2, fa3}, {fb8, fb9}, {acc16, acc17, acc18, acc19}; " +
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {acc20, acc21, acc22, acc23}, {fa0, fa1, fa2, fa3}, {fb10, fb11}, {acc20, acc21, acc22, acc23}; " +
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {acc24, acc25, acc26, acc27}, {fa0, fa1, fa2, fa3}, {fb12, fb13}, {acc24, acc25, acc26, acc27}; " +
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {acc28, acc29, acc30, acc31}, {fa0, fa1, fa2, fa3}, {fb14, fb15}, {acc28, acc29, acc30, acc31}; ";

    private const string MultiplyTensorFloat32 =
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {acc0, acc1, acc2, acc3}, {fa0, fa1, fa2, fa3}, {fb0, fb1}, {acc0, acc1, acc2, acc3}; " +
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {acc4, acc5, acc6, acc7}, {fa0, fa1, fa2, fa3}, {fb2, fb3}, {acc4, acc5, acc6, acc7}; " +
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {acc8, acc9, acc10, acc11}, {fa0, fa1, fa2, fa3}, {fb4, fb5}, {acc8, acc9, acc10, acc11}; " +
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {acc12, acc13, acc14, acc15}, {fa0, fa1, fa2, fa3}, {fb6, fb7}, {acc12, acc13, acc14, acc15}; " +
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {acc16, acc17, acc18, acc19}, {fa0, fa1, fa2, fa3}, {fb8, fb9}, {acc16, acc17, acc18, acc19}; " +
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {acc20, acc21, acc22, acc23}, {fa0, fa1, fa2, fa3}, {fb10, fb11}, {acc20, acc21, acc22, acc23}; " +
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {acc24, acc25, acc26, acc27}, {fa0, fa1, fa2, fa3}, {fb12, fb13}, {acc24, acc25, acc26, acc27}; " +
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {acc28, acc29, acc30, acc31}, {fa0, fa1, fa2, fa3}, {fb14, fb15}, {acc28, acc29, acc30, acc31}; ";

    /// <summary>Adds accumulators 1 to 7 to the first and stores it; %0 is the lane's result (g, 2t).</summary>
    private const string Store =
        "add.f32 acc0, acc0, acc4; add.f32 acc1, acc1, acc5; add.f32 acc2, acc2, acc6; add.f32 acc3, acc3, acc7; " +
        "add.f32 acc0, acc0, acc8; add.f32 acc1, acc1, acc9; add.f32 acc2, acc2, acc10; add.f32 acc3, acc3, acc11; " +
        "add.f32 acc0, acc0, acc12; add.f32 acc1, acc1, acc13; add.f32 acc2, acc2, acc14; add.f32 acc3, acc3, acc15; " +
        "add.f32 acc0, acc0, acc16; add.f32 acc1, acc1, acc17; add.f32 acc2, acc2, acc18; add.f32 acc3, acc3, acc19; " +
        "add.f32 acc0, acc0, acc20; add.f32 acc1, acc1, acc21; add.f32 acc2, acc2, acc22; add.f32 acc3, acc3, acc23; " +
        "add.f32 acc0, acc0, acc24; add.f32 acc1, acc1, acc25; add.f32 acc2, acc2, acc26; add.f32 acc3, acc3, acc27; " +
        "add.f32 acc0, acc0, acc28; add.f32 acc1, acc1, acc29; add.f32 acc2, acc2, acc30; add.f32 acc3, acc3, acc31; " +
        "st.global.v2.f32 [%0], {acc0, acc1}; st.global.v2.f32 [%0+256], {acc2, acc3};";

    /// <summary>Multiply-adds of a group in a round.</summary>
    public static double ProductsPerRound(bool bfloat16) => Warps * Accumulators * Rows * Columns * (bfloat16 ? 16 : 8);

    /// <summary>See <see cref="IDeviceProbe.MultiplyLoop"/>.</summary>
    [KernelBounds(32 * Warps, MinGroups = 2)]
    public static void BFloat16(long operands, int rounds, long results)
    {
        CudaAsm.Emit(Declare);
        CudaAsm.Emit(Load, operands + OperandOffset());
        CudaAsm.Emit(Clear);
        for (int round = 0; round < rounds; round++) { CudaAsm.Emit(MultiplyBFloat16); }
        CudaAsm.Emit(Store, results + ResultOffset());
    }

    /// <summary>See <see cref="IDeviceProbe.MultiplyLoop"/>.</summary>
    [KernelBounds(32 * Warps, MinGroups = 2)]
    public static void TensorFloat32(long operands, int rounds, long results)
    {
        CudaAsm.Emit(Declare);
        CudaAsm.Emit(Load, operands + OperandOffset());
        CudaAsm.Emit(Clear);
        for (int round = 0; round < rounds; round++) { CudaAsm.Emit(MultiplyTensorFloat32); }
        CudaAsm.Emit(Store, results + ResultOffset());
    }

    /// <summary>Bytes to the lane's word (g, t).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long OperandOffset()
    {
        int lane = Group.IdxX & 31;
        return (lane / 4 * 8 + lane % 4) * 4L;
    }

    /// <summary>Bytes to the lane's result (g, 2t) of its warp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long ResultOffset()
    {
        int lane = Group.IdxX & 31, warp = Grid.IdxX * Warps + Group.IdxX / 32;
        return (warp * (long)(Rows * Columns) + lane / 4 * Columns + lane % 4 * 2) * 4;
    }
}
