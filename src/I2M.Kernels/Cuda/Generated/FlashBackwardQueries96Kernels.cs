// Written by eng/kernel-generator (FlashBackwardQueries). Do not edit: change the generator and run it.
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace I2M.Kernels.Ilgpu;

/// <summary>Backward attention in bfloat16 on tensor cores, dq, for heads of up to 96 channels: blocks of 64 queries, tiles of 64 keys.</summary>
internal static class FlashBackwardQueries96Kernels
{
    // S scores, then P; D dP, then dS; P the latter in bfloat16; G the sums of dq; Q and O fragments of queries and dO; E and R −log2 e · lse and rowsum(dO∘o) of this lane's rows.
    private const string Registers =
        """
        .reg .b32 sb, so, wr, rd, both, ar, ax, br, bx, la; .reg .s32 left; .reg .b64 xp, yp, xs, ys; .reg .f32 zero; .reg .b32 z<3>; .reg .b32 A<4>; .reg .b32 B<4>; .reg .f32 S<32>; .reg .f32 D<32>; .reg .f32 G<48>;
        .reg .b32 P<16>; .reg .b32 Q<24>; .reg .b32 O<24>; .reg .f32 E<2>, R<2>; .reg .f32 sc, scale;
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

    // The block's queries and dO on their way to shared memory; rows and channels that do not exist become zero.
    private const string CopyLeft =
        """
        { .reg .pred p; .reg .b32 z, d; .reg .b64 u, v, us, vs; add.u32 d, sb, so; mov.b64 u, %1; mov.b64 us, %2; mov.b64 v, %3; mov.b64 vs, %4;
        setp.gt.s32 p, %0, 0; selp.b32 z, z0, 0, p; cp.async.cg.shared.global [d+0], [u+0], 16, z; cp.async.cg.shared.global [d+12288], [v+0], 16, z;
        selp.b32 z, z1, 0, p; cp.async.cg.shared.global [d+64], [u+64], 16, z; cp.async.cg.shared.global [d+12352], [v+64], 16, z;
        selp.b32 z, z2, 0, p; cp.async.cg.shared.global [d+128], [u+128], 16, z; cp.async.cg.shared.global [d+12416], [v+128], 16, z; add.s64 u, u, us; add.s64 v, v, vs;
        setp.gt.s32 p, %0, 32; selp.b32 z, z0, 0, p; cp.async.cg.shared.global [d+6144], [u+0], 16, z; cp.async.cg.shared.global [d+18432], [v+0], 16, z;
        selp.b32 z, z1, 0, p; cp.async.cg.shared.global [d+6208], [u+64], 16, z; cp.async.cg.shared.global [d+18496], [v+64], 16, z;
        selp.b32 z, z2, 0, p; cp.async.cg.shared.global [d+6272], [u+128], 16, z; cp.async.cg.shared.global [d+18560], [v+128], 16, z; add.s64 u, u, us; add.s64 v, v, vs; }
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

    // The warp's queries as left fragments.
    private const string HoldQueries =
        """
        { .reg .b32 t; xor.b32 t, ax, 0; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {Q0,Q1,Q2,Q3}, [t+0]; xor.b32 t, ax, 32; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {Q4,Q5,Q6,Q7}, [t+0];
        xor.b32 t, ax, 64; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {Q8,Q9,Q10,Q11}, [t+0]; xor.b32 t, ax, 96; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {Q12,Q13,Q14,Q15}, [t+0];
        xor.b32 t, ax, 128; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {Q16,Q17,Q18,Q19}, [t+0]; xor.b32 t, ax, 160; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {Q20,Q21,Q22,Q23}, [t+0]; }
        """;

    // The warp's dO as left fragments.
    private const string HoldOutputs =
        """
        { .reg .b32 t; xor.b32 t, ax, 0; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {O0,O1,O2,O3}, [t+12288]; xor.b32 t, ax, 32; add.u32 t, la, t;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {O4,O5,O6,O7}, [t+12288]; xor.b32 t, ax, 64; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {O8,O9,O10,O11}, [t+12288]; xor.b32 t, ax, 96; add.u32 t, la, t;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {O12,O13,O14,O15}, [t+12288]; xor.b32 t, ax, 128; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {O16,O17,O18,O19}, [t+12288]; xor.b32 t, ax, 160; add.u32 t, la, t;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {O20,O21,O22,O23}, [t+12288]; }
        """;

    // %0 address of the statistics of this lane's first row, %1 scale.
    private const string Statistics =
        """
        mov.f32 scale, %1; mul.f32 sc, scale, 0f3FB8AA3B; ld.global.v2.f32 {E0,R0}, [%0+0]; ld.global.v2.f32 {E1,R1}, [%0+64];
        mov.f32 G0, zero; mov.f32 G1, zero; mov.f32 G2, zero; mov.f32 G3, zero; mov.f32 G4, zero; mov.f32 G5, zero; mov.f32 G6, zero; mov.f32 G7, zero;
        mov.f32 G8, zero; mov.f32 G9, zero; mov.f32 G10, zero; mov.f32 G11, zero; mov.f32 G12, zero; mov.f32 G13, zero; mov.f32 G14, zero; mov.f32 G15, zero;
        mov.f32 G16, zero; mov.f32 G17, zero; mov.f32 G18, zero; mov.f32 G19, zero; mov.f32 G20, zero; mov.f32 G21, zero; mov.f32 G22, zero; mov.f32 G23, zero;
        mov.f32 G24, zero; mov.f32 G25, zero; mov.f32 G26, zero; mov.f32 G27, zero; mov.f32 G28, zero; mov.f32 G29, zero; mov.f32 G30, zero; mov.f32 G31, zero;
        mov.f32 G32, zero; mov.f32 G33, zero; mov.f32 G34, zero; mov.f32 G35, zero; mov.f32 G36, zero; mov.f32 G37, zero; mov.f32 G38, zero; mov.f32 G39, zero;
        mov.f32 G40, zero; mov.f32 G41, zero; mov.f32 G42, zero; mov.f32 G43, zero; mov.f32 G44, zero; mov.f32 G45, zero; mov.f32 G46, zero; mov.f32 G47, zero;
        """;

    // S = queries · keysᵀ.
    private const string Scores =
        """
        { .reg .b32 t, u, r; add.u32 r, rd, br; xor.b32 u, bx, 0; add.u32 u, r, u; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {Q0,Q1,Q2,Q3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {Q0,Q1,Q2,Q3}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {Q0,Q1,Q2,Q3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {Q0,Q1,Q2,Q3}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {Q0,Q1,Q2,Q3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {Q0,Q1,Q2,Q3}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {Q0,Q1,Q2,Q3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {Q0,Q1,Q2,Q3}, {B2,B3}, {zero,zero,zero,zero};
        xor.b32 u, bx, 32; add.u32 u, r, u; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {Q4,Q5,Q6,Q7}, {B0,B1}, {S0,S1,S2,S3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {Q4,Q5,Q6,Q7}, {B2,B3}, {S4,S5,S6,S7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {Q4,Q5,Q6,Q7}, {B0,B1}, {S8,S9,S10,S11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {Q4,Q5,Q6,Q7}, {B2,B3}, {S12,S13,S14,S15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {Q4,Q5,Q6,Q7}, {B0,B1}, {S16,S17,S18,S19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {Q4,Q5,Q6,Q7}, {B2,B3}, {S20,S21,S22,S23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {Q4,Q5,Q6,Q7}, {B0,B1}, {S24,S25,S26,S27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {Q4,Q5,Q6,Q7}, {B2,B3}, {S28,S29,S30,S31};
        xor.b32 u, bx, 64; add.u32 u, r, u; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {Q8,Q9,Q10,Q11}, {B0,B1}, {S0,S1,S2,S3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {Q8,Q9,Q10,Q11}, {B2,B3}, {S4,S5,S6,S7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {Q8,Q9,Q10,Q11}, {B0,B1}, {S8,S9,S10,S11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {Q8,Q9,Q10,Q11}, {B2,B3}, {S12,S13,S14,S15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {Q8,Q9,Q10,Q11}, {B0,B1}, {S16,S17,S18,S19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {Q8,Q9,Q10,Q11}, {B2,B3}, {S20,S21,S22,S23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {Q8,Q9,Q10,Q11}, {B0,B1}, {S24,S25,S26,S27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {Q8,Q9,Q10,Q11}, {B2,B3}, {S28,S29,S30,S31};
        xor.b32 u, bx, 96; add.u32 u, r, u; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {Q12,Q13,Q14,Q15}, {B0,B1}, {S0,S1,S2,S3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {Q12,Q13,Q14,Q15}, {B2,B3}, {S4,S5,S6,S7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {Q12,Q13,Q14,Q15}, {B0,B1}, {S8,S9,S10,S11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {Q12,Q13,Q14,Q15}, {B2,B3}, {S12,S13,S14,S15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {Q12,Q13,Q14,Q15}, {B0,B1}, {S16,S17,S18,S19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {Q12,Q13,Q14,Q15}, {B2,B3}, {S20,S21,S22,S23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {Q12,Q13,Q14,Q15}, {B0,B1}, {S24,S25,S26,S27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {Q12,Q13,Q14,Q15}, {B2,B3}, {S28,S29,S30,S31};
        xor.b32 u, bx, 128; add.u32 u, r, u; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {Q16,Q17,Q18,Q19}, {B0,B1}, {S0,S1,S2,S3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {Q16,Q17,Q18,Q19}, {B2,B3}, {S4,S5,S6,S7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {Q16,Q17,Q18,Q19}, {B0,B1}, {S8,S9,S10,S11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {Q16,Q17,Q18,Q19}, {B2,B3}, {S12,S13,S14,S15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {Q16,Q17,Q18,Q19}, {B0,B1}, {S16,S17,S18,S19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {Q16,Q17,Q18,Q19}, {B2,B3}, {S20,S21,S22,S23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {Q16,Q17,Q18,Q19}, {B0,B1}, {S24,S25,S26,S27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {Q16,Q17,Q18,Q19}, {B2,B3}, {S28,S29,S30,S31};
        xor.b32 u, bx, 160; add.u32 u, r, u; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {Q20,Q21,Q22,Q23}, {B0,B1}, {S0,S1,S2,S3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {Q20,Q21,Q22,Q23}, {B2,B3}, {S4,S5,S6,S7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {Q20,Q21,Q22,Q23}, {B0,B1}, {S8,S9,S10,S11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {Q20,Q21,Q22,Q23}, {B2,B3}, {S12,S13,S14,S15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {Q20,Q21,Q22,Q23}, {B0,B1}, {S16,S17,S18,S19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {Q20,Q21,Q22,Q23}, {B2,B3}, {S20,S21,S22,S23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {Q20,Q21,Q22,Q23}, {B0,B1}, {S24,S25,S26,S27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {Q20,Q21,Q22,Q23}, {B2,B3}, {S28,S29,S30,S31};
        }
        """;

    // Columns from the last key on become −∞; %0 is their number from this lane's first column.
    private const string Mask =
        """
        { .reg .pred p, q; setp.gt.s32 p, %0, 0; setp.gt.s32 q, %0, 1; selp.f32 S0, S0, 0fFF800000, p; selp.f32 S1, S1, 0fFF800000, q; selp.f32 S2, S2, 0fFF800000, p; selp.f32 S3, S3, 0fFF800000, q;
        setp.gt.s32 p, %0, 8; setp.gt.s32 q, %0, 9; selp.f32 S4, S4, 0fFF800000, p; selp.f32 S5, S5, 0fFF800000, q; selp.f32 S6, S6, 0fFF800000, p; selp.f32 S7, S7, 0fFF800000, q; setp.gt.s32 p, %0, 16; setp.gt.s32 q, %0, 17;
        selp.f32 S8, S8, 0fFF800000, p; selp.f32 S9, S9, 0fFF800000, q; selp.f32 S10, S10, 0fFF800000, p; selp.f32 S11, S11, 0fFF800000, q; setp.gt.s32 p, %0, 24; setp.gt.s32 q, %0, 25;
        selp.f32 S12, S12, 0fFF800000, p; selp.f32 S13, S13, 0fFF800000, q; selp.f32 S14, S14, 0fFF800000, p; selp.f32 S15, S15, 0fFF800000, q; setp.gt.s32 p, %0, 32; setp.gt.s32 q, %0, 33;
        selp.f32 S16, S16, 0fFF800000, p; selp.f32 S17, S17, 0fFF800000, q; selp.f32 S18, S18, 0fFF800000, p; selp.f32 S19, S19, 0fFF800000, q; setp.gt.s32 p, %0, 40; setp.gt.s32 q, %0, 41;
        selp.f32 S20, S20, 0fFF800000, p; selp.f32 S21, S21, 0fFF800000, q; selp.f32 S22, S22, 0fFF800000, p; selp.f32 S23, S23, 0fFF800000, q; setp.gt.s32 p, %0, 48; setp.gt.s32 q, %0, 49;
        selp.f32 S24, S24, 0fFF800000, p; selp.f32 S25, S25, 0fFF800000, q; selp.f32 S26, S26, 0fFF800000, p; selp.f32 S27, S27, 0fFF800000, q; setp.gt.s32 p, %0, 56; setp.gt.s32 q, %0, 57;
        selp.f32 S28, S28, 0fFF800000, p; selp.f32 S29, S29, 0fFF800000, q; selp.f32 S30, S30, 0fFF800000, p; selp.f32 S31, S31, 0fFF800000, q; }
        """;

    // D = dO · valuesᵀ.
    private const string Products =
        """
        { .reg .b32 t, u, r; add.u32 r, rd, br; xor.b32 u, bx, 0; add.u32 u, r, u; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D0,D1,D2,D3}, {O0,O1,O2,O3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D4,D5,D6,D7}, {O0,O1,O2,O3}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D8,D9,D10,D11}, {O0,O1,O2,O3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D12,D13,D14,D15}, {O0,O1,O2,O3}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D16,D17,D18,D19}, {O0,O1,O2,O3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D20,D21,D22,D23}, {O0,O1,O2,O3}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D24,D25,D26,D27}, {O0,O1,O2,O3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D28,D29,D30,D31}, {O0,O1,O2,O3}, {B2,B3}, {zero,zero,zero,zero};
        xor.b32 u, bx, 32; add.u32 u, r, u; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D0,D1,D2,D3}, {O4,O5,O6,O7}, {B0,B1}, {D0,D1,D2,D3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D4,D5,D6,D7}, {O4,O5,O6,O7}, {B2,B3}, {D4,D5,D6,D7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D8,D9,D10,D11}, {O4,O5,O6,O7}, {B0,B1}, {D8,D9,D10,D11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D12,D13,D14,D15}, {O4,O5,O6,O7}, {B2,B3}, {D12,D13,D14,D15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D16,D17,D18,D19}, {O4,O5,O6,O7}, {B0,B1}, {D16,D17,D18,D19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D20,D21,D22,D23}, {O4,O5,O6,O7}, {B2,B3}, {D20,D21,D22,D23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D24,D25,D26,D27}, {O4,O5,O6,O7}, {B0,B1}, {D24,D25,D26,D27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D28,D29,D30,D31}, {O4,O5,O6,O7}, {B2,B3}, {D28,D29,D30,D31};
        xor.b32 u, bx, 64; add.u32 u, r, u; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D0,D1,D2,D3}, {O8,O9,O10,O11}, {B0,B1}, {D0,D1,D2,D3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D4,D5,D6,D7}, {O8,O9,O10,O11}, {B2,B3}, {D4,D5,D6,D7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D8,D9,D10,D11}, {O8,O9,O10,O11}, {B0,B1}, {D8,D9,D10,D11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D12,D13,D14,D15}, {O8,O9,O10,O11}, {B2,B3}, {D12,D13,D14,D15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D16,D17,D18,D19}, {O8,O9,O10,O11}, {B0,B1}, {D16,D17,D18,D19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D20,D21,D22,D23}, {O8,O9,O10,O11}, {B2,B3}, {D20,D21,D22,D23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D24,D25,D26,D27}, {O8,O9,O10,O11}, {B0,B1}, {D24,D25,D26,D27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D28,D29,D30,D31}, {O8,O9,O10,O11}, {B2,B3}, {D28,D29,D30,D31};
        xor.b32 u, bx, 96; add.u32 u, r, u; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D0,D1,D2,D3}, {O12,O13,O14,O15}, {B0,B1}, {D0,D1,D2,D3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D4,D5,D6,D7}, {O12,O13,O14,O15}, {B2,B3}, {D4,D5,D6,D7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D8,D9,D10,D11}, {O12,O13,O14,O15}, {B0,B1}, {D8,D9,D10,D11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D12,D13,D14,D15}, {O12,O13,O14,O15}, {B2,B3}, {D12,D13,D14,D15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D16,D17,D18,D19}, {O12,O13,O14,O15}, {B0,B1}, {D16,D17,D18,D19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D20,D21,D22,D23}, {O12,O13,O14,O15}, {B2,B3}, {D20,D21,D22,D23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D24,D25,D26,D27}, {O12,O13,O14,O15}, {B0,B1}, {D24,D25,D26,D27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D28,D29,D30,D31}, {O12,O13,O14,O15}, {B2,B3}, {D28,D29,D30,D31};
        xor.b32 u, bx, 128; add.u32 u, r, u; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D0,D1,D2,D3}, {O16,O17,O18,O19}, {B0,B1}, {D0,D1,D2,D3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D4,D5,D6,D7}, {O16,O17,O18,O19}, {B2,B3}, {D4,D5,D6,D7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D8,D9,D10,D11}, {O16,O17,O18,O19}, {B0,B1}, {D8,D9,D10,D11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D12,D13,D14,D15}, {O16,O17,O18,O19}, {B2,B3}, {D12,D13,D14,D15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D16,D17,D18,D19}, {O16,O17,O18,O19}, {B0,B1}, {D16,D17,D18,D19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D20,D21,D22,D23}, {O16,O17,O18,O19}, {B2,B3}, {D20,D21,D22,D23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D24,D25,D26,D27}, {O16,O17,O18,O19}, {B0,B1}, {D24,D25,D26,D27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D28,D29,D30,D31}, {O16,O17,O18,O19}, {B2,B3}, {D28,D29,D30,D31};
        xor.b32 u, bx, 160; add.u32 u, r, u; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D0,D1,D2,D3}, {O20,O21,O22,O23}, {B0,B1}, {D0,D1,D2,D3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D4,D5,D6,D7}, {O20,O21,O22,O23}, {B2,B3}, {D4,D5,D6,D7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D8,D9,D10,D11}, {O20,O21,O22,O23}, {B0,B1}, {D8,D9,D10,D11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D12,D13,D14,D15}, {O20,O21,O22,O23}, {B2,B3}, {D12,D13,D14,D15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D16,D17,D18,D19}, {O20,O21,O22,O23}, {B0,B1}, {D16,D17,D18,D19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D20,D21,D22,D23}, {O20,O21,O22,O23}, {B2,B3}, {D20,D21,D22,D23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D24,D25,D26,D27}, {O20,O21,O22,O23}, {B0,B1}, {D24,D25,D26,D27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D28,D29,D30,D31}, {O20,O21,O22,O23}, {B2,B3}, {D28,D29,D30,D31};
        }
        """;

    // D = 2^(sc·S − log2 e · lse) ∘ (D − rowsum(dO∘o)).
    private const string Gradients =
        """
        fma.rn.f32 S0, S0, sc, E0; fma.rn.f32 S1, S1, sc, E0; ex2.approx.ftz.f32 S0, S0; ex2.approx.ftz.f32 S1, S1; sub.f32 D0, D0, R0; sub.f32 D1, D1, R0; mul.f32 D0, D0, S0; mul.f32 D1, D1, S1;
        fma.rn.f32 S4, S4, sc, E0; fma.rn.f32 S5, S5, sc, E0; ex2.approx.ftz.f32 S4, S4; ex2.approx.ftz.f32 S5, S5; sub.f32 D4, D4, R0; sub.f32 D5, D5, R0; mul.f32 D4, D4, S4; mul.f32 D5, D5, S5;
        fma.rn.f32 S8, S8, sc, E0; fma.rn.f32 S9, S9, sc, E0; ex2.approx.ftz.f32 S8, S8; ex2.approx.ftz.f32 S9, S9; sub.f32 D8, D8, R0; sub.f32 D9, D9, R0; mul.f32 D8, D8, S8; mul.f32 D9, D9, S9;
        fma.rn.f32 S12, S12, sc, E0; fma.rn.f32 S13, S13, sc, E0; ex2.approx.ftz.f32 S12, S12; ex2.approx.ftz.f32 S13, S13; sub.f32 D12, D12, R0; sub.f32 D13, D13, R0; mul.f32 D12, D12, S12; mul.f32 D13, D13, S13;
        fma.rn.f32 S16, S16, sc, E0; fma.rn.f32 S17, S17, sc, E0; ex2.approx.ftz.f32 S16, S16; ex2.approx.ftz.f32 S17, S17; sub.f32 D16, D16, R0; sub.f32 D17, D17, R0; mul.f32 D16, D16, S16; mul.f32 D17, D17, S17;
        fma.rn.f32 S20, S20, sc, E0; fma.rn.f32 S21, S21, sc, E0; ex2.approx.ftz.f32 S20, S20; ex2.approx.ftz.f32 S21, S21; sub.f32 D20, D20, R0; sub.f32 D21, D21, R0; mul.f32 D20, D20, S20; mul.f32 D21, D21, S21;
        fma.rn.f32 S24, S24, sc, E0; fma.rn.f32 S25, S25, sc, E0; ex2.approx.ftz.f32 S24, S24; ex2.approx.ftz.f32 S25, S25; sub.f32 D24, D24, R0; sub.f32 D25, D25, R0; mul.f32 D24, D24, S24; mul.f32 D25, D25, S25;
        fma.rn.f32 S28, S28, sc, E0; fma.rn.f32 S29, S29, sc, E0; ex2.approx.ftz.f32 S28, S28; ex2.approx.ftz.f32 S29, S29; sub.f32 D28, D28, R0; sub.f32 D29, D29, R0; mul.f32 D28, D28, S28; mul.f32 D29, D29, S29;
        fma.rn.f32 S2, S2, sc, E1; fma.rn.f32 S3, S3, sc, E1; ex2.approx.ftz.f32 S2, S2; ex2.approx.ftz.f32 S3, S3; sub.f32 D2, D2, R1; sub.f32 D3, D3, R1; mul.f32 D2, D2, S2; mul.f32 D3, D3, S3;
        fma.rn.f32 S6, S6, sc, E1; fma.rn.f32 S7, S7, sc, E1; ex2.approx.ftz.f32 S6, S6; ex2.approx.ftz.f32 S7, S7; sub.f32 D6, D6, R1; sub.f32 D7, D7, R1; mul.f32 D6, D6, S6; mul.f32 D7, D7, S7;
        fma.rn.f32 S10, S10, sc, E1; fma.rn.f32 S11, S11, sc, E1; ex2.approx.ftz.f32 S10, S10; ex2.approx.ftz.f32 S11, S11; sub.f32 D10, D10, R1; sub.f32 D11, D11, R1; mul.f32 D10, D10, S10; mul.f32 D11, D11, S11;
        fma.rn.f32 S14, S14, sc, E1; fma.rn.f32 S15, S15, sc, E1; ex2.approx.ftz.f32 S14, S14; ex2.approx.ftz.f32 S15, S15; sub.f32 D14, D14, R1; sub.f32 D15, D15, R1; mul.f32 D14, D14, S14; mul.f32 D15, D15, S15;
        fma.rn.f32 S18, S18, sc, E1; fma.rn.f32 S19, S19, sc, E1; ex2.approx.ftz.f32 S18, S18; ex2.approx.ftz.f32 S19, S19; sub.f32 D18, D18, R1; sub.f32 D19, D19, R1; mul.f32 D18, D18, S18; mul.f32 D19, D19, S19;
        fma.rn.f32 S22, S22, sc, E1; fma.rn.f32 S23, S23, sc, E1; ex2.approx.ftz.f32 S22, S22; ex2.approx.ftz.f32 S23, S23; sub.f32 D22, D22, R1; sub.f32 D23, D23, R1; mul.f32 D22, D22, S22; mul.f32 D23, D23, S23;
        fma.rn.f32 S26, S26, sc, E1; fma.rn.f32 S27, S27, sc, E1; ex2.approx.ftz.f32 S26, S26; ex2.approx.ftz.f32 S27, S27; sub.f32 D26, D26, R1; sub.f32 D27, D27, R1; mul.f32 D26, D26, S26; mul.f32 D27, D27, S27;
        fma.rn.f32 S30, S30, sc, E1; fma.rn.f32 S31, S31, sc, E1; ex2.approx.ftz.f32 S30, S30; ex2.approx.ftz.f32 S31, S31; sub.f32 D30, D30, R1; sub.f32 D31, D31, R1; mul.f32 D30, D30, S30; mul.f32 D31, D31, S31;
        """;

    // P = D in bfloat16, as left fragments.
    private const string Pack =
        """
        cvt.rn.bf16x2.f32 P0, D1, D0; cvt.rn.bf16x2.f32 P1, D3, D2; cvt.rn.bf16x2.f32 P2, D5, D4; cvt.rn.bf16x2.f32 P3, D7, D6; cvt.rn.bf16x2.f32 P4, D9, D8; cvt.rn.bf16x2.f32 P5, D11, D10;
        cvt.rn.bf16x2.f32 P6, D13, D12; cvt.rn.bf16x2.f32 P7, D15, D14; cvt.rn.bf16x2.f32 P8, D17, D16; cvt.rn.bf16x2.f32 P9, D19, D18; cvt.rn.bf16x2.f32 P10, D21, D20; cvt.rn.bf16x2.f32 P11, D23, D22;
        cvt.rn.bf16x2.f32 P12, D25, D24; cvt.rn.bf16x2.f32 P13, D27, D26; cvt.rn.bf16x2.f32 P14, D29, D28; cvt.rn.bf16x2.f32 P15, D31, D30;
        """;

    // G += P · keys.
    private const string SumQueries =
        """
        { .reg .b32 r, t<6>; add.u32 r, rd, ar; xor.b32 t0, ax, 0; add.u32 t0, r, t0; xor.b32 t1, ax, 32; add.u32 t1, r, t1; xor.b32 t2, ax, 64; add.u32 t2, r, t2; xor.b32 t3, ax, 96; add.u32 t3, r, t3;
        xor.b32 t4, ax, 128; add.u32 t4, r, t4; xor.b32 t5, ax, 160; add.u32 t5, r, t5; ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G0,G1,G2,G3}, {P0,P1,P2,P3}, {B0,B1}, {G0,G1,G2,G3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G4,G5,G6,G7}, {P0,P1,P2,P3}, {B2,B3}, {G4,G5,G6,G7};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G8,G9,G10,G11}, {P0,P1,P2,P3}, {B0,B1}, {G8,G9,G10,G11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G12,G13,G14,G15}, {P0,P1,P2,P3}, {B2,B3}, {G12,G13,G14,G15};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t2+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G16,G17,G18,G19}, {P0,P1,P2,P3}, {B0,B1}, {G16,G17,G18,G19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G20,G21,G22,G23}, {P0,P1,P2,P3}, {B2,B3}, {G20,G21,G22,G23};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t3+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G24,G25,G26,G27}, {P0,P1,P2,P3}, {B0,B1}, {G24,G25,G26,G27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G28,G29,G30,G31}, {P0,P1,P2,P3}, {B2,B3}, {G28,G29,G30,G31};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t4+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G32,G33,G34,G35}, {P0,P1,P2,P3}, {B0,B1}, {G32,G33,G34,G35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G36,G37,G38,G39}, {P0,P1,P2,P3}, {B2,B3}, {G36,G37,G38,G39};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t5+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G40,G41,G42,G43}, {P0,P1,P2,P3}, {B0,B1}, {G40,G41,G42,G43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G44,G45,G46,G47}, {P0,P1,P2,P3}, {B2,B3}, {G44,G45,G46,G47};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G0,G1,G2,G3}, {P4,P5,P6,P7}, {B0,B1}, {G0,G1,G2,G3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G4,G5,G6,G7}, {P4,P5,P6,P7}, {B2,B3}, {G4,G5,G6,G7};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G8,G9,G10,G11}, {P4,P5,P6,P7}, {B0,B1}, {G8,G9,G10,G11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G12,G13,G14,G15}, {P4,P5,P6,P7}, {B2,B3}, {G12,G13,G14,G15};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t2+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G16,G17,G18,G19}, {P4,P5,P6,P7}, {B0,B1}, {G16,G17,G18,G19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G20,G21,G22,G23}, {P4,P5,P6,P7}, {B2,B3}, {G20,G21,G22,G23};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t3+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G24,G25,G26,G27}, {P4,P5,P6,P7}, {B0,B1}, {G24,G25,G26,G27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G28,G29,G30,G31}, {P4,P5,P6,P7}, {B2,B3}, {G28,G29,G30,G31};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t4+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G32,G33,G34,G35}, {P4,P5,P6,P7}, {B0,B1}, {G32,G33,G34,G35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G36,G37,G38,G39}, {P4,P5,P6,P7}, {B2,B3}, {G36,G37,G38,G39};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t5+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G40,G41,G42,G43}, {P4,P5,P6,P7}, {B0,B1}, {G40,G41,G42,G43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G44,G45,G46,G47}, {P4,P5,P6,P7}, {B2,B3}, {G44,G45,G46,G47};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G0,G1,G2,G3}, {P8,P9,P10,P11}, {B0,B1}, {G0,G1,G2,G3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G4,G5,G6,G7}, {P8,P9,P10,P11}, {B2,B3}, {G4,G5,G6,G7};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G8,G9,G10,G11}, {P8,P9,P10,P11}, {B0,B1}, {G8,G9,G10,G11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G12,G13,G14,G15}, {P8,P9,P10,P11}, {B2,B3}, {G12,G13,G14,G15};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t2+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G16,G17,G18,G19}, {P8,P9,P10,P11}, {B0,B1}, {G16,G17,G18,G19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G20,G21,G22,G23}, {P8,P9,P10,P11}, {B2,B3}, {G20,G21,G22,G23};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t3+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G24,G25,G26,G27}, {P8,P9,P10,P11}, {B0,B1}, {G24,G25,G26,G27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G28,G29,G30,G31}, {P8,P9,P10,P11}, {B2,B3}, {G28,G29,G30,G31};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t4+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G32,G33,G34,G35}, {P8,P9,P10,P11}, {B0,B1}, {G32,G33,G34,G35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G36,G37,G38,G39}, {P8,P9,P10,P11}, {B2,B3}, {G36,G37,G38,G39};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t5+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G40,G41,G42,G43}, {P8,P9,P10,P11}, {B0,B1}, {G40,G41,G42,G43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G44,G45,G46,G47}, {P8,P9,P10,P11}, {B2,B3}, {G44,G45,G46,G47};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G0,G1,G2,G3}, {P12,P13,P14,P15}, {B0,B1}, {G0,G1,G2,G3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G4,G5,G6,G7}, {P12,P13,P14,P15}, {B2,B3}, {G4,G5,G6,G7};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G8,G9,G10,G11}, {P12,P13,P14,P15}, {B0,B1}, {G8,G9,G10,G11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G12,G13,G14,G15}, {P12,P13,P14,P15}, {B2,B3}, {G12,G13,G14,G15};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t2+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G16,G17,G18,G19}, {P12,P13,P14,P15}, {B0,B1}, {G16,G17,G18,G19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G20,G21,G22,G23}, {P12,P13,P14,P15}, {B2,B3}, {G20,G21,G22,G23};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t3+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G24,G25,G26,G27}, {P12,P13,P14,P15}, {B0,B1}, {G24,G25,G26,G27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G28,G29,G30,G31}, {P12,P13,P14,P15}, {B2,B3}, {G28,G29,G30,G31};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t4+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G32,G33,G34,G35}, {P12,P13,P14,P15}, {B0,B1}, {G32,G33,G34,G35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G36,G37,G38,G39}, {P12,P13,P14,P15}, {B2,B3}, {G36,G37,G38,G39};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t5+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G40,G41,G42,G43}, {P12,P13,P14,P15}, {B0,B1}, {G40,G41,G42,G43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {G44,G45,G46,G47}, {P12,P13,P14,P15}, {B2,B3}, {G44,G45,G46,G47};
        }
        """;

    // G · scale as bfloat16.
    private const string Store =
        """
        { .reg .pred p, v; .reg .b32 u, w, c, d<4>; .reg .f32 a, b; .reg .b64 o; bar.warp.sync 0xffffffff; add.u32 w, sb, %0; xor.b32 c, %1, 0; add.u32 c, w, c;
        mul.f32 a, G0, scale; mul.f32 b, G1, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, G2, scale; mul.f32 b, G3, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        xor.b32 c, %1, 16; add.u32 c, w, c; mul.f32 a, G4, scale; mul.f32 b, G5, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u;
        mul.f32 a, G6, scale; mul.f32 b, G7, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u; xor.b32 c, %1, 32; add.u32 c, w, c;
        mul.f32 a, G8, scale; mul.f32 b, G9, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, G10, scale; mul.f32 b, G11, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        xor.b32 c, %1, 48; add.u32 c, w, c; mul.f32 a, G12, scale; mul.f32 b, G13, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u;
        mul.f32 a, G14, scale; mul.f32 b, G15, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u; xor.b32 c, %1, 64; add.u32 c, w, c;
        mul.f32 a, G16, scale; mul.f32 b, G17, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, G18, scale; mul.f32 b, G19, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        xor.b32 c, %1, 80; add.u32 c, w, c; mul.f32 a, G20, scale; mul.f32 b, G21, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u;
        mul.f32 a, G22, scale; mul.f32 b, G23, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u; xor.b32 c, %1, 96; add.u32 c, w, c;
        mul.f32 a, G24, scale; mul.f32 b, G25, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, G26, scale; mul.f32 b, G27, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        xor.b32 c, %1, 112; add.u32 c, w, c; mul.f32 a, G28, scale; mul.f32 b, G29, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u;
        mul.f32 a, G30, scale; mul.f32 b, G31, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u; xor.b32 c, %1, 128; add.u32 c, w, c;
        mul.f32 a, G32, scale; mul.f32 b, G33, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, G34, scale; mul.f32 b, G35, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        xor.b32 c, %1, 144; add.u32 c, w, c; mul.f32 a, G36, scale; mul.f32 b, G37, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u;
        mul.f32 a, G38, scale; mul.f32 b, G39, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u; xor.b32 c, %1, 160; add.u32 c, w, c;
        mul.f32 a, G40, scale; mul.f32 b, G41, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, G42, scale; mul.f32 b, G43, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        xor.b32 c, %1, 176; add.u32 c, w, c; mul.f32 a, G44, scale; mul.f32 b, G45, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u;
        mul.f32 a, G46, scale; mul.f32 b, G47, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u; bar.warp.sync 0xffffffff; mov.b64 o, %3; xor.b32 c, %2, 0; add.u32 c, sb, c; setp.gt.s32 v, %5, 0;
        setp.ne.and.b32 p, z0, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+0]; @p st.global.v4.b32 [o+0], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z1, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+64]; @p st.global.v4.b32 [o+64], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z2, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+128]; @p st.global.v4.b32 [o+128], {d0,d1,d2,d3}; add.s64 o, o, %4; xor.b32 c, %2, 0; add.u32 c, sb, c; setp.gt.s32 v, %5, 8;
        setp.ne.and.b32 p, z0, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+1536]; @p st.global.v4.b32 [o+0], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z1, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+1600]; @p st.global.v4.b32 [o+64], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z2, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+1664]; @p st.global.v4.b32 [o+128], {d0,d1,d2,d3}; }
        """;

    /// <summary>dq for a tile of queries of one head; see <see cref="IBackend.AttentionBackward"/>. Addresses are bytes; tiles is the number of query tiles, padded the rows of statistics of a head.</summary>
    [KernelBounds(128, MinGroups = 2, SharedBytes = 73728)]
    public static void Queries(long q, long k, long v, long dOut, long statistics, long dq, AttentionShape s, int tiles, int padded)
    {
        var shared = SharedMemory.GetDynamic<Float4>();
        int thread = Group.IdxX, lane = thread & 31, warp = thread >> 5;
        int tile = Grid.IdxX % tiles, head = Grid.IdxX / tiles % s.Heads, sample = Grid.IdxX / tiles / s.Heads;
        int first = tile * 64, warpRow = warp * 16;

        // Copies: 4 threads a row. Fragments: a lane's row and chunk of 16 bytes, exchanged by the row (see FlashShape.Swizzle).
        int row = thread / 4, chunk = thread % 4;
        int leftRow = lane & 15, rightRow = (lane & 7) + (lane >> 4 << 3);
        CudaAsm.Emit(Registers);
        CudaAsm.Emit(Places, row * 192 + ((chunk ^ (row >> 1 & 3)) << 4), leftRow * 192, ((lane >> 4) ^ (leftRow >> 1 & 3)) << 4,
            rightRow * 192, ((lane >> 3 & 1) ^ (rightRow >> 1 & 3)) << 4, warpRow * 192);
        CudaAsm.Emit(Sources, FlashRows.Address(k, s, sample, s.Keys, row, s.StrideK, head, chunk), FlashRows.Address(v, s, sample, s.Keys, row, s.StrideV, head, chunk),
            s.StrideK * 64L, s.StrideV * 64L, s.Keys - row, chunk < s.HeadDim / 8 ? 16 : 0, chunk + 4 < s.HeadDim / 8 ? 16 : 0, chunk + 8 < s.HeadDim / 8 ? 16 : 0);
        CudaAsm.Emit(CopyLeft, s.Queries - first - row, FlashRows.Address(q, s, sample, s.Queries, first + row, s.StrideQ, head, chunk), s.StrideQ * 64L, FlashRows.Address(dOut, s, sample, s.Queries, first + row, s.StrideO, head, chunk), s.StrideO * 64L);
        CudaAsm.Emit(CopyTiles);
        CudaAsm.Emit(Statistics, statistics + (((long)sample * s.Heads + head) * padded + first + warpRow + (lane >> 2)) * 8, s.Scale);
        CudaAsm.Emit(Arrive);
        CudaAsm.Emit(HoldQueries);
        CudaAsm.Emit(HoldOutputs);

        int count = (s.Keys + 63) / 64, full = s.Keys / 64;
        for (int j = 0; j < full; j++)
        {
            CudaAsm.Emit(Arrive);
            if (j + 1 < count) { CudaAsm.Emit(CopyTiles); }
            CudaAsm.Emit(Scores);
            CudaAsm.Emit(Products);
            CudaAsm.Emit(Gradients);
            CudaAsm.Emit(Pack);
            CudaAsm.Emit(SumQueries);
            CudaAsm.Emit(Advance);
        }
        if (full < count)
        {
            CudaAsm.Emit(Arrive);
            CudaAsm.Emit(Scores);
            CudaAsm.Emit(Mask, s.Keys - full * 64 - ((lane & 3) << 1));
            CudaAsm.Emit(Products);
            CudaAsm.Emit(Gradients);
            CudaAsm.Emit(Pack);
            CudaAsm.Emit(SumQueries);
        }
        int storeRow = lane / 4, storeChunk = lane % 4, storeFirst = first + warpRow + storeRow;
        int sumPlace = (warpRow + (lane >> 2)) * 192 + ((lane & 3) << 2), sumExchange = ((lane >> 2) >> 1 & 3) << 4;
        int storePlace = (warpRow + storeRow) * 192 + ((storeChunk ^ (storeRow >> 1 & 3)) << 4);
        CudaAsm.Emit(Store, sumPlace, sumExchange, storePlace, FlashRows.Address(dq, s, sample, s.Queries, storeFirst, s.StrideQ, head, storeChunk), s.StrideQ * 16L, s.Queries - storeFirst);
        if (s.Keys < 0) { shared[thread] = default; }
    }
}
