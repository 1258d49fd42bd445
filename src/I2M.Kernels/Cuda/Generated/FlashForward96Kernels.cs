// Written by eng/kernel-generator (FlashForward). Do not edit: change the generator and run it.
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace I2M.Kernels.Ilgpu;

/// <summary>Forward attention in bfloat16 on tensor cores for heads of up to 96 channels: blocks of 128 queries, tiles of 64 keys.</summary>
internal static class FlashForward96Kernels
{
    // S scores, then probabilities; O sums; P probabilities in bfloat16; M running maxima, L sums, N new maxima of this lane's rows.
    private const string Registers =
        """
        .reg .b32 sb, so, wr, rd, both, ar, ax, br, bx, la; .reg .s32 left; .reg .b64 xp, yp, xs, ys; .reg .f32 zero; .reg .b32 z<3>; .reg .b32 A<8>; .reg .b32 B<4>; .reg .f32 S<64>; .reg .f32 O<96>; .reg .b32 P<32>;
        .reg .f32 M<4>, L<4>, N<4>; .reg .f32 sc; .reg .pred grow;
        """;

    // See FlashStages in the generator for the names.
    private const string Places =
        """
        mov.u32 sb, __dyn_shared_alloca; mov.f32 zero, 0f00000000; mov.b32 so, %0; mov.b32 ar, %1; mov.b32 ax, %2; mov.b32 br, %3; mov.b32 bx, %4; add.u32 la, sb, %5; add.u32 la, la, ar;
        add.u32 rd, sb, 24576; add.u32 wr, rd, so; add.u32 both, rd, rd; add.u32 both, both, 24576;
        """;

    // The thread's part of the copies of keys and values.
    private const string Sources =
        """
        mov.b64 xp, %0; mov.b64 yp, %1; mov.b64 xs, %2; mov.b64 ys, %3; mov.b32 left, %4; mov.b32 z0, %5; mov.b32 z1, %6; mov.b32 z2, %7;
        """;

    // The block's queries on their way to shared memory; rows and channels that do not exist become zero.
    private const string CopyLeft =
        """
        { .reg .pred p; .reg .b32 z, d; .reg .b64 u, us; add.u32 d, sb, so; mov.b64 u, %1; mov.b64 us, %2; setp.gt.s32 p, %0, 0; selp.b32 z, z0, 0, p; cp.async.cg.shared.global [d+0], [u+0], 16, z;
        selp.b32 z, z1, 0, p; cp.async.cg.shared.global [d+64], [u+64], 16, z; selp.b32 z, z2, 0, p; cp.async.cg.shared.global [d+128], [u+128], 16, z; add.s64 u, u, us;
        setp.gt.s32 p, %0, 32; selp.b32 z, z0, 0, p; cp.async.cg.shared.global [d+6144], [u+0], 16, z; selp.b32 z, z1, 0, p; cp.async.cg.shared.global [d+6208], [u+64], 16, z;
        selp.b32 z, z2, 0, p; cp.async.cg.shared.global [d+6272], [u+128], 16, z; add.s64 u, u, us; setp.gt.s32 p, %0, 64; selp.b32 z, z0, 0, p; cp.async.cg.shared.global [d+12288], [u+0], 16, z;
        selp.b32 z, z1, 0, p; cp.async.cg.shared.global [d+12352], [u+64], 16, z; selp.b32 z, z2, 0, p; cp.async.cg.shared.global [d+12416], [u+128], 16, z; add.s64 u, u, us;
        setp.gt.s32 p, %0, 96; selp.b32 z, z0, 0, p; cp.async.cg.shared.global [d+18432], [u+0], 16, z; selp.b32 z, z1, 0, p; cp.async.cg.shared.global [d+18496], [u+64], 16, z;
        selp.b32 z, z2, 0, p; cp.async.cg.shared.global [d+18560], [u+128], 16, z; add.s64 u, u, us; }
        """;

    // The next keys and values on their way to the stage at wr.
    private const string CopyTiles =
        """
        { .reg .pred p; .reg .b32 z, d; setp.gt.s32 p, left, 0; selp.b32 z, z0, 0, p; cp.async.cg.shared.global [wr+0], [xp+0], 16, z; cp.async.cg.shared.global [wr+12288], [yp+0], 16, z;
        selp.b32 z, z1, 0, p; cp.async.cg.shared.global [wr+64], [xp+64], 16, z; cp.async.cg.shared.global [wr+12352], [yp+64], 16, z;
        selp.b32 z, z2, 0, p; cp.async.cg.shared.global [wr+128], [xp+128], 16, z; cp.async.cg.shared.global [wr+12416], [yp+128], 16, z; add.s64 xp, xp, xs; add.s64 yp, yp, ys;
        setp.gt.s32 p, left, 32; selp.b32 z, z0, 0, p; cp.async.cg.shared.global [wr+6144], [xp+0], 16, z; cp.async.cg.shared.global [wr+18432], [yp+0], 16, z;
        selp.b32 z, z1, 0, p; cp.async.cg.shared.global [wr+6208], [xp+64], 16, z; cp.async.cg.shared.global [wr+18496], [yp+64], 16, z;
        selp.b32 z, z2, 0, p; cp.async.cg.shared.global [wr+6272], [xp+128], 16, z; cp.async.cg.shared.global [wr+18560], [yp+128], 16, z; add.s64 xp, xp, xs; add.s64 yp, yp, ys; sub.s32 left, left, 64; cp.async.commit_group; }
        """;

    // The tile to read is there for all threads, and all are done with the other stage.
    private const string Arrive =
        """
        cp.async.wait_group 0; bar.sync 0; sub.u32 wr, both, rd; add.u32 wr, wr, so;
        """;

    // On to the other stage.
    private const string Advance =
        """
        sub.u32 rd, both, rd;
        """;

    // %0 is scale · log2 e.
    private const string Begin =
        """
        mov.f32 sc, %0; mov.f32 M0, 0fFF800000; mov.f32 L0, zero; mov.f32 M1, 0fFF800000; mov.f32 L1, zero; mov.f32 M2, 0fFF800000; mov.f32 L2, zero; mov.f32 M3, 0fFF800000; mov.f32 L3, zero;
        mov.f32 O0, zero; mov.f32 O1, zero; mov.f32 O2, zero; mov.f32 O3, zero; mov.f32 O4, zero; mov.f32 O5, zero; mov.f32 O6, zero; mov.f32 O7, zero;
        mov.f32 O8, zero; mov.f32 O9, zero; mov.f32 O10, zero; mov.f32 O11, zero; mov.f32 O12, zero; mov.f32 O13, zero; mov.f32 O14, zero; mov.f32 O15, zero;
        mov.f32 O16, zero; mov.f32 O17, zero; mov.f32 O18, zero; mov.f32 O19, zero; mov.f32 O20, zero; mov.f32 O21, zero; mov.f32 O22, zero; mov.f32 O23, zero;
        mov.f32 O24, zero; mov.f32 O25, zero; mov.f32 O26, zero; mov.f32 O27, zero; mov.f32 O28, zero; mov.f32 O29, zero; mov.f32 O30, zero; mov.f32 O31, zero;
        mov.f32 O32, zero; mov.f32 O33, zero; mov.f32 O34, zero; mov.f32 O35, zero; mov.f32 O36, zero; mov.f32 O37, zero; mov.f32 O38, zero; mov.f32 O39, zero;
        mov.f32 O40, zero; mov.f32 O41, zero; mov.f32 O42, zero; mov.f32 O43, zero; mov.f32 O44, zero; mov.f32 O45, zero; mov.f32 O46, zero; mov.f32 O47, zero;
        mov.f32 O48, zero; mov.f32 O49, zero; mov.f32 O50, zero; mov.f32 O51, zero; mov.f32 O52, zero; mov.f32 O53, zero; mov.f32 O54, zero; mov.f32 O55, zero;
        mov.f32 O56, zero; mov.f32 O57, zero; mov.f32 O58, zero; mov.f32 O59, zero; mov.f32 O60, zero; mov.f32 O61, zero; mov.f32 O62, zero; mov.f32 O63, zero;
        mov.f32 O64, zero; mov.f32 O65, zero; mov.f32 O66, zero; mov.f32 O67, zero; mov.f32 O68, zero; mov.f32 O69, zero; mov.f32 O70, zero; mov.f32 O71, zero;
        mov.f32 O72, zero; mov.f32 O73, zero; mov.f32 O74, zero; mov.f32 O75, zero; mov.f32 O76, zero; mov.f32 O77, zero; mov.f32 O78, zero; mov.f32 O79, zero;
        mov.f32 O80, zero; mov.f32 O81, zero; mov.f32 O82, zero; mov.f32 O83, zero; mov.f32 O84, zero; mov.f32 O85, zero; mov.f32 O86, zero; mov.f32 O87, zero;
        mov.f32 O88, zero; mov.f32 O89, zero; mov.f32 O90, zero; mov.f32 O91, zero; mov.f32 O92, zero; mov.f32 O93, zero; mov.f32 O94, zero; mov.f32 O95, zero;
        """;

    // S = queries · keysᵀ.
    private const string Scores =
        """
        { .reg .b32 t, u, r; add.u32 r, rd, br; xor.b32 u, bx, 0; add.u32 u, r, u; xor.b32 t, ax, 0; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+0];
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A4,A5,A6,A7}, [t+3072]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {A0,A1,A2,A3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {A0,A1,A2,A3}, {B2,B3}, {zero,zero,zero,zero};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S32,S33,S34,S35}, {A4,A5,A6,A7}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S36,S37,S38,S39}, {A4,A5,A6,A7}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {A0,A1,A2,A3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {A0,A1,A2,A3}, {B2,B3}, {zero,zero,zero,zero};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S40,S41,S42,S43}, {A4,A5,A6,A7}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S44,S45,S46,S47}, {A4,A5,A6,A7}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {A0,A1,A2,A3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {A0,A1,A2,A3}, {B2,B3}, {zero,zero,zero,zero};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S48,S49,S50,S51}, {A4,A5,A6,A7}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S52,S53,S54,S55}, {A4,A5,A6,A7}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {A0,A1,A2,A3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {A0,A1,A2,A3}, {B2,B3}, {zero,zero,zero,zero};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S56,S57,S58,S59}, {A4,A5,A6,A7}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S60,S61,S62,S63}, {A4,A5,A6,A7}, {B2,B3}, {zero,zero,zero,zero};
        xor.b32 u, bx, 32; add.u32 u, r, u; xor.b32 t, ax, 32; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+0]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A4,A5,A6,A7}, [t+3072];
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {A0,A1,A2,A3}, {B0,B1}, {S0,S1,S2,S3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {A0,A1,A2,A3}, {B2,B3}, {S4,S5,S6,S7};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S32,S33,S34,S35}, {A4,A5,A6,A7}, {B0,B1}, {S32,S33,S34,S35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S36,S37,S38,S39}, {A4,A5,A6,A7}, {B2,B3}, {S36,S37,S38,S39};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {A0,A1,A2,A3}, {B0,B1}, {S8,S9,S10,S11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {A0,A1,A2,A3}, {B2,B3}, {S12,S13,S14,S15};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S40,S41,S42,S43}, {A4,A5,A6,A7}, {B0,B1}, {S40,S41,S42,S43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S44,S45,S46,S47}, {A4,A5,A6,A7}, {B2,B3}, {S44,S45,S46,S47};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {A0,A1,A2,A3}, {B0,B1}, {S16,S17,S18,S19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {A0,A1,A2,A3}, {B2,B3}, {S20,S21,S22,S23};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S48,S49,S50,S51}, {A4,A5,A6,A7}, {B0,B1}, {S48,S49,S50,S51}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S52,S53,S54,S55}, {A4,A5,A6,A7}, {B2,B3}, {S52,S53,S54,S55};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {A0,A1,A2,A3}, {B0,B1}, {S24,S25,S26,S27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {A0,A1,A2,A3}, {B2,B3}, {S28,S29,S30,S31};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S56,S57,S58,S59}, {A4,A5,A6,A7}, {B0,B1}, {S56,S57,S58,S59}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S60,S61,S62,S63}, {A4,A5,A6,A7}, {B2,B3}, {S60,S61,S62,S63};
        xor.b32 u, bx, 64; add.u32 u, r, u; xor.b32 t, ax, 64; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+0]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A4,A5,A6,A7}, [t+3072];
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {A0,A1,A2,A3}, {B0,B1}, {S0,S1,S2,S3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {A0,A1,A2,A3}, {B2,B3}, {S4,S5,S6,S7};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S32,S33,S34,S35}, {A4,A5,A6,A7}, {B0,B1}, {S32,S33,S34,S35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S36,S37,S38,S39}, {A4,A5,A6,A7}, {B2,B3}, {S36,S37,S38,S39};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {A0,A1,A2,A3}, {B0,B1}, {S8,S9,S10,S11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {A0,A1,A2,A3}, {B2,B3}, {S12,S13,S14,S15};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S40,S41,S42,S43}, {A4,A5,A6,A7}, {B0,B1}, {S40,S41,S42,S43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S44,S45,S46,S47}, {A4,A5,A6,A7}, {B2,B3}, {S44,S45,S46,S47};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {A0,A1,A2,A3}, {B0,B1}, {S16,S17,S18,S19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {A0,A1,A2,A3}, {B2,B3}, {S20,S21,S22,S23};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S48,S49,S50,S51}, {A4,A5,A6,A7}, {B0,B1}, {S48,S49,S50,S51}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S52,S53,S54,S55}, {A4,A5,A6,A7}, {B2,B3}, {S52,S53,S54,S55};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {A0,A1,A2,A3}, {B0,B1}, {S24,S25,S26,S27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {A0,A1,A2,A3}, {B2,B3}, {S28,S29,S30,S31};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S56,S57,S58,S59}, {A4,A5,A6,A7}, {B0,B1}, {S56,S57,S58,S59}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S60,S61,S62,S63}, {A4,A5,A6,A7}, {B2,B3}, {S60,S61,S62,S63};
        xor.b32 u, bx, 96; add.u32 u, r, u; xor.b32 t, ax, 96; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+0]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A4,A5,A6,A7}, [t+3072];
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {A0,A1,A2,A3}, {B0,B1}, {S0,S1,S2,S3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {A0,A1,A2,A3}, {B2,B3}, {S4,S5,S6,S7};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S32,S33,S34,S35}, {A4,A5,A6,A7}, {B0,B1}, {S32,S33,S34,S35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S36,S37,S38,S39}, {A4,A5,A6,A7}, {B2,B3}, {S36,S37,S38,S39};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {A0,A1,A2,A3}, {B0,B1}, {S8,S9,S10,S11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {A0,A1,A2,A3}, {B2,B3}, {S12,S13,S14,S15};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S40,S41,S42,S43}, {A4,A5,A6,A7}, {B0,B1}, {S40,S41,S42,S43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S44,S45,S46,S47}, {A4,A5,A6,A7}, {B2,B3}, {S44,S45,S46,S47};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {A0,A1,A2,A3}, {B0,B1}, {S16,S17,S18,S19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {A0,A1,A2,A3}, {B2,B3}, {S20,S21,S22,S23};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S48,S49,S50,S51}, {A4,A5,A6,A7}, {B0,B1}, {S48,S49,S50,S51}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S52,S53,S54,S55}, {A4,A5,A6,A7}, {B2,B3}, {S52,S53,S54,S55};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {A0,A1,A2,A3}, {B0,B1}, {S24,S25,S26,S27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {A0,A1,A2,A3}, {B2,B3}, {S28,S29,S30,S31};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S56,S57,S58,S59}, {A4,A5,A6,A7}, {B0,B1}, {S56,S57,S58,S59}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S60,S61,S62,S63}, {A4,A5,A6,A7}, {B2,B3}, {S60,S61,S62,S63};
        xor.b32 u, bx, 128; add.u32 u, r, u; xor.b32 t, ax, 128; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+0]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A4,A5,A6,A7}, [t+3072];
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {A0,A1,A2,A3}, {B0,B1}, {S0,S1,S2,S3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {A0,A1,A2,A3}, {B2,B3}, {S4,S5,S6,S7};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S32,S33,S34,S35}, {A4,A5,A6,A7}, {B0,B1}, {S32,S33,S34,S35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S36,S37,S38,S39}, {A4,A5,A6,A7}, {B2,B3}, {S36,S37,S38,S39};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {A0,A1,A2,A3}, {B0,B1}, {S8,S9,S10,S11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {A0,A1,A2,A3}, {B2,B3}, {S12,S13,S14,S15};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S40,S41,S42,S43}, {A4,A5,A6,A7}, {B0,B1}, {S40,S41,S42,S43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S44,S45,S46,S47}, {A4,A5,A6,A7}, {B2,B3}, {S44,S45,S46,S47};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {A0,A1,A2,A3}, {B0,B1}, {S16,S17,S18,S19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {A0,A1,A2,A3}, {B2,B3}, {S20,S21,S22,S23};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S48,S49,S50,S51}, {A4,A5,A6,A7}, {B0,B1}, {S48,S49,S50,S51}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S52,S53,S54,S55}, {A4,A5,A6,A7}, {B2,B3}, {S52,S53,S54,S55};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {A0,A1,A2,A3}, {B0,B1}, {S24,S25,S26,S27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {A0,A1,A2,A3}, {B2,B3}, {S28,S29,S30,S31};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S56,S57,S58,S59}, {A4,A5,A6,A7}, {B0,B1}, {S56,S57,S58,S59}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S60,S61,S62,S63}, {A4,A5,A6,A7}, {B2,B3}, {S60,S61,S62,S63};
        xor.b32 u, bx, 160; add.u32 u, r, u; xor.b32 t, ax, 160; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+0]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A4,A5,A6,A7}, [t+3072];
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {A0,A1,A2,A3}, {B0,B1}, {S0,S1,S2,S3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {A0,A1,A2,A3}, {B2,B3}, {S4,S5,S6,S7};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S32,S33,S34,S35}, {A4,A5,A6,A7}, {B0,B1}, {S32,S33,S34,S35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S36,S37,S38,S39}, {A4,A5,A6,A7}, {B2,B3}, {S36,S37,S38,S39};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {A0,A1,A2,A3}, {B0,B1}, {S8,S9,S10,S11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {A0,A1,A2,A3}, {B2,B3}, {S12,S13,S14,S15};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S40,S41,S42,S43}, {A4,A5,A6,A7}, {B0,B1}, {S40,S41,S42,S43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S44,S45,S46,S47}, {A4,A5,A6,A7}, {B2,B3}, {S44,S45,S46,S47};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {A0,A1,A2,A3}, {B0,B1}, {S16,S17,S18,S19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {A0,A1,A2,A3}, {B2,B3}, {S20,S21,S22,S23};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S48,S49,S50,S51}, {A4,A5,A6,A7}, {B0,B1}, {S48,S49,S50,S51}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S52,S53,S54,S55}, {A4,A5,A6,A7}, {B2,B3}, {S52,S53,S54,S55};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {A0,A1,A2,A3}, {B0,B1}, {S24,S25,S26,S27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {A0,A1,A2,A3}, {B2,B3}, {S28,S29,S30,S31};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S56,S57,S58,S59}, {A4,A5,A6,A7}, {B0,B1}, {S56,S57,S58,S59}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S60,S61,S62,S63}, {A4,A5,A6,A7}, {B2,B3}, {S60,S61,S62,S63};
        }
        """;

    // Columns from the last key on become −∞; %0 is their number from this lane's first column.
    private const string Mask =
        """
        { .reg .pred p, q; setp.gt.s32 p, %0, 0; setp.gt.s32 q, %0, 1; selp.f32 S0, S0, 0fFF800000, p; selp.f32 S1, S1, 0fFF800000, q; selp.f32 S2, S2, 0fFF800000, p; selp.f32 S3, S3, 0fFF800000, q;
        selp.f32 S32, S32, 0fFF800000, p; selp.f32 S33, S33, 0fFF800000, q; selp.f32 S34, S34, 0fFF800000, p; selp.f32 S35, S35, 0fFF800000, q; setp.gt.s32 p, %0, 8; setp.gt.s32 q, %0, 9;
        selp.f32 S4, S4, 0fFF800000, p; selp.f32 S5, S5, 0fFF800000, q; selp.f32 S6, S6, 0fFF800000, p; selp.f32 S7, S7, 0fFF800000, q; selp.f32 S36, S36, 0fFF800000, p; selp.f32 S37, S37, 0fFF800000, q;
        selp.f32 S38, S38, 0fFF800000, p; selp.f32 S39, S39, 0fFF800000, q; setp.gt.s32 p, %0, 16; setp.gt.s32 q, %0, 17; selp.f32 S8, S8, 0fFF800000, p; selp.f32 S9, S9, 0fFF800000, q;
        selp.f32 S10, S10, 0fFF800000, p; selp.f32 S11, S11, 0fFF800000, q; selp.f32 S40, S40, 0fFF800000, p; selp.f32 S41, S41, 0fFF800000, q; selp.f32 S42, S42, 0fFF800000, p; selp.f32 S43, S43, 0fFF800000, q;
        setp.gt.s32 p, %0, 24; setp.gt.s32 q, %0, 25; selp.f32 S12, S12, 0fFF800000, p; selp.f32 S13, S13, 0fFF800000, q; selp.f32 S14, S14, 0fFF800000, p; selp.f32 S15, S15, 0fFF800000, q;
        selp.f32 S44, S44, 0fFF800000, p; selp.f32 S45, S45, 0fFF800000, q; selp.f32 S46, S46, 0fFF800000, p; selp.f32 S47, S47, 0fFF800000, q; setp.gt.s32 p, %0, 32; setp.gt.s32 q, %0, 33;
        selp.f32 S16, S16, 0fFF800000, p; selp.f32 S17, S17, 0fFF800000, q; selp.f32 S18, S18, 0fFF800000, p; selp.f32 S19, S19, 0fFF800000, q; selp.f32 S48, S48, 0fFF800000, p; selp.f32 S49, S49, 0fFF800000, q;
        selp.f32 S50, S50, 0fFF800000, p; selp.f32 S51, S51, 0fFF800000, q; setp.gt.s32 p, %0, 40; setp.gt.s32 q, %0, 41; selp.f32 S20, S20, 0fFF800000, p; selp.f32 S21, S21, 0fFF800000, q;
        selp.f32 S22, S22, 0fFF800000, p; selp.f32 S23, S23, 0fFF800000, q; selp.f32 S52, S52, 0fFF800000, p; selp.f32 S53, S53, 0fFF800000, q; selp.f32 S54, S54, 0fFF800000, p; selp.f32 S55, S55, 0fFF800000, q;
        setp.gt.s32 p, %0, 48; setp.gt.s32 q, %0, 49; selp.f32 S24, S24, 0fFF800000, p; selp.f32 S25, S25, 0fFF800000, q; selp.f32 S26, S26, 0fFF800000, p; selp.f32 S27, S27, 0fFF800000, q;
        selp.f32 S56, S56, 0fFF800000, p; selp.f32 S57, S57, 0fFF800000, q; selp.f32 S58, S58, 0fFF800000, p; selp.f32 S59, S59, 0fFF800000, q; setp.gt.s32 p, %0, 56; setp.gt.s32 q, %0, 57;
        selp.f32 S28, S28, 0fFF800000, p; selp.f32 S29, S29, 0fFF800000, q; selp.f32 S30, S30, 0fFF800000, p; selp.f32 S31, S31, 0fFF800000, q; selp.f32 S60, S60, 0fFF800000, p; selp.f32 S61, S61, 0fFF800000, q;
        selp.f32 S62, S62, 0fFF800000, p; selp.f32 S63, S63, 0fFF800000, q; }
        """;

    // N = max(M, S) of each row over its four lanes; grow: some row's maximum rose by more than 2^8 times.
    private const string Maxima =
        """
        { .reg .f32 t, d; .reg .b32 u, w; mov.f32 d, zero; mov.f32 N0, M0; max.f32 t, S0, S1; max.f32 N0, N0, t; max.f32 t, S4, S5; max.f32 N0, N0, t; max.f32 t, S8, S9; max.f32 N0, N0, t; max.f32 t, S12, S13; max.f32 N0, N0, t;
        max.f32 t, S16, S17; max.f32 N0, N0, t; max.f32 t, S20, S21; max.f32 N0, N0, t; max.f32 t, S24, S25; max.f32 N0, N0, t; max.f32 t, S28, S29; max.f32 N0, N0, t;
        mov.b32 u, N0; shfl.sync.bfly.b32 w, u, 1, 31, 0xffffffff; mov.b32 t, w; max.f32 N0, N0, t; mov.b32 u, N0; shfl.sync.bfly.b32 w, u, 2, 31, 0xffffffff; mov.b32 t, w; max.f32 N0, N0, t; sub.f32 t, N0, M0; max.f32 d, d, t;
        mov.f32 N1, M1; max.f32 t, S2, S3; max.f32 N1, N1, t; max.f32 t, S6, S7; max.f32 N1, N1, t; max.f32 t, S10, S11; max.f32 N1, N1, t; max.f32 t, S14, S15; max.f32 N1, N1, t; max.f32 t, S18, S19; max.f32 N1, N1, t;
        max.f32 t, S22, S23; max.f32 N1, N1, t; max.f32 t, S26, S27; max.f32 N1, N1, t; max.f32 t, S30, S31; max.f32 N1, N1, t; mov.b32 u, N1; shfl.sync.bfly.b32 w, u, 1, 31, 0xffffffff; mov.b32 t, w; max.f32 N1, N1, t;
        mov.b32 u, N1; shfl.sync.bfly.b32 w, u, 2, 31, 0xffffffff; mov.b32 t, w; max.f32 N1, N1, t; sub.f32 t, N1, M1; max.f32 d, d, t; mov.f32 N2, M2; max.f32 t, S32, S33; max.f32 N2, N2, t;
        max.f32 t, S36, S37; max.f32 N2, N2, t; max.f32 t, S40, S41; max.f32 N2, N2, t; max.f32 t, S44, S45; max.f32 N2, N2, t; max.f32 t, S48, S49; max.f32 N2, N2, t; max.f32 t, S52, S53; max.f32 N2, N2, t;
        max.f32 t, S56, S57; max.f32 N2, N2, t; max.f32 t, S60, S61; max.f32 N2, N2, t; mov.b32 u, N2; shfl.sync.bfly.b32 w, u, 1, 31, 0xffffffff; mov.b32 t, w; max.f32 N2, N2, t;
        mov.b32 u, N2; shfl.sync.bfly.b32 w, u, 2, 31, 0xffffffff; mov.b32 t, w; max.f32 N2, N2, t; sub.f32 t, N2, M2; max.f32 d, d, t; mov.f32 N3, M3; max.f32 t, S34, S35; max.f32 N3, N3, t;
        max.f32 t, S38, S39; max.f32 N3, N3, t; max.f32 t, S42, S43; max.f32 N3, N3, t; max.f32 t, S46, S47; max.f32 N3, N3, t; max.f32 t, S50, S51; max.f32 N3, N3, t; max.f32 t, S54, S55; max.f32 N3, N3, t;
        max.f32 t, S58, S59; max.f32 N3, N3, t; max.f32 t, S62, S63; max.f32 N3, N3, t; mov.b32 u, N3; shfl.sync.bfly.b32 w, u, 1, 31, 0xffffffff; mov.b32 t, w; max.f32 N3, N3, t;
        mov.b32 u, N3; shfl.sync.bfly.b32 w, u, 2, 31, 0xffffffff; mov.b32 t, w; max.f32 N3, N3, t; sub.f32 t, N3, M3; max.f32 d, d, t;
        mul.f32 d, d, sc; setp.gt.f32 grow, d, 0f41000000; vote.sync.any.pred grow, grow, 0xffffffff; }
        """;

    // M = N; O and L of the rows on the new scale.
    private const string Rescale =
        """
        { .reg .f32 f; sub.f32 f, M0, N0; mul.f32 f, f, sc; ex2.approx.ftz.f32 f, f; mul.f32 L0, L0, f; mov.f32 M0, N0; mul.f32 O0, O0, f; mul.f32 O1, O1, f; mul.f32 O4, O4, f; mul.f32 O5, O5, f;
        mul.f32 O8, O8, f; mul.f32 O9, O9, f; mul.f32 O12, O12, f; mul.f32 O13, O13, f; mul.f32 O16, O16, f; mul.f32 O17, O17, f; mul.f32 O20, O20, f; mul.f32 O21, O21, f; mul.f32 O24, O24, f; mul.f32 O25, O25, f;
        mul.f32 O28, O28, f; mul.f32 O29, O29, f; mul.f32 O32, O32, f; mul.f32 O33, O33, f; mul.f32 O36, O36, f; mul.f32 O37, O37, f; mul.f32 O40, O40, f; mul.f32 O41, O41, f; mul.f32 O44, O44, f; mul.f32 O45, O45, f;
        sub.f32 f, M1, N1; mul.f32 f, f, sc; ex2.approx.ftz.f32 f, f; mul.f32 L1, L1, f; mov.f32 M1, N1; mul.f32 O2, O2, f; mul.f32 O3, O3, f; mul.f32 O6, O6, f; mul.f32 O7, O7, f; mul.f32 O10, O10, f; mul.f32 O11, O11, f;
        mul.f32 O14, O14, f; mul.f32 O15, O15, f; mul.f32 O18, O18, f; mul.f32 O19, O19, f; mul.f32 O22, O22, f; mul.f32 O23, O23, f; mul.f32 O26, O26, f; mul.f32 O27, O27, f; mul.f32 O30, O30, f; mul.f32 O31, O31, f;
        mul.f32 O34, O34, f; mul.f32 O35, O35, f; mul.f32 O38, O38, f; mul.f32 O39, O39, f; mul.f32 O42, O42, f; mul.f32 O43, O43, f; mul.f32 O46, O46, f; mul.f32 O47, O47, f;
        sub.f32 f, M2, N2; mul.f32 f, f, sc; ex2.approx.ftz.f32 f, f; mul.f32 L2, L2, f; mov.f32 M2, N2; mul.f32 O48, O48, f; mul.f32 O49, O49, f; mul.f32 O52, O52, f; mul.f32 O53, O53, f;
        mul.f32 O56, O56, f; mul.f32 O57, O57, f; mul.f32 O60, O60, f; mul.f32 O61, O61, f; mul.f32 O64, O64, f; mul.f32 O65, O65, f; mul.f32 O68, O68, f; mul.f32 O69, O69, f; mul.f32 O72, O72, f; mul.f32 O73, O73, f;
        mul.f32 O76, O76, f; mul.f32 O77, O77, f; mul.f32 O80, O80, f; mul.f32 O81, O81, f; mul.f32 O84, O84, f; mul.f32 O85, O85, f; mul.f32 O88, O88, f; mul.f32 O89, O89, f; mul.f32 O92, O92, f; mul.f32 O93, O93, f;
        sub.f32 f, M3, N3; mul.f32 f, f, sc; ex2.approx.ftz.f32 f, f; mul.f32 L3, L3, f; mov.f32 M3, N3; mul.f32 O50, O50, f; mul.f32 O51, O51, f; mul.f32 O54, O54, f; mul.f32 O55, O55, f;
        mul.f32 O58, O58, f; mul.f32 O59, O59, f; mul.f32 O62, O62, f; mul.f32 O63, O63, f; mul.f32 O66, O66, f; mul.f32 O67, O67, f; mul.f32 O70, O70, f; mul.f32 O71, O71, f; mul.f32 O74, O74, f; mul.f32 O75, O75, f;
        mul.f32 O78, O78, f; mul.f32 O79, O79, f; mul.f32 O82, O82, f; mul.f32 O83, O83, f; mul.f32 O86, O86, f; mul.f32 O87, O87, f; mul.f32 O90, O90, f; mul.f32 O91, O91, f; mul.f32 O94, O94, f; mul.f32 O95, O95, f; }
        """;

    // S = 2^(sc·(S − M)), each one FMA and one ex2; L += S.
    private const string Exponentials =
        """
        { .reg .f32 t, m; mul.f32 m, M0, sc; neg.f32 m, m; fma.rn.f32 S0, S0, sc, m; fma.rn.f32 S1, S1, sc, m; ex2.approx.ftz.f32 S0, S0; ex2.approx.ftz.f32 S1, S1; add.f32 t, S0, S1; add.f32 L0, L0, t;
        fma.rn.f32 S4, S4, sc, m; fma.rn.f32 S5, S5, sc, m; ex2.approx.ftz.f32 S4, S4; ex2.approx.ftz.f32 S5, S5; add.f32 t, S4, S5; add.f32 L0, L0, t;
        fma.rn.f32 S8, S8, sc, m; fma.rn.f32 S9, S9, sc, m; ex2.approx.ftz.f32 S8, S8; ex2.approx.ftz.f32 S9, S9; add.f32 t, S8, S9; add.f32 L0, L0, t;
        fma.rn.f32 S12, S12, sc, m; fma.rn.f32 S13, S13, sc, m; ex2.approx.ftz.f32 S12, S12; ex2.approx.ftz.f32 S13, S13; add.f32 t, S12, S13; add.f32 L0, L0, t;
        fma.rn.f32 S16, S16, sc, m; fma.rn.f32 S17, S17, sc, m; ex2.approx.ftz.f32 S16, S16; ex2.approx.ftz.f32 S17, S17; add.f32 t, S16, S17; add.f32 L0, L0, t;
        fma.rn.f32 S20, S20, sc, m; fma.rn.f32 S21, S21, sc, m; ex2.approx.ftz.f32 S20, S20; ex2.approx.ftz.f32 S21, S21; add.f32 t, S20, S21; add.f32 L0, L0, t;
        fma.rn.f32 S24, S24, sc, m; fma.rn.f32 S25, S25, sc, m; ex2.approx.ftz.f32 S24, S24; ex2.approx.ftz.f32 S25, S25; add.f32 t, S24, S25; add.f32 L0, L0, t;
        fma.rn.f32 S28, S28, sc, m; fma.rn.f32 S29, S29, sc, m; ex2.approx.ftz.f32 S28, S28; ex2.approx.ftz.f32 S29, S29; add.f32 t, S28, S29; add.f32 L0, L0, t; mul.f32 m, M1, sc; neg.f32 m, m;
        fma.rn.f32 S2, S2, sc, m; fma.rn.f32 S3, S3, sc, m; ex2.approx.ftz.f32 S2, S2; ex2.approx.ftz.f32 S3, S3; add.f32 t, S2, S3; add.f32 L1, L1, t;
        fma.rn.f32 S6, S6, sc, m; fma.rn.f32 S7, S7, sc, m; ex2.approx.ftz.f32 S6, S6; ex2.approx.ftz.f32 S7, S7; add.f32 t, S6, S7; add.f32 L1, L1, t;
        fma.rn.f32 S10, S10, sc, m; fma.rn.f32 S11, S11, sc, m; ex2.approx.ftz.f32 S10, S10; ex2.approx.ftz.f32 S11, S11; add.f32 t, S10, S11; add.f32 L1, L1, t;
        fma.rn.f32 S14, S14, sc, m; fma.rn.f32 S15, S15, sc, m; ex2.approx.ftz.f32 S14, S14; ex2.approx.ftz.f32 S15, S15; add.f32 t, S14, S15; add.f32 L1, L1, t;
        fma.rn.f32 S18, S18, sc, m; fma.rn.f32 S19, S19, sc, m; ex2.approx.ftz.f32 S18, S18; ex2.approx.ftz.f32 S19, S19; add.f32 t, S18, S19; add.f32 L1, L1, t;
        fma.rn.f32 S22, S22, sc, m; fma.rn.f32 S23, S23, sc, m; ex2.approx.ftz.f32 S22, S22; ex2.approx.ftz.f32 S23, S23; add.f32 t, S22, S23; add.f32 L1, L1, t;
        fma.rn.f32 S26, S26, sc, m; fma.rn.f32 S27, S27, sc, m; ex2.approx.ftz.f32 S26, S26; ex2.approx.ftz.f32 S27, S27; add.f32 t, S26, S27; add.f32 L1, L1, t;
        fma.rn.f32 S30, S30, sc, m; fma.rn.f32 S31, S31, sc, m; ex2.approx.ftz.f32 S30, S30; ex2.approx.ftz.f32 S31, S31; add.f32 t, S30, S31; add.f32 L1, L1, t; mul.f32 m, M2, sc; neg.f32 m, m;
        fma.rn.f32 S32, S32, sc, m; fma.rn.f32 S33, S33, sc, m; ex2.approx.ftz.f32 S32, S32; ex2.approx.ftz.f32 S33, S33; add.f32 t, S32, S33; add.f32 L2, L2, t;
        fma.rn.f32 S36, S36, sc, m; fma.rn.f32 S37, S37, sc, m; ex2.approx.ftz.f32 S36, S36; ex2.approx.ftz.f32 S37, S37; add.f32 t, S36, S37; add.f32 L2, L2, t;
        fma.rn.f32 S40, S40, sc, m; fma.rn.f32 S41, S41, sc, m; ex2.approx.ftz.f32 S40, S40; ex2.approx.ftz.f32 S41, S41; add.f32 t, S40, S41; add.f32 L2, L2, t;
        fma.rn.f32 S44, S44, sc, m; fma.rn.f32 S45, S45, sc, m; ex2.approx.ftz.f32 S44, S44; ex2.approx.ftz.f32 S45, S45; add.f32 t, S44, S45; add.f32 L2, L2, t;
        fma.rn.f32 S48, S48, sc, m; fma.rn.f32 S49, S49, sc, m; ex2.approx.ftz.f32 S48, S48; ex2.approx.ftz.f32 S49, S49; add.f32 t, S48, S49; add.f32 L2, L2, t;
        fma.rn.f32 S52, S52, sc, m; fma.rn.f32 S53, S53, sc, m; ex2.approx.ftz.f32 S52, S52; ex2.approx.ftz.f32 S53, S53; add.f32 t, S52, S53; add.f32 L2, L2, t;
        fma.rn.f32 S56, S56, sc, m; fma.rn.f32 S57, S57, sc, m; ex2.approx.ftz.f32 S56, S56; ex2.approx.ftz.f32 S57, S57; add.f32 t, S56, S57; add.f32 L2, L2, t;
        fma.rn.f32 S60, S60, sc, m; fma.rn.f32 S61, S61, sc, m; ex2.approx.ftz.f32 S60, S60; ex2.approx.ftz.f32 S61, S61; add.f32 t, S60, S61; add.f32 L2, L2, t; mul.f32 m, M3, sc; neg.f32 m, m;
        fma.rn.f32 S34, S34, sc, m; fma.rn.f32 S35, S35, sc, m; ex2.approx.ftz.f32 S34, S34; ex2.approx.ftz.f32 S35, S35; add.f32 t, S34, S35; add.f32 L3, L3, t;
        fma.rn.f32 S38, S38, sc, m; fma.rn.f32 S39, S39, sc, m; ex2.approx.ftz.f32 S38, S38; ex2.approx.ftz.f32 S39, S39; add.f32 t, S38, S39; add.f32 L3, L3, t;
        fma.rn.f32 S42, S42, sc, m; fma.rn.f32 S43, S43, sc, m; ex2.approx.ftz.f32 S42, S42; ex2.approx.ftz.f32 S43, S43; add.f32 t, S42, S43; add.f32 L3, L3, t;
        fma.rn.f32 S46, S46, sc, m; fma.rn.f32 S47, S47, sc, m; ex2.approx.ftz.f32 S46, S46; ex2.approx.ftz.f32 S47, S47; add.f32 t, S46, S47; add.f32 L3, L3, t;
        fma.rn.f32 S50, S50, sc, m; fma.rn.f32 S51, S51, sc, m; ex2.approx.ftz.f32 S50, S50; ex2.approx.ftz.f32 S51, S51; add.f32 t, S50, S51; add.f32 L3, L3, t;
        fma.rn.f32 S54, S54, sc, m; fma.rn.f32 S55, S55, sc, m; ex2.approx.ftz.f32 S54, S54; ex2.approx.ftz.f32 S55, S55; add.f32 t, S54, S55; add.f32 L3, L3, t;
        fma.rn.f32 S58, S58, sc, m; fma.rn.f32 S59, S59, sc, m; ex2.approx.ftz.f32 S58, S58; ex2.approx.ftz.f32 S59, S59; add.f32 t, S58, S59; add.f32 L3, L3, t;
        fma.rn.f32 S62, S62, sc, m; fma.rn.f32 S63, S63, sc, m; ex2.approx.ftz.f32 S62, S62; ex2.approx.ftz.f32 S63, S63; add.f32 t, S62, S63; add.f32 L3, L3, t; }
        """;

    // P = S in bfloat16, as left fragments.
    private const string Pack =
        """
        cvt.rn.bf16x2.f32 P0, S1, S0; cvt.rn.bf16x2.f32 P1, S3, S2; cvt.rn.bf16x2.f32 P2, S5, S4; cvt.rn.bf16x2.f32 P3, S7, S6; cvt.rn.bf16x2.f32 P4, S9, S8; cvt.rn.bf16x2.f32 P5, S11, S10;
        cvt.rn.bf16x2.f32 P6, S13, S12; cvt.rn.bf16x2.f32 P7, S15, S14; cvt.rn.bf16x2.f32 P8, S17, S16; cvt.rn.bf16x2.f32 P9, S19, S18; cvt.rn.bf16x2.f32 P10, S21, S20; cvt.rn.bf16x2.f32 P11, S23, S22;
        cvt.rn.bf16x2.f32 P12, S25, S24; cvt.rn.bf16x2.f32 P13, S27, S26; cvt.rn.bf16x2.f32 P14, S29, S28; cvt.rn.bf16x2.f32 P15, S31, S30; cvt.rn.bf16x2.f32 P16, S33, S32; cvt.rn.bf16x2.f32 P17, S35, S34;
        cvt.rn.bf16x2.f32 P18, S37, S36; cvt.rn.bf16x2.f32 P19, S39, S38; cvt.rn.bf16x2.f32 P20, S41, S40; cvt.rn.bf16x2.f32 P21, S43, S42; cvt.rn.bf16x2.f32 P22, S45, S44; cvt.rn.bf16x2.f32 P23, S47, S46;
        cvt.rn.bf16x2.f32 P24, S49, S48; cvt.rn.bf16x2.f32 P25, S51, S50; cvt.rn.bf16x2.f32 P26, S53, S52; cvt.rn.bf16x2.f32 P27, S55, S54; cvt.rn.bf16x2.f32 P28, S57, S56; cvt.rn.bf16x2.f32 P29, S59, S58;
        cvt.rn.bf16x2.f32 P30, S61, S60; cvt.rn.bf16x2.f32 P31, S63, S62;
        """;

    // O += P · values.
    private const string Weighted =
        """
        { .reg .b32 r, t<6>; add.u32 r, rd, ar; xor.b32 t0, ax, 0; add.u32 t0, r, t0; xor.b32 t1, ax, 32; add.u32 t1, r, t1; xor.b32 t2, ax, 64; add.u32 t2, r, t2; xor.b32 t3, ax, 96; add.u32 t3, r, t3;
        xor.b32 t4, ax, 128; add.u32 t4, r, t4; xor.b32 t5, ax, 160; add.u32 t5, r, t5; ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O0,O1,O2,O3}, {P0,P1,P2,P3}, {B0,B1}, {O0,O1,O2,O3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O4,O5,O6,O7}, {P0,P1,P2,P3}, {B2,B3}, {O4,O5,O6,O7};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O48,O49,O50,O51}, {P16,P17,P18,P19}, {B0,B1}, {O48,O49,O50,O51}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O52,O53,O54,O55}, {P16,P17,P18,P19}, {B2,B3}, {O52,O53,O54,O55};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O8,O9,O10,O11}, {P0,P1,P2,P3}, {B0,B1}, {O8,O9,O10,O11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O12,O13,O14,O15}, {P0,P1,P2,P3}, {B2,B3}, {O12,O13,O14,O15};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O56,O57,O58,O59}, {P16,P17,P18,P19}, {B0,B1}, {O56,O57,O58,O59}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O60,O61,O62,O63}, {P16,P17,P18,P19}, {B2,B3}, {O60,O61,O62,O63};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t2+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O16,O17,O18,O19}, {P0,P1,P2,P3}, {B0,B1}, {O16,O17,O18,O19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O20,O21,O22,O23}, {P0,P1,P2,P3}, {B2,B3}, {O20,O21,O22,O23};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O64,O65,O66,O67}, {P16,P17,P18,P19}, {B0,B1}, {O64,O65,O66,O67}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O68,O69,O70,O71}, {P16,P17,P18,P19}, {B2,B3}, {O68,O69,O70,O71};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t3+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O24,O25,O26,O27}, {P0,P1,P2,P3}, {B0,B1}, {O24,O25,O26,O27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O28,O29,O30,O31}, {P0,P1,P2,P3}, {B2,B3}, {O28,O29,O30,O31};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O72,O73,O74,O75}, {P16,P17,P18,P19}, {B0,B1}, {O72,O73,O74,O75}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O76,O77,O78,O79}, {P16,P17,P18,P19}, {B2,B3}, {O76,O77,O78,O79};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t4+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O32,O33,O34,O35}, {P0,P1,P2,P3}, {B0,B1}, {O32,O33,O34,O35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O36,O37,O38,O39}, {P0,P1,P2,P3}, {B2,B3}, {O36,O37,O38,O39};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O80,O81,O82,O83}, {P16,P17,P18,P19}, {B0,B1}, {O80,O81,O82,O83}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O84,O85,O86,O87}, {P16,P17,P18,P19}, {B2,B3}, {O84,O85,O86,O87};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t5+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O40,O41,O42,O43}, {P0,P1,P2,P3}, {B0,B1}, {O40,O41,O42,O43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O44,O45,O46,O47}, {P0,P1,P2,P3}, {B2,B3}, {O44,O45,O46,O47};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O88,O89,O90,O91}, {P16,P17,P18,P19}, {B0,B1}, {O88,O89,O90,O91}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O92,O93,O94,O95}, {P16,P17,P18,P19}, {B2,B3}, {O92,O93,O94,O95};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O0,O1,O2,O3}, {P4,P5,P6,P7}, {B0,B1}, {O0,O1,O2,O3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O4,O5,O6,O7}, {P4,P5,P6,P7}, {B2,B3}, {O4,O5,O6,O7};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O48,O49,O50,O51}, {P20,P21,P22,P23}, {B0,B1}, {O48,O49,O50,O51}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O52,O53,O54,O55}, {P20,P21,P22,P23}, {B2,B3}, {O52,O53,O54,O55};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O8,O9,O10,O11}, {P4,P5,P6,P7}, {B0,B1}, {O8,O9,O10,O11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O12,O13,O14,O15}, {P4,P5,P6,P7}, {B2,B3}, {O12,O13,O14,O15};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O56,O57,O58,O59}, {P20,P21,P22,P23}, {B0,B1}, {O56,O57,O58,O59}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O60,O61,O62,O63}, {P20,P21,P22,P23}, {B2,B3}, {O60,O61,O62,O63};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t2+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O16,O17,O18,O19}, {P4,P5,P6,P7}, {B0,B1}, {O16,O17,O18,O19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O20,O21,O22,O23}, {P4,P5,P6,P7}, {B2,B3}, {O20,O21,O22,O23};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O64,O65,O66,O67}, {P20,P21,P22,P23}, {B0,B1}, {O64,O65,O66,O67}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O68,O69,O70,O71}, {P20,P21,P22,P23}, {B2,B3}, {O68,O69,O70,O71};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t3+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O24,O25,O26,O27}, {P4,P5,P6,P7}, {B0,B1}, {O24,O25,O26,O27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O28,O29,O30,O31}, {P4,P5,P6,P7}, {B2,B3}, {O28,O29,O30,O31};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O72,O73,O74,O75}, {P20,P21,P22,P23}, {B0,B1}, {O72,O73,O74,O75}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O76,O77,O78,O79}, {P20,P21,P22,P23}, {B2,B3}, {O76,O77,O78,O79};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t4+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O32,O33,O34,O35}, {P4,P5,P6,P7}, {B0,B1}, {O32,O33,O34,O35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O36,O37,O38,O39}, {P4,P5,P6,P7}, {B2,B3}, {O36,O37,O38,O39};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O80,O81,O82,O83}, {P20,P21,P22,P23}, {B0,B1}, {O80,O81,O82,O83}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O84,O85,O86,O87}, {P20,P21,P22,P23}, {B2,B3}, {O84,O85,O86,O87};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t5+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O40,O41,O42,O43}, {P4,P5,P6,P7}, {B0,B1}, {O40,O41,O42,O43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O44,O45,O46,O47}, {P4,P5,P6,P7}, {B2,B3}, {O44,O45,O46,O47};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O88,O89,O90,O91}, {P20,P21,P22,P23}, {B0,B1}, {O88,O89,O90,O91}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O92,O93,O94,O95}, {P20,P21,P22,P23}, {B2,B3}, {O92,O93,O94,O95};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O0,O1,O2,O3}, {P8,P9,P10,P11}, {B0,B1}, {O0,O1,O2,O3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O4,O5,O6,O7}, {P8,P9,P10,P11}, {B2,B3}, {O4,O5,O6,O7};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O48,O49,O50,O51}, {P24,P25,P26,P27}, {B0,B1}, {O48,O49,O50,O51}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O52,O53,O54,O55}, {P24,P25,P26,P27}, {B2,B3}, {O52,O53,O54,O55};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O8,O9,O10,O11}, {P8,P9,P10,P11}, {B0,B1}, {O8,O9,O10,O11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O12,O13,O14,O15}, {P8,P9,P10,P11}, {B2,B3}, {O12,O13,O14,O15};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O56,O57,O58,O59}, {P24,P25,P26,P27}, {B0,B1}, {O56,O57,O58,O59}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O60,O61,O62,O63}, {P24,P25,P26,P27}, {B2,B3}, {O60,O61,O62,O63};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t2+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O16,O17,O18,O19}, {P8,P9,P10,P11}, {B0,B1}, {O16,O17,O18,O19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O20,O21,O22,O23}, {P8,P9,P10,P11}, {B2,B3}, {O20,O21,O22,O23};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O64,O65,O66,O67}, {P24,P25,P26,P27}, {B0,B1}, {O64,O65,O66,O67}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O68,O69,O70,O71}, {P24,P25,P26,P27}, {B2,B3}, {O68,O69,O70,O71};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t3+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O24,O25,O26,O27}, {P8,P9,P10,P11}, {B0,B1}, {O24,O25,O26,O27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O28,O29,O30,O31}, {P8,P9,P10,P11}, {B2,B3}, {O28,O29,O30,O31};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O72,O73,O74,O75}, {P24,P25,P26,P27}, {B0,B1}, {O72,O73,O74,O75}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O76,O77,O78,O79}, {P24,P25,P26,P27}, {B2,B3}, {O76,O77,O78,O79};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t4+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O32,O33,O34,O35}, {P8,P9,P10,P11}, {B0,B1}, {O32,O33,O34,O35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O36,O37,O38,O39}, {P8,P9,P10,P11}, {B2,B3}, {O36,O37,O38,O39};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O80,O81,O82,O83}, {P24,P25,P26,P27}, {B0,B1}, {O80,O81,O82,O83}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O84,O85,O86,O87}, {P24,P25,P26,P27}, {B2,B3}, {O84,O85,O86,O87};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t5+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O40,O41,O42,O43}, {P8,P9,P10,P11}, {B0,B1}, {O40,O41,O42,O43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O44,O45,O46,O47}, {P8,P9,P10,P11}, {B2,B3}, {O44,O45,O46,O47};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O88,O89,O90,O91}, {P24,P25,P26,P27}, {B0,B1}, {O88,O89,O90,O91}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O92,O93,O94,O95}, {P24,P25,P26,P27}, {B2,B3}, {O92,O93,O94,O95};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O0,O1,O2,O3}, {P12,P13,P14,P15}, {B0,B1}, {O0,O1,O2,O3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O4,O5,O6,O7}, {P12,P13,P14,P15}, {B2,B3}, {O4,O5,O6,O7};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O48,O49,O50,O51}, {P28,P29,P30,P31}, {B0,B1}, {O48,O49,O50,O51}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O52,O53,O54,O55}, {P28,P29,P30,P31}, {B2,B3}, {O52,O53,O54,O55};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O8,O9,O10,O11}, {P12,P13,P14,P15}, {B0,B1}, {O8,O9,O10,O11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O12,O13,O14,O15}, {P12,P13,P14,P15}, {B2,B3}, {O12,O13,O14,O15};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O56,O57,O58,O59}, {P28,P29,P30,P31}, {B0,B1}, {O56,O57,O58,O59}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O60,O61,O62,O63}, {P28,P29,P30,P31}, {B2,B3}, {O60,O61,O62,O63};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t2+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O16,O17,O18,O19}, {P12,P13,P14,P15}, {B0,B1}, {O16,O17,O18,O19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O20,O21,O22,O23}, {P12,P13,P14,P15}, {B2,B3}, {O20,O21,O22,O23};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O64,O65,O66,O67}, {P28,P29,P30,P31}, {B0,B1}, {O64,O65,O66,O67}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O68,O69,O70,O71}, {P28,P29,P30,P31}, {B2,B3}, {O68,O69,O70,O71};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t3+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O24,O25,O26,O27}, {P12,P13,P14,P15}, {B0,B1}, {O24,O25,O26,O27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O28,O29,O30,O31}, {P12,P13,P14,P15}, {B2,B3}, {O28,O29,O30,O31};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O72,O73,O74,O75}, {P28,P29,P30,P31}, {B0,B1}, {O72,O73,O74,O75}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O76,O77,O78,O79}, {P28,P29,P30,P31}, {B2,B3}, {O76,O77,O78,O79};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t4+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O32,O33,O34,O35}, {P12,P13,P14,P15}, {B0,B1}, {O32,O33,O34,O35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O36,O37,O38,O39}, {P12,P13,P14,P15}, {B2,B3}, {O36,O37,O38,O39};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O80,O81,O82,O83}, {P28,P29,P30,P31}, {B0,B1}, {O80,O81,O82,O83}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O84,O85,O86,O87}, {P28,P29,P30,P31}, {B2,B3}, {O84,O85,O86,O87};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t5+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O40,O41,O42,O43}, {P12,P13,P14,P15}, {B0,B1}, {O40,O41,O42,O43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O44,O45,O46,O47}, {P12,P13,P14,P15}, {B2,B3}, {O44,O45,O46,O47};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O88,O89,O90,O91}, {P28,P29,P30,P31}, {B0,B1}, {O88,O89,O90,O91}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O92,O93,O94,O95}, {P28,P29,P30,P31}, {B2,B3}, {O92,O93,O94,O95};
        }
        """;

    // L = 1 / Σ over the row's four lanes; %0 address of lse of the lane's first row, %1 rows that remain from there.
    private const string Finish =
        """
        { .reg .pred p; .reg .f32 t; .reg .b32 u, w; mov.b32 u, L0; shfl.sync.bfly.b32 w, u, 1, 31, 0xffffffff; mov.b32 t, w; add.f32 L0, L0, t;
        mov.b32 u, L0; shfl.sync.bfly.b32 w, u, 2, 31, 0xffffffff; mov.b32 t, w; add.f32 L0, L0, t; lg2.approx.f32 t, L0; fma.rn.f32 t, M0, sc, t; mul.f32 t, t, 0f3F317218;
        setp.gt.s32 p, %1, 0; @p st.global.f32 [%0+0], t; rcp.approx.ftz.f32 L0, L0; mov.b32 u, L1; shfl.sync.bfly.b32 w, u, 1, 31, 0xffffffff; mov.b32 t, w; add.f32 L1, L1, t;
        mov.b32 u, L1; shfl.sync.bfly.b32 w, u, 2, 31, 0xffffffff; mov.b32 t, w; add.f32 L1, L1, t; lg2.approx.f32 t, L1; fma.rn.f32 t, M1, sc, t; mul.f32 t, t, 0f3F317218;
        setp.gt.s32 p, %1, 8; @p st.global.f32 [%0+32], t; rcp.approx.ftz.f32 L1, L1; mov.b32 u, L2; shfl.sync.bfly.b32 w, u, 1, 31, 0xffffffff; mov.b32 t, w; add.f32 L2, L2, t;
        mov.b32 u, L2; shfl.sync.bfly.b32 w, u, 2, 31, 0xffffffff; mov.b32 t, w; add.f32 L2, L2, t; lg2.approx.f32 t, L2; fma.rn.f32 t, M2, sc, t; mul.f32 t, t, 0f3F317218;
        setp.gt.s32 p, %1, 16; @p st.global.f32 [%0+64], t; rcp.approx.ftz.f32 L2, L2; mov.b32 u, L3; shfl.sync.bfly.b32 w, u, 1, 31, 0xffffffff; mov.b32 t, w; add.f32 L3, L3, t;
        mov.b32 u, L3; shfl.sync.bfly.b32 w, u, 2, 31, 0xffffffff; mov.b32 t, w; add.f32 L3, L3, t; lg2.approx.f32 t, L3; fma.rn.f32 t, M3, sc, t; mul.f32 t, t, 0f3F317218;
        setp.gt.s32 p, %1, 24; @p st.global.f32 [%0+96], t; rcp.approx.ftz.f32 L3, L3; }
        """;

    // O · L as bfloat16.
    private const string Store =
        """
        { .reg .pred p, v; .reg .b32 u, w, c, d<4>; .reg .f32 a, b; .reg .b64 o; bar.warp.sync 0xffffffff; add.u32 w, sb, %0; xor.b32 c, %1, 0; add.u32 c, w, c;
        mul.f32 a, O0, L0; mul.f32 b, O1, L0; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, O2, L1; mul.f32 b, O3, L1; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        mul.f32 a, O48, L2; mul.f32 b, O49, L2; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+3072], u; mul.f32 a, O50, L3; mul.f32 b, O51, L3; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+4608], u;
        xor.b32 c, %1, 16; add.u32 c, w, c; mul.f32 a, O4, L0; mul.f32 b, O5, L0; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, O6, L1; mul.f32 b, O7, L1; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        mul.f32 a, O52, L2; mul.f32 b, O53, L2; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+3072], u; mul.f32 a, O54, L3; mul.f32 b, O55, L3; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+4608], u;
        xor.b32 c, %1, 32; add.u32 c, w, c; mul.f32 a, O8, L0; mul.f32 b, O9, L0; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, O10, L1; mul.f32 b, O11, L1; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        mul.f32 a, O56, L2; mul.f32 b, O57, L2; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+3072], u; mul.f32 a, O58, L3; mul.f32 b, O59, L3; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+4608], u;
        xor.b32 c, %1, 48; add.u32 c, w, c; mul.f32 a, O12, L0; mul.f32 b, O13, L0; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, O14, L1; mul.f32 b, O15, L1; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        mul.f32 a, O60, L2; mul.f32 b, O61, L2; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+3072], u; mul.f32 a, O62, L3; mul.f32 b, O63, L3; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+4608], u;
        xor.b32 c, %1, 64; add.u32 c, w, c; mul.f32 a, O16, L0; mul.f32 b, O17, L0; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, O18, L1; mul.f32 b, O19, L1; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        mul.f32 a, O64, L2; mul.f32 b, O65, L2; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+3072], u; mul.f32 a, O66, L3; mul.f32 b, O67, L3; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+4608], u;
        xor.b32 c, %1, 80; add.u32 c, w, c; mul.f32 a, O20, L0; mul.f32 b, O21, L0; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, O22, L1; mul.f32 b, O23, L1; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        mul.f32 a, O68, L2; mul.f32 b, O69, L2; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+3072], u; mul.f32 a, O70, L3; mul.f32 b, O71, L3; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+4608], u;
        xor.b32 c, %1, 96; add.u32 c, w, c; mul.f32 a, O24, L0; mul.f32 b, O25, L0; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, O26, L1; mul.f32 b, O27, L1; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        mul.f32 a, O72, L2; mul.f32 b, O73, L2; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+3072], u; mul.f32 a, O74, L3; mul.f32 b, O75, L3; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+4608], u;
        xor.b32 c, %1, 112; add.u32 c, w, c; mul.f32 a, O28, L0; mul.f32 b, O29, L0; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u;
        mul.f32 a, O30, L1; mul.f32 b, O31, L1; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u; mul.f32 a, O76, L2; mul.f32 b, O77, L2; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+3072], u;
        mul.f32 a, O78, L3; mul.f32 b, O79, L3; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+4608], u; xor.b32 c, %1, 128; add.u32 c, w, c;
        mul.f32 a, O32, L0; mul.f32 b, O33, L0; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, O34, L1; mul.f32 b, O35, L1; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        mul.f32 a, O80, L2; mul.f32 b, O81, L2; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+3072], u; mul.f32 a, O82, L3; mul.f32 b, O83, L3; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+4608], u;
        xor.b32 c, %1, 144; add.u32 c, w, c; mul.f32 a, O36, L0; mul.f32 b, O37, L0; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u;
        mul.f32 a, O38, L1; mul.f32 b, O39, L1; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u; mul.f32 a, O84, L2; mul.f32 b, O85, L2; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+3072], u;
        mul.f32 a, O86, L3; mul.f32 b, O87, L3; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+4608], u; xor.b32 c, %1, 160; add.u32 c, w, c;
        mul.f32 a, O40, L0; mul.f32 b, O41, L0; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, O42, L1; mul.f32 b, O43, L1; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        mul.f32 a, O88, L2; mul.f32 b, O89, L2; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+3072], u; mul.f32 a, O90, L3; mul.f32 b, O91, L3; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+4608], u;
        xor.b32 c, %1, 176; add.u32 c, w, c; mul.f32 a, O44, L0; mul.f32 b, O45, L0; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u;
        mul.f32 a, O46, L1; mul.f32 b, O47, L1; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u; mul.f32 a, O92, L2; mul.f32 b, O93, L2; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+3072], u;
        mul.f32 a, O94, L3; mul.f32 b, O95, L3; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+4608], u; bar.warp.sync 0xffffffff; mov.b64 o, %3; xor.b32 c, %2, 0; add.u32 c, sb, c; setp.gt.s32 v, %5, 0;
        setp.ne.and.b32 p, z0, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+0]; @p st.global.v4.b32 [o+0], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z1, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+64]; @p st.global.v4.b32 [o+64], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z2, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+128]; @p st.global.v4.b32 [o+128], {d0,d1,d2,d3}; add.s64 o, o, %4; xor.b32 c, %2, 0; add.u32 c, sb, c; setp.gt.s32 v, %5, 8;
        setp.ne.and.b32 p, z0, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+1536]; @p st.global.v4.b32 [o+0], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z1, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+1600]; @p st.global.v4.b32 [o+64], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z2, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+1664]; @p st.global.v4.b32 [o+128], {d0,d1,d2,d3}; add.s64 o, o, %4; xor.b32 c, %2, 0; add.u32 c, sb, c; setp.gt.s32 v, %5, 16;
        setp.ne.and.b32 p, z0, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+3072]; @p st.global.v4.b32 [o+0], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z1, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+3136]; @p st.global.v4.b32 [o+64], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z2, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+3200]; @p st.global.v4.b32 [o+128], {d0,d1,d2,d3}; add.s64 o, o, %4; xor.b32 c, %2, 0; add.u32 c, sb, c; setp.gt.s32 v, %5, 24;
        setp.ne.and.b32 p, z0, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+4608]; @p st.global.v4.b32 [o+0], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z1, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+4672]; @p st.global.v4.b32 [o+64], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z2, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+4736]; @p st.global.v4.b32 [o+128], {d0,d1,d2,d3}; }
        """;

    /// <summary>o and lse for a tile of queries of one head; see <see cref="IBackend.Attention"/>. Addresses are bytes; tiles is the number of query tiles.</summary>
    [KernelBounds(128, MinGroups = 2, SharedBytes = 73728)]
    public static void Forward(long q, long k, long v, long o, long lse, AttentionShape s, int tiles)
    {
        var shared = SharedMemory.GetDynamic<Float4>();
        int thread = Group.IdxX, lane = thread & 31, warp = thread >> 5;
        int tile = Grid.IdxX % tiles, head = Grid.IdxX / tiles % s.Heads, sample = Grid.IdxX / tiles / s.Heads;
        int first = tile * 128, warpRow = warp * 32;

        // Copies: 4 threads a row. Fragments: a lane's row and chunk of 16 bytes, exchanged by the row (see FlashShape.Swizzle).
        int row = thread / 4, chunk = thread % 4;
        int leftRow = lane & 15, rightRow = (lane & 7) + (lane >> 4 << 3);
        CudaAsm.Emit(Registers);
        CudaAsm.Emit(Places, row * 192 + ((chunk ^ (row >> 1 & 3)) << 4), leftRow * 192, ((lane >> 4) ^ (leftRow >> 1 & 3)) << 4,
            rightRow * 192, ((lane >> 3 & 1) ^ (rightRow >> 1 & 3)) << 4, warpRow * 192);
        CudaAsm.Emit(Sources, FlashRows.Address(k, s, sample, s.Keys, row, s.StrideK, head, chunk), FlashRows.Address(v, s, sample, s.Keys, row, s.StrideV, head, chunk),
            s.StrideK * 64L, s.StrideV * 64L, s.Keys - row, chunk < s.HeadDim / 8 ? 16 : 0, chunk + 4 < s.HeadDim / 8 ? 16 : 0, chunk + 8 < s.HeadDim / 8 ? 16 : 0);
        CudaAsm.Emit(CopyLeft, s.Queries - first - row, FlashRows.Address(q, s, sample, s.Queries, first + row, s.StrideQ, head, chunk), s.StrideQ * 64L);
        CudaAsm.Emit(CopyTiles);
        CudaAsm.Emit(Begin, s.Scale * 1.44269504f);

        int count = (s.Keys + 63) / 64, full = s.Keys / 64;
        for (int j = 0; j < full; j++)
        {
            CudaAsm.Emit(Arrive);
            if (j + 1 < count) { CudaAsm.Emit(CopyTiles); }
            CudaAsm.Emit(Scores);
            CudaAsm.Emit(Maxima);
            CudaAsm.Emit("@!grow bra.uni Keep;");
            CudaAsm.Emit(Rescale);
            CudaAsm.Emit("Keep:");
            CudaAsm.Emit(Exponentials);
            CudaAsm.Emit(Pack);
            CudaAsm.Emit(Weighted);
            CudaAsm.Emit(Advance);
        }
        if (full < count)
        {
            CudaAsm.Emit(Arrive);
            CudaAsm.Emit(Scores);
            CudaAsm.Emit(Mask, s.Keys - full * 64 - ((lane & 3) << 1));
            CudaAsm.Emit(Maxima);
            CudaAsm.Emit("@!grow bra.uni KeepLast;");
            CudaAsm.Emit(Rescale);
            CudaAsm.Emit("KeepLast:");
            CudaAsm.Emit(Exponentials);
            CudaAsm.Emit(Pack);
            CudaAsm.Emit(Weighted);
        }

        int query = first + warpRow + (lane >> 2);
        CudaAsm.Emit(Finish, lse + 4 * (((long)sample * s.Heads + head) * s.Queries + query), (lane & 3) == 0 ? s.Queries - query : 0);
        int storeRow = lane / 4, storeChunk = lane % 4, storeFirst = first + warpRow + storeRow;
        int sumPlace = (warpRow + (lane >> 2)) * 192 + ((lane & 3) << 2), sumExchange = ((lane >> 2) >> 1 & 3) << 4;
        int storePlace = (warpRow + storeRow) * 192 + ((storeChunk ^ (storeRow >> 1 & 3)) << 4);
        CudaAsm.Emit(Store, sumPlace, sumExchange, storePlace, FlashRows.Address(o, s, sample, s.Queries, storeFirst, s.StrideO, head, storeChunk), s.StrideO * 16L, s.Queries - storeFirst);
        if (s.Keys < 0) { shared[thread] = default; }
    }
}
