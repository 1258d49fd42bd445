// Written by eng/kernel-generator (FlashForward). Do not edit: change the generator and run it.
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace I2M.Kernels.Ilgpu;

/// <summary>Forward attention in bfloat16 on tensor cores for heads of up to 32 channels: blocks of 128 queries, tiles of 64 keys.</summary>
internal static class FlashForward32Kernels
{
    // S scores, then probabilities; O sums; P probabilities in bfloat16; M running maxima, L sums, N new maxima of this lane's rows.
    private const string Registers =
        """
        .reg .b32 sb, so, wr, rd, both, ar, ax, br, bx, la; .reg .s32 left; .reg .b64 xp, yp, xs, ys; .reg .f32 zero; .reg .b32 z<1>; .reg .b32 A<8>; .reg .b32 B<4>; .reg .f32 S<64>; .reg .f32 O<32>; .reg .b32 P<32>;
        .reg .f32 M<4>, L<4>, N<4>; .reg .f32 sc; .reg .pred grow; .reg .b32 Q<16>;
        """;

    // See FlashStages in the generator for the names.
    private const string Places =
        """
        mov.u32 sb, __dyn_shared_alloca; mov.f32 zero, 0f00000000; mov.b32 so, %0; mov.b32 ar, %1; mov.b32 ax, %2; mov.b32 br, %3; mov.b32 bx, %4; add.u32 la, sb, %5; add.u32 la, la, ar;
        add.u32 rd, sb, 8192; add.u32 wr, rd, so; add.u32 both, rd, rd; add.u32 both, both, 8192;
        """;

    // The thread's part of the copies of keys and values.
    private const string Sources =
        """
        mov.b64 xp, %0; mov.b64 yp, %1; mov.b64 xs, %2; mov.b64 ys, %3; mov.b32 left, %4; mov.b32 z0, %5;
        """;

    // The block's queries on their way to shared memory; rows and channels that do not exist become zero.
    private const string CopyLeft =
        """
        { .reg .pred p; .reg .b32 z, d; .reg .b64 u, us; add.u32 d, sb, so; mov.b64 u, %1; mov.b64 us, %2; setp.gt.s32 p, %0, 0; selp.b32 z, z0, 0, p; cp.async.cg.shared.global [d+0], [u+0], 16, z; add.s64 u, u, us;
        setp.gt.s32 p, %0, 32; selp.b32 z, z0, 0, p; cp.async.cg.shared.global [d+2048], [u+0], 16, z; add.s64 u, u, us; setp.gt.s32 p, %0, 64; selp.b32 z, z0, 0, p; cp.async.cg.shared.global [d+4096], [u+0], 16, z;
        add.s64 u, u, us; setp.gt.s32 p, %0, 96; selp.b32 z, z0, 0, p; cp.async.cg.shared.global [d+6144], [u+0], 16, z; add.s64 u, u, us; }
        """;

    // The next keys and values on their way to the stage at wr.
    private const string CopyTiles =
        """
        { .reg .pred p; .reg .b32 z, d; setp.gt.s32 p, left, 0; selp.b32 z, z0, 0, p; cp.async.cg.shared.global [wr+0], [xp+0], 16, z; cp.async.cg.shared.global [wr+4096], [yp+0], 16, z; add.s64 xp, xp, xs; add.s64 yp, yp, ys;
        setp.gt.s32 p, left, 32; selp.b32 z, z0, 0, p; cp.async.cg.shared.global [wr+2048], [xp+0], 16, z; cp.async.cg.shared.global [wr+6144], [yp+0], 16, z; add.s64 xp, xp, xs; add.s64 yp, yp, ys; sub.s32 left, left, 64;
        cp.async.commit_group; }
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

    // The warp's queries as left fragments.
    private const string HoldQueries =
        """
        { .reg .b32 t; xor.b32 t, ax, 0; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {Q0,Q1,Q2,Q3}, [t+0]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {Q8,Q9,Q10,Q11}, [t+1024]; xor.b32 t, ax, 32; add.u32 t, la, t;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {Q4,Q5,Q6,Q7}, [t+0]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {Q12,Q13,Q14,Q15}, [t+1024]; }
        """;

    // %0 is scale · log2 e.
    private const string Begin =
        """
        mov.f32 sc, %0; mov.f32 M0, 0fFF800000; mov.f32 L0, zero; mov.f32 M1, 0fFF800000; mov.f32 L1, zero; mov.f32 M2, 0fFF800000; mov.f32 L2, zero; mov.f32 M3, 0fFF800000; mov.f32 L3, zero;
        mov.f32 O0, zero; mov.f32 O1, zero; mov.f32 O2, zero; mov.f32 O3, zero; mov.f32 O4, zero; mov.f32 O5, zero; mov.f32 O6, zero; mov.f32 O7, zero;
        mov.f32 O8, zero; mov.f32 O9, zero; mov.f32 O10, zero; mov.f32 O11, zero; mov.f32 O12, zero; mov.f32 O13, zero; mov.f32 O14, zero; mov.f32 O15, zero;
        mov.f32 O16, zero; mov.f32 O17, zero; mov.f32 O18, zero; mov.f32 O19, zero; mov.f32 O20, zero; mov.f32 O21, zero; mov.f32 O22, zero; mov.f32 O23, zero;
        mov.f32 O24, zero; mov.f32 O25, zero; mov.f32 O26, zero; mov.f32 O27, zero; mov.f32 O28, zero; mov.f32 O29, zero; mov.f32 O30, zero; mov.f32 O31, zero;
        """;

    // S = queries · keysᵀ.
    private const string Scores =
        """
        { .reg .b32 t, u, r; add.u32 r, rd, br; xor.b32 u, bx, 0; add.u32 u, r, u; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {Q0,Q1,Q2,Q3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {Q0,Q1,Q2,Q3}, {B2,B3}, {zero,zero,zero,zero};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S32,S33,S34,S35}, {Q8,Q9,Q10,Q11}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S36,S37,S38,S39}, {Q8,Q9,Q10,Q11}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+1024];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {Q0,Q1,Q2,Q3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {Q0,Q1,Q2,Q3}, {B2,B3}, {zero,zero,zero,zero};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S40,S41,S42,S43}, {Q8,Q9,Q10,Q11}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S44,S45,S46,S47}, {Q8,Q9,Q10,Q11}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+2048];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {Q0,Q1,Q2,Q3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {Q0,Q1,Q2,Q3}, {B2,B3}, {zero,zero,zero,zero};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S48,S49,S50,S51}, {Q8,Q9,Q10,Q11}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S52,S53,S54,S55}, {Q8,Q9,Q10,Q11}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {Q0,Q1,Q2,Q3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {Q0,Q1,Q2,Q3}, {B2,B3}, {zero,zero,zero,zero};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S56,S57,S58,S59}, {Q8,Q9,Q10,Q11}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S60,S61,S62,S63}, {Q8,Q9,Q10,Q11}, {B2,B3}, {zero,zero,zero,zero};
        xor.b32 u, bx, 32; add.u32 u, r, u; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {Q4,Q5,Q6,Q7}, {B0,B1}, {S0,S1,S2,S3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {Q4,Q5,Q6,Q7}, {B2,B3}, {S4,S5,S6,S7};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S32,S33,S34,S35}, {Q12,Q13,Q14,Q15}, {B0,B1}, {S32,S33,S34,S35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S36,S37,S38,S39}, {Q12,Q13,Q14,Q15}, {B2,B3}, {S36,S37,S38,S39};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+1024];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {Q4,Q5,Q6,Q7}, {B0,B1}, {S8,S9,S10,S11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {Q4,Q5,Q6,Q7}, {B2,B3}, {S12,S13,S14,S15};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S40,S41,S42,S43}, {Q12,Q13,Q14,Q15}, {B0,B1}, {S40,S41,S42,S43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S44,S45,S46,S47}, {Q12,Q13,Q14,Q15}, {B2,B3}, {S44,S45,S46,S47};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+2048];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {Q4,Q5,Q6,Q7}, {B0,B1}, {S16,S17,S18,S19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {Q4,Q5,Q6,Q7}, {B2,B3}, {S20,S21,S22,S23};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S48,S49,S50,S51}, {Q12,Q13,Q14,Q15}, {B0,B1}, {S48,S49,S50,S51}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S52,S53,S54,S55}, {Q12,Q13,Q14,Q15}, {B2,B3}, {S52,S53,S54,S55};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {Q4,Q5,Q6,Q7}, {B0,B1}, {S24,S25,S26,S27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {Q4,Q5,Q6,Q7}, {B2,B3}, {S28,S29,S30,S31};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S56,S57,S58,S59}, {Q12,Q13,Q14,Q15}, {B0,B1}, {S56,S57,S58,S59}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S60,S61,S62,S63}, {Q12,Q13,Q14,Q15}, {B2,B3}, {S60,S61,S62,S63};
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
        mul.f32 O8, O8, f; mul.f32 O9, O9, f; mul.f32 O12, O12, f; mul.f32 O13, O13, f; sub.f32 f, M1, N1; mul.f32 f, f, sc; ex2.approx.ftz.f32 f, f; mul.f32 L1, L1, f; mov.f32 M1, N1; mul.f32 O2, O2, f; mul.f32 O3, O3, f;
        mul.f32 O6, O6, f; mul.f32 O7, O7, f; mul.f32 O10, O10, f; mul.f32 O11, O11, f; mul.f32 O14, O14, f; mul.f32 O15, O15, f; sub.f32 f, M2, N2; mul.f32 f, f, sc; ex2.approx.ftz.f32 f, f; mul.f32 L2, L2, f; mov.f32 M2, N2;
        mul.f32 O16, O16, f; mul.f32 O17, O17, f; mul.f32 O20, O20, f; mul.f32 O21, O21, f; mul.f32 O24, O24, f; mul.f32 O25, O25, f; mul.f32 O28, O28, f; mul.f32 O29, O29, f;
        sub.f32 f, M3, N3; mul.f32 f, f, sc; ex2.approx.ftz.f32 f, f; mul.f32 L3, L3, f; mov.f32 M3, N3; mul.f32 O18, O18, f; mul.f32 O19, O19, f; mul.f32 O22, O22, f; mul.f32 O23, O23, f;
        mul.f32 O26, O26, f; mul.f32 O27, O27, f; mul.f32 O30, O30, f; mul.f32 O31, O31, f; }
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
        { .reg .b32 r, t<2>; add.u32 r, rd, ar; xor.b32 t0, ax, 0; add.u32 t0, r, t0; xor.b32 t1, ax, 32; add.u32 t1, r, t1; ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O0,O1,O2,O3}, {P0,P1,P2,P3}, {B0,B1}, {O0,O1,O2,O3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O4,O5,O6,O7}, {P0,P1,P2,P3}, {B2,B3}, {O4,O5,O6,O7};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O16,O17,O18,O19}, {P16,P17,P18,P19}, {B0,B1}, {O16,O17,O18,O19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O20,O21,O22,O23}, {P16,P17,P18,P19}, {B2,B3}, {O20,O21,O22,O23};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O8,O9,O10,O11}, {P0,P1,P2,P3}, {B0,B1}, {O8,O9,O10,O11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O12,O13,O14,O15}, {P0,P1,P2,P3}, {B2,B3}, {O12,O13,O14,O15};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O24,O25,O26,O27}, {P16,P17,P18,P19}, {B0,B1}, {O24,O25,O26,O27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O28,O29,O30,O31}, {P16,P17,P18,P19}, {B2,B3}, {O28,O29,O30,O31};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+5120];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O0,O1,O2,O3}, {P4,P5,P6,P7}, {B0,B1}, {O0,O1,O2,O3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O4,O5,O6,O7}, {P4,P5,P6,P7}, {B2,B3}, {O4,O5,O6,O7};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O16,O17,O18,O19}, {P20,P21,P22,P23}, {B0,B1}, {O16,O17,O18,O19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O20,O21,O22,O23}, {P20,P21,P22,P23}, {B2,B3}, {O20,O21,O22,O23};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+5120];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O8,O9,O10,O11}, {P4,P5,P6,P7}, {B0,B1}, {O8,O9,O10,O11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O12,O13,O14,O15}, {P4,P5,P6,P7}, {B2,B3}, {O12,O13,O14,O15};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O24,O25,O26,O27}, {P20,P21,P22,P23}, {B0,B1}, {O24,O25,O26,O27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O28,O29,O30,O31}, {P20,P21,P22,P23}, {B2,B3}, {O28,O29,O30,O31};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O0,O1,O2,O3}, {P8,P9,P10,P11}, {B0,B1}, {O0,O1,O2,O3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O4,O5,O6,O7}, {P8,P9,P10,P11}, {B2,B3}, {O4,O5,O6,O7};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O16,O17,O18,O19}, {P24,P25,P26,P27}, {B0,B1}, {O16,O17,O18,O19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O20,O21,O22,O23}, {P24,P25,P26,P27}, {B2,B3}, {O20,O21,O22,O23};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O8,O9,O10,O11}, {P8,P9,P10,P11}, {B0,B1}, {O8,O9,O10,O11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O12,O13,O14,O15}, {P8,P9,P10,P11}, {B2,B3}, {O12,O13,O14,O15};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O24,O25,O26,O27}, {P24,P25,P26,P27}, {B0,B1}, {O24,O25,O26,O27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O28,O29,O30,O31}, {P24,P25,P26,P27}, {B2,B3}, {O28,O29,O30,O31};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+7168];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O0,O1,O2,O3}, {P12,P13,P14,P15}, {B0,B1}, {O0,O1,O2,O3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O4,O5,O6,O7}, {P12,P13,P14,P15}, {B2,B3}, {O4,O5,O6,O7};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O16,O17,O18,O19}, {P28,P29,P30,P31}, {B0,B1}, {O16,O17,O18,O19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O20,O21,O22,O23}, {P28,P29,P30,P31}, {B2,B3}, {O20,O21,O22,O23};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+7168];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O8,O9,O10,O11}, {P12,P13,P14,P15}, {B0,B1}, {O8,O9,O10,O11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O12,O13,O14,O15}, {P12,P13,P14,P15}, {B2,B3}, {O12,O13,O14,O15};
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O24,O25,O26,O27}, {P28,P29,P30,P31}, {B0,B1}, {O24,O25,O26,O27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {O28,O29,O30,O31}, {P28,P29,P30,P31}, {B2,B3}, {O28,O29,O30,O31};
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
        mul.f32 a, O0, L0; mul.f32 b, O1, L0; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, O2, L1; mul.f32 b, O3, L1; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+512], u;
        mul.f32 a, O16, L2; mul.f32 b, O17, L2; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1024], u; mul.f32 a, O18, L3; mul.f32 b, O19, L3; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        xor.b32 c, %1, 16; add.u32 c, w, c; mul.f32 a, O4, L0; mul.f32 b, O5, L0; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, O6, L1; mul.f32 b, O7, L1; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+512], u;
        mul.f32 a, O20, L2; mul.f32 b, O21, L2; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1024], u; mul.f32 a, O22, L3; mul.f32 b, O23, L3; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        xor.b32 c, %1, 32; add.u32 c, w, c; mul.f32 a, O8, L0; mul.f32 b, O9, L0; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, O10, L1; mul.f32 b, O11, L1; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+512], u;
        mul.f32 a, O24, L2; mul.f32 b, O25, L2; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1024], u; mul.f32 a, O26, L3; mul.f32 b, O27, L3; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        xor.b32 c, %1, 48; add.u32 c, w, c; mul.f32 a, O12, L0; mul.f32 b, O13, L0; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, O14, L1; mul.f32 b, O15, L1; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+512], u;
        mul.f32 a, O28, L2; mul.f32 b, O29, L2; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1024], u; mul.f32 a, O30, L3; mul.f32 b, O31, L3; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u; bar.warp.sync 0xffffffff;
        mov.b64 o, %3; xor.b32 c, %2, 0; add.u32 c, sb, c; setp.gt.s32 v, %5, 0; setp.ne.and.b32 p, z0, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+0]; @p st.global.v4.b32 [o+0], {d0,d1,d2,d3};
        add.s64 o, o, %4; xor.b32 c, %2, 0; add.u32 c, sb, c; setp.gt.s32 v, %5, 8; setp.ne.and.b32 p, z0, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+512]; @p st.global.v4.b32 [o+0], {d0,d1,d2,d3};
        add.s64 o, o, %4; xor.b32 c, %2, 0; add.u32 c, sb, c; setp.gt.s32 v, %5, 16; setp.ne.and.b32 p, z0, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+1024]; @p st.global.v4.b32 [o+0], {d0,d1,d2,d3};
        add.s64 o, o, %4; xor.b32 c, %2, 0; add.u32 c, sb, c; setp.gt.s32 v, %5, 24; setp.ne.and.b32 p, z0, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+1536]; @p st.global.v4.b32 [o+0], {d0,d1,d2,d3}; }
        """;

    /// <summary>o and lse for a tile of queries of one head; see <see cref="IBackend.Attention"/>. Addresses are bytes; tiles is the number of query tiles.</summary>
    [KernelBounds(128, MinGroups = 3, SharedBytes = 24576)]
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
        CudaAsm.Emit(Places, row * 64 + ((chunk ^ (row >> 1 & 3)) << 4), leftRow * 64, ((lane >> 4) ^ (leftRow >> 1 & 3)) << 4,
            rightRow * 64, ((lane >> 3 & 1) ^ (rightRow >> 1 & 3)) << 4, warpRow * 64);
        CudaAsm.Emit(Sources, FlashRows.Address(k, s, sample, s.Keys, row, s.StrideK, head, chunk), FlashRows.Address(v, s, sample, s.Keys, row, s.StrideV, head, chunk),
            s.StrideK * 64L, s.StrideV * 64L, s.Keys - row, chunk < s.HeadDim / 8 ? 16 : 0);
        CudaAsm.Emit(CopyLeft, s.Queries - first - row, FlashRows.Address(q, s, sample, s.Queries, first + row, s.StrideQ, head, chunk), s.StrideQ * 64L);
        CudaAsm.Emit(CopyTiles);
        CudaAsm.Emit(Begin, s.Scale * 1.44269504f);
        CudaAsm.Emit(Arrive);
        CudaAsm.Emit(HoldQueries);

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
        int sumPlace = (warpRow + (lane >> 2)) * 64 + ((lane & 3) << 2), sumExchange = ((lane >> 2) >> 1 & 3) << 4;
        int storePlace = (warpRow + storeRow) * 64 + ((storeChunk ^ (storeRow >> 1 & 3)) << 4);
        CudaAsm.Emit(Store, sumPlace, sumExchange, storePlace, FlashRows.Address(o, s, sample, s.Queries, storeFirst, s.StrideO, head, storeChunk), s.StrideO * 16L, s.Queries - storeFirst);
        if (s.Keys < 0) { shared[thread] = default; }
    }
}
