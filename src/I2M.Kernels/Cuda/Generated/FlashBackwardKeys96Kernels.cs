// Written by eng/kernel-generator (FlashBackwardKeys). Do not edit: change the generator and run it.
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace I2M.Kernels.Ilgpu;

/// <summary>Backward attention in bfloat16 on tensor cores, dk and dv, for heads of up to 96 channels: blocks of 64 keys, tiles of 64 queries.</summary>
internal static class FlashBackwardKeys96Kernels
{
    // S scores, then P; D dP, then dS; P both in bfloat16; V and K the sums of dv and dk; sp, to, first: the copies of statistics.
    private const string Registers =
        """
        .reg .b32 sb, so, wr, rd, both, ar, ax, br, bx, la; .reg .s32 left; .reg .b64 xp, yp, xs, ys; .reg .f32 zero; .reg .b32 z<3>; .reg .b32 A<4>; .reg .b32 B<4>; .reg .f32 S<32>; .reg .f32 D<32>; .reg .f32 V<48>;
        .reg .f32 K<48>; .reg .b32 P<16>; .reg .f32 sc, scale, one; .reg .b32 to, sa; .reg .b64 sp; .reg .pred first;
        """;

    // See FlashStages in the generator for the names.
    private const string Places =
        """
        mov.u32 sb, __dyn_shared_alloca; mov.f32 zero, 0f00000000; mov.b32 so, %0; mov.b32 ar, %1; mov.b32 ax, %2; mov.b32 br, %3; mov.b32 bx, %4; add.u32 la, sb, %5; add.u32 la, la, ar;
        add.u32 rd, sb, 24576; add.u32 wr, rd, so; add.u32 both, rd, rd; add.u32 both, both, 25088;
        """;

    // The thread's part of the copies of queries and dO.
    private const string Sources =
        """
        mov.b64 xp, %0; mov.b64 yp, %1; mov.b64 xs, %2; mov.b64 ys, %3; mov.b32 left, %4; mov.b32 z0, %5; mov.b32 z1, %6; mov.b32 z2, %7;
        """;

    // The block's keys and values on their way to shared memory; rows and channels that do not exist become zero.
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

    // The next queries, dO and statistics on their way to the stage at wr.
    private const string CopyTiles =
        """
        { .reg .pred p; .reg .b32 z, d; setp.gt.s32 p, left, 0; selp.b32 z, z0, 0, p; cp.async.cg.shared.global [wr+0], [xp+0], 16, z; cp.async.cg.shared.global [wr+12288], [yp+0], 16, z;
        selp.b32 z, z1, 0, p; cp.async.cg.shared.global [wr+64], [xp+64], 16, z; cp.async.cg.shared.global [wr+12352], [yp+64], 16, z;
        selp.b32 z, z2, 0, p; cp.async.cg.shared.global [wr+128], [xp+128], 16, z; cp.async.cg.shared.global [wr+12416], [yp+128], 16, z; add.s64 xp, xp, xs; add.s64 yp, yp, ys;
        setp.gt.s32 p, left, 32; selp.b32 z, z0, 0, p; cp.async.cg.shared.global [wr+6144], [xp+0], 16, z; cp.async.cg.shared.global [wr+18432], [yp+0], 16, z;
        selp.b32 z, z1, 0, p; cp.async.cg.shared.global [wr+6208], [xp+64], 16, z; cp.async.cg.shared.global [wr+18496], [yp+64], 16, z;
        selp.b32 z, z2, 0, p; cp.async.cg.shared.global [wr+6272], [xp+128], 16, z; cp.async.cg.shared.global [wr+18560], [yp+128], 16, z; add.s64 xp, xp, xs; add.s64 yp, yp, ys; sub.s32 left, left, 64;
        sub.u32 d, wr, so; add.u32 d, d, to; @first cp.async.cg.shared.global [d+24576], [sp], 16; add.s64 sp, sp, 512; cp.async.commit_group; }
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

    // %0 address of this thread's statistics, %1 its number, %2 its first column's place, %3 scale.
    private const string Statistics =
        """
        mov.b64 sp, %0; shl.b32 to, %1, 4; setp.lt.u32 first, %1, 32; mov.b32 sa, %2; mov.f32 scale, %3; mul.f32 sc, scale, 0f3FB8AA3B; mov.f32 one, 0f3F800000;
        mov.f32 V0, zero; mov.f32 V1, zero; mov.f32 V2, zero; mov.f32 V3, zero; mov.f32 V4, zero; mov.f32 V5, zero; mov.f32 V6, zero; mov.f32 V7, zero;
        mov.f32 V8, zero; mov.f32 V9, zero; mov.f32 V10, zero; mov.f32 V11, zero; mov.f32 V12, zero; mov.f32 V13, zero; mov.f32 V14, zero; mov.f32 V15, zero;
        mov.f32 V16, zero; mov.f32 V17, zero; mov.f32 V18, zero; mov.f32 V19, zero; mov.f32 V20, zero; mov.f32 V21, zero; mov.f32 V22, zero; mov.f32 V23, zero;
        mov.f32 V24, zero; mov.f32 V25, zero; mov.f32 V26, zero; mov.f32 V27, zero; mov.f32 V28, zero; mov.f32 V29, zero; mov.f32 V30, zero; mov.f32 V31, zero;
        mov.f32 V32, zero; mov.f32 V33, zero; mov.f32 V34, zero; mov.f32 V35, zero; mov.f32 V36, zero; mov.f32 V37, zero; mov.f32 V38, zero; mov.f32 V39, zero;
        mov.f32 V40, zero; mov.f32 V41, zero; mov.f32 V42, zero; mov.f32 V43, zero; mov.f32 V44, zero; mov.f32 V45, zero; mov.f32 V46, zero; mov.f32 V47, zero;
        mov.f32 K0, zero; mov.f32 K1, zero; mov.f32 K2, zero; mov.f32 K3, zero; mov.f32 K4, zero; mov.f32 K5, zero; mov.f32 K6, zero; mov.f32 K7, zero;
        mov.f32 K8, zero; mov.f32 K9, zero; mov.f32 K10, zero; mov.f32 K11, zero; mov.f32 K12, zero; mov.f32 K13, zero; mov.f32 K14, zero; mov.f32 K15, zero;
        mov.f32 K16, zero; mov.f32 K17, zero; mov.f32 K18, zero; mov.f32 K19, zero; mov.f32 K20, zero; mov.f32 K21, zero; mov.f32 K22, zero; mov.f32 K23, zero;
        mov.f32 K24, zero; mov.f32 K25, zero; mov.f32 K26, zero; mov.f32 K27, zero; mov.f32 K28, zero; mov.f32 K29, zero; mov.f32 K30, zero; mov.f32 K31, zero;
        mov.f32 K32, zero; mov.f32 K33, zero; mov.f32 K34, zero; mov.f32 K35, zero; mov.f32 K36, zero; mov.f32 K37, zero; mov.f32 K38, zero; mov.f32 K39, zero;
        mov.f32 K40, zero; mov.f32 K41, zero; mov.f32 K42, zero; mov.f32 K43, zero; mov.f32 K44, zero; mov.f32 K45, zero; mov.f32 K46, zero; mov.f32 K47, zero;
        """;

    // S = keys · queriesᵀ.
    private const string Scores =
        """
        { .reg .b32 t, u, r; add.u32 r, rd, br; xor.b32 u, bx, 0; add.u32 u, r, u; xor.b32 t, ax, 0; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+0];
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {A0,A1,A2,A3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {A0,A1,A2,A3}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {A0,A1,A2,A3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {A0,A1,A2,A3}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {A0,A1,A2,A3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {A0,A1,A2,A3}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {A0,A1,A2,A3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {A0,A1,A2,A3}, {B2,B3}, {zero,zero,zero,zero};
        xor.b32 u, bx, 32; add.u32 u, r, u; xor.b32 t, ax, 32; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+0]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {A0,A1,A2,A3}, {B0,B1}, {S0,S1,S2,S3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {A0,A1,A2,A3}, {B2,B3}, {S4,S5,S6,S7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {A0,A1,A2,A3}, {B0,B1}, {S8,S9,S10,S11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {A0,A1,A2,A3}, {B2,B3}, {S12,S13,S14,S15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {A0,A1,A2,A3}, {B0,B1}, {S16,S17,S18,S19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {A0,A1,A2,A3}, {B2,B3}, {S20,S21,S22,S23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {A0,A1,A2,A3}, {B0,B1}, {S24,S25,S26,S27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {A0,A1,A2,A3}, {B2,B3}, {S28,S29,S30,S31};
        xor.b32 u, bx, 64; add.u32 u, r, u; xor.b32 t, ax, 64; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+0]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {A0,A1,A2,A3}, {B0,B1}, {S0,S1,S2,S3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {A0,A1,A2,A3}, {B2,B3}, {S4,S5,S6,S7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {A0,A1,A2,A3}, {B0,B1}, {S8,S9,S10,S11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {A0,A1,A2,A3}, {B2,B3}, {S12,S13,S14,S15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {A0,A1,A2,A3}, {B0,B1}, {S16,S17,S18,S19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {A0,A1,A2,A3}, {B2,B3}, {S20,S21,S22,S23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {A0,A1,A2,A3}, {B0,B1}, {S24,S25,S26,S27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {A0,A1,A2,A3}, {B2,B3}, {S28,S29,S30,S31};
        xor.b32 u, bx, 96; add.u32 u, r, u; xor.b32 t, ax, 96; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+0]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {A0,A1,A2,A3}, {B0,B1}, {S0,S1,S2,S3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {A0,A1,A2,A3}, {B2,B3}, {S4,S5,S6,S7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {A0,A1,A2,A3}, {B0,B1}, {S8,S9,S10,S11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {A0,A1,A2,A3}, {B2,B3}, {S12,S13,S14,S15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {A0,A1,A2,A3}, {B0,B1}, {S16,S17,S18,S19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {A0,A1,A2,A3}, {B2,B3}, {S20,S21,S22,S23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {A0,A1,A2,A3}, {B0,B1}, {S24,S25,S26,S27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {A0,A1,A2,A3}, {B2,B3}, {S28,S29,S30,S31};
        xor.b32 u, bx, 128; add.u32 u, r, u; xor.b32 t, ax, 128; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+0]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {A0,A1,A2,A3}, {B0,B1}, {S0,S1,S2,S3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {A0,A1,A2,A3}, {B2,B3}, {S4,S5,S6,S7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {A0,A1,A2,A3}, {B0,B1}, {S8,S9,S10,S11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {A0,A1,A2,A3}, {B2,B3}, {S12,S13,S14,S15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {A0,A1,A2,A3}, {B0,B1}, {S16,S17,S18,S19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {A0,A1,A2,A3}, {B2,B3}, {S20,S21,S22,S23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {A0,A1,A2,A3}, {B0,B1}, {S24,S25,S26,S27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {A0,A1,A2,A3}, {B2,B3}, {S28,S29,S30,S31};
        xor.b32 u, bx, 160; add.u32 u, r, u; xor.b32 t, ax, 160; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+0]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S0,S1,S2,S3}, {A0,A1,A2,A3}, {B0,B1}, {S0,S1,S2,S3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S4,S5,S6,S7}, {A0,A1,A2,A3}, {B2,B3}, {S4,S5,S6,S7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S8,S9,S10,S11}, {A0,A1,A2,A3}, {B0,B1}, {S8,S9,S10,S11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S12,S13,S14,S15}, {A0,A1,A2,A3}, {B2,B3}, {S12,S13,S14,S15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S16,S17,S18,S19}, {A0,A1,A2,A3}, {B0,B1}, {S16,S17,S18,S19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S20,S21,S22,S23}, {A0,A1,A2,A3}, {B2,B3}, {S20,S21,S22,S23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S24,S25,S26,S27}, {A0,A1,A2,A3}, {B0,B1}, {S24,S25,S26,S27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {S28,S29,S30,S31}, {A0,A1,A2,A3}, {B2,B3}, {S28,S29,S30,S31};
        }
        """;

    // S = 2^(sc·S − log2 e · lse); a lane's two columns have their (−log2 e · lse, D) side by side.
    private const string Probabilities =
        """
        { .reg .b32 r; .reg .f32 l0, d0, l1, d1; add.u32 r, rd, sa; ld.shared.v4.f32 {l0,d0,l1,d1}, [r+24576]; fma.rn.f32 S0, S0, sc, l0; fma.rn.f32 S1, S1, sc, l1; ex2.approx.ftz.f32 S0, S0; ex2.approx.ftz.f32 S1, S1;
        fma.rn.f32 S2, S2, sc, l0; fma.rn.f32 S3, S3, sc, l1; ex2.approx.ftz.f32 S2, S2; ex2.approx.ftz.f32 S3, S3; ld.shared.v4.f32 {l0,d0,l1,d1}, [r+24640];
        fma.rn.f32 S4, S4, sc, l0; fma.rn.f32 S5, S5, sc, l1; ex2.approx.ftz.f32 S4, S4; ex2.approx.ftz.f32 S5, S5; fma.rn.f32 S6, S6, sc, l0; fma.rn.f32 S7, S7, sc, l1; ex2.approx.ftz.f32 S6, S6; ex2.approx.ftz.f32 S7, S7;
        ld.shared.v4.f32 {l0,d0,l1,d1}, [r+24704]; fma.rn.f32 S8, S8, sc, l0; fma.rn.f32 S9, S9, sc, l1; ex2.approx.ftz.f32 S8, S8; ex2.approx.ftz.f32 S9, S9;
        fma.rn.f32 S10, S10, sc, l0; fma.rn.f32 S11, S11, sc, l1; ex2.approx.ftz.f32 S10, S10; ex2.approx.ftz.f32 S11, S11; ld.shared.v4.f32 {l0,d0,l1,d1}, [r+24768];
        fma.rn.f32 S12, S12, sc, l0; fma.rn.f32 S13, S13, sc, l1; ex2.approx.ftz.f32 S12, S12; ex2.approx.ftz.f32 S13, S13;
        fma.rn.f32 S14, S14, sc, l0; fma.rn.f32 S15, S15, sc, l1; ex2.approx.ftz.f32 S14, S14; ex2.approx.ftz.f32 S15, S15; ld.shared.v4.f32 {l0,d0,l1,d1}, [r+24832];
        fma.rn.f32 S16, S16, sc, l0; fma.rn.f32 S17, S17, sc, l1; ex2.approx.ftz.f32 S16, S16; ex2.approx.ftz.f32 S17, S17;
        fma.rn.f32 S18, S18, sc, l0; fma.rn.f32 S19, S19, sc, l1; ex2.approx.ftz.f32 S18, S18; ex2.approx.ftz.f32 S19, S19; ld.shared.v4.f32 {l0,d0,l1,d1}, [r+24896];
        fma.rn.f32 S20, S20, sc, l0; fma.rn.f32 S21, S21, sc, l1; ex2.approx.ftz.f32 S20, S20; ex2.approx.ftz.f32 S21, S21;
        fma.rn.f32 S22, S22, sc, l0; fma.rn.f32 S23, S23, sc, l1; ex2.approx.ftz.f32 S22, S22; ex2.approx.ftz.f32 S23, S23; ld.shared.v4.f32 {l0,d0,l1,d1}, [r+24960];
        fma.rn.f32 S24, S24, sc, l0; fma.rn.f32 S25, S25, sc, l1; ex2.approx.ftz.f32 S24, S24; ex2.approx.ftz.f32 S25, S25;
        fma.rn.f32 S26, S26, sc, l0; fma.rn.f32 S27, S27, sc, l1; ex2.approx.ftz.f32 S26, S26; ex2.approx.ftz.f32 S27, S27; ld.shared.v4.f32 {l0,d0,l1,d1}, [r+25024];
        fma.rn.f32 S28, S28, sc, l0; fma.rn.f32 S29, S29, sc, l1; ex2.approx.ftz.f32 S28, S28; ex2.approx.ftz.f32 S29, S29;
        fma.rn.f32 S30, S30, sc, l0; fma.rn.f32 S31, S31, sc, l1; ex2.approx.ftz.f32 S30, S30; ex2.approx.ftz.f32 S31, S31; }
        """;

    // P = S in bfloat16, as left fragments.
    private const string Pack =
        """
        cvt.rn.bf16x2.f32 P0, S1, S0; cvt.rn.bf16x2.f32 P1, S3, S2; cvt.rn.bf16x2.f32 P2, S5, S4; cvt.rn.bf16x2.f32 P3, S7, S6; cvt.rn.bf16x2.f32 P4, S9, S8; cvt.rn.bf16x2.f32 P5, S11, S10;
        cvt.rn.bf16x2.f32 P6, S13, S12; cvt.rn.bf16x2.f32 P7, S15, S14; cvt.rn.bf16x2.f32 P8, S17, S16; cvt.rn.bf16x2.f32 P9, S19, S18; cvt.rn.bf16x2.f32 P10, S21, S20; cvt.rn.bf16x2.f32 P11, S23, S22;
        cvt.rn.bf16x2.f32 P12, S25, S24; cvt.rn.bf16x2.f32 P13, S27, S26; cvt.rn.bf16x2.f32 P14, S29, S28; cvt.rn.bf16x2.f32 P15, S31, S30;
        """;

    // V += P · dO.
    private const string SumValues =
        """
        { .reg .b32 r, t<6>; add.u32 r, rd, ar; xor.b32 t0, ax, 0; add.u32 t0, r, t0; xor.b32 t1, ax, 32; add.u32 t1, r, t1; xor.b32 t2, ax, 64; add.u32 t2, r, t2; xor.b32 t3, ax, 96; add.u32 t3, r, t3;
        xor.b32 t4, ax, 128; add.u32 t4, r, t4; xor.b32 t5, ax, 160; add.u32 t5, r, t5; ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V0,V1,V2,V3}, {P0,P1,P2,P3}, {B0,B1}, {V0,V1,V2,V3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V4,V5,V6,V7}, {P0,P1,P2,P3}, {B2,B3}, {V4,V5,V6,V7};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V8,V9,V10,V11}, {P0,P1,P2,P3}, {B0,B1}, {V8,V9,V10,V11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V12,V13,V14,V15}, {P0,P1,P2,P3}, {B2,B3}, {V12,V13,V14,V15};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t2+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V16,V17,V18,V19}, {P0,P1,P2,P3}, {B0,B1}, {V16,V17,V18,V19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V20,V21,V22,V23}, {P0,P1,P2,P3}, {B2,B3}, {V20,V21,V22,V23};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t3+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V24,V25,V26,V27}, {P0,P1,P2,P3}, {B0,B1}, {V24,V25,V26,V27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V28,V29,V30,V31}, {P0,P1,P2,P3}, {B2,B3}, {V28,V29,V30,V31};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t4+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V32,V33,V34,V35}, {P0,P1,P2,P3}, {B0,B1}, {V32,V33,V34,V35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V36,V37,V38,V39}, {P0,P1,P2,P3}, {B2,B3}, {V36,V37,V38,V39};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t5+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V40,V41,V42,V43}, {P0,P1,P2,P3}, {B0,B1}, {V40,V41,V42,V43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V44,V45,V46,V47}, {P0,P1,P2,P3}, {B2,B3}, {V44,V45,V46,V47};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V0,V1,V2,V3}, {P4,P5,P6,P7}, {B0,B1}, {V0,V1,V2,V3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V4,V5,V6,V7}, {P4,P5,P6,P7}, {B2,B3}, {V4,V5,V6,V7};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V8,V9,V10,V11}, {P4,P5,P6,P7}, {B0,B1}, {V8,V9,V10,V11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V12,V13,V14,V15}, {P4,P5,P6,P7}, {B2,B3}, {V12,V13,V14,V15};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t2+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V16,V17,V18,V19}, {P4,P5,P6,P7}, {B0,B1}, {V16,V17,V18,V19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V20,V21,V22,V23}, {P4,P5,P6,P7}, {B2,B3}, {V20,V21,V22,V23};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t3+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V24,V25,V26,V27}, {P4,P5,P6,P7}, {B0,B1}, {V24,V25,V26,V27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V28,V29,V30,V31}, {P4,P5,P6,P7}, {B2,B3}, {V28,V29,V30,V31};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t4+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V32,V33,V34,V35}, {P4,P5,P6,P7}, {B0,B1}, {V32,V33,V34,V35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V36,V37,V38,V39}, {P4,P5,P6,P7}, {B2,B3}, {V36,V37,V38,V39};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t5+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V40,V41,V42,V43}, {P4,P5,P6,P7}, {B0,B1}, {V40,V41,V42,V43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V44,V45,V46,V47}, {P4,P5,P6,P7}, {B2,B3}, {V44,V45,V46,V47};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V0,V1,V2,V3}, {P8,P9,P10,P11}, {B0,B1}, {V0,V1,V2,V3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V4,V5,V6,V7}, {P8,P9,P10,P11}, {B2,B3}, {V4,V5,V6,V7};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V8,V9,V10,V11}, {P8,P9,P10,P11}, {B0,B1}, {V8,V9,V10,V11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V12,V13,V14,V15}, {P8,P9,P10,P11}, {B2,B3}, {V12,V13,V14,V15};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t2+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V16,V17,V18,V19}, {P8,P9,P10,P11}, {B0,B1}, {V16,V17,V18,V19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V20,V21,V22,V23}, {P8,P9,P10,P11}, {B2,B3}, {V20,V21,V22,V23};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t3+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V24,V25,V26,V27}, {P8,P9,P10,P11}, {B0,B1}, {V24,V25,V26,V27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V28,V29,V30,V31}, {P8,P9,P10,P11}, {B2,B3}, {V28,V29,V30,V31};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t4+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V32,V33,V34,V35}, {P8,P9,P10,P11}, {B0,B1}, {V32,V33,V34,V35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V36,V37,V38,V39}, {P8,P9,P10,P11}, {B2,B3}, {V36,V37,V38,V39};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t5+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V40,V41,V42,V43}, {P8,P9,P10,P11}, {B0,B1}, {V40,V41,V42,V43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V44,V45,V46,V47}, {P8,P9,P10,P11}, {B2,B3}, {V44,V45,V46,V47};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V0,V1,V2,V3}, {P12,P13,P14,P15}, {B0,B1}, {V0,V1,V2,V3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V4,V5,V6,V7}, {P12,P13,P14,P15}, {B2,B3}, {V4,V5,V6,V7};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V8,V9,V10,V11}, {P12,P13,P14,P15}, {B0,B1}, {V8,V9,V10,V11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V12,V13,V14,V15}, {P12,P13,P14,P15}, {B2,B3}, {V12,V13,V14,V15};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t2+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V16,V17,V18,V19}, {P12,P13,P14,P15}, {B0,B1}, {V16,V17,V18,V19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V20,V21,V22,V23}, {P12,P13,P14,P15}, {B2,B3}, {V20,V21,V22,V23};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t3+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V24,V25,V26,V27}, {P12,P13,P14,P15}, {B0,B1}, {V24,V25,V26,V27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V28,V29,V30,V31}, {P12,P13,P14,P15}, {B2,B3}, {V28,V29,V30,V31};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t4+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V32,V33,V34,V35}, {P12,P13,P14,P15}, {B0,B1}, {V32,V33,V34,V35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V36,V37,V38,V39}, {P12,P13,P14,P15}, {B2,B3}, {V36,V37,V38,V39};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t5+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V40,V41,V42,V43}, {P12,P13,P14,P15}, {B0,B1}, {V40,V41,V42,V43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {V44,V45,V46,V47}, {P12,P13,P14,P15}, {B2,B3}, {V44,V45,V46,V47};
        }
        """;

    // D = values · dOᵀ.
    private const string Products =
        """
        { .reg .b32 t, u, r; add.u32 r, rd, br; xor.b32 u, bx, 0; add.u32 u, r, u; xor.b32 t, ax, 0; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+12288];
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D0,D1,D2,D3}, {A0,A1,A2,A3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D4,D5,D6,D7}, {A0,A1,A2,A3}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D8,D9,D10,D11}, {A0,A1,A2,A3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D12,D13,D14,D15}, {A0,A1,A2,A3}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D16,D17,D18,D19}, {A0,A1,A2,A3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D20,D21,D22,D23}, {A0,A1,A2,A3}, {B2,B3}, {zero,zero,zero,zero};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D24,D25,D26,D27}, {A0,A1,A2,A3}, {B0,B1}, {zero,zero,zero,zero}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D28,D29,D30,D31}, {A0,A1,A2,A3}, {B2,B3}, {zero,zero,zero,zero};
        xor.b32 u, bx, 32; add.u32 u, r, u; xor.b32 t, ax, 32; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+12288]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D0,D1,D2,D3}, {A0,A1,A2,A3}, {B0,B1}, {D0,D1,D2,D3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D4,D5,D6,D7}, {A0,A1,A2,A3}, {B2,B3}, {D4,D5,D6,D7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D8,D9,D10,D11}, {A0,A1,A2,A3}, {B0,B1}, {D8,D9,D10,D11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D12,D13,D14,D15}, {A0,A1,A2,A3}, {B2,B3}, {D12,D13,D14,D15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D16,D17,D18,D19}, {A0,A1,A2,A3}, {B0,B1}, {D16,D17,D18,D19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D20,D21,D22,D23}, {A0,A1,A2,A3}, {B2,B3}, {D20,D21,D22,D23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D24,D25,D26,D27}, {A0,A1,A2,A3}, {B0,B1}, {D24,D25,D26,D27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D28,D29,D30,D31}, {A0,A1,A2,A3}, {B2,B3}, {D28,D29,D30,D31};
        xor.b32 u, bx, 64; add.u32 u, r, u; xor.b32 t, ax, 64; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+12288]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D0,D1,D2,D3}, {A0,A1,A2,A3}, {B0,B1}, {D0,D1,D2,D3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D4,D5,D6,D7}, {A0,A1,A2,A3}, {B2,B3}, {D4,D5,D6,D7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D8,D9,D10,D11}, {A0,A1,A2,A3}, {B0,B1}, {D8,D9,D10,D11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D12,D13,D14,D15}, {A0,A1,A2,A3}, {B2,B3}, {D12,D13,D14,D15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D16,D17,D18,D19}, {A0,A1,A2,A3}, {B0,B1}, {D16,D17,D18,D19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D20,D21,D22,D23}, {A0,A1,A2,A3}, {B2,B3}, {D20,D21,D22,D23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D24,D25,D26,D27}, {A0,A1,A2,A3}, {B0,B1}, {D24,D25,D26,D27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D28,D29,D30,D31}, {A0,A1,A2,A3}, {B2,B3}, {D28,D29,D30,D31};
        xor.b32 u, bx, 96; add.u32 u, r, u; xor.b32 t, ax, 96; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+12288]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D0,D1,D2,D3}, {A0,A1,A2,A3}, {B0,B1}, {D0,D1,D2,D3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D4,D5,D6,D7}, {A0,A1,A2,A3}, {B2,B3}, {D4,D5,D6,D7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D8,D9,D10,D11}, {A0,A1,A2,A3}, {B0,B1}, {D8,D9,D10,D11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D12,D13,D14,D15}, {A0,A1,A2,A3}, {B2,B3}, {D12,D13,D14,D15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D16,D17,D18,D19}, {A0,A1,A2,A3}, {B0,B1}, {D16,D17,D18,D19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D20,D21,D22,D23}, {A0,A1,A2,A3}, {B2,B3}, {D20,D21,D22,D23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D24,D25,D26,D27}, {A0,A1,A2,A3}, {B0,B1}, {D24,D25,D26,D27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D28,D29,D30,D31}, {A0,A1,A2,A3}, {B2,B3}, {D28,D29,D30,D31};
        xor.b32 u, bx, 128; add.u32 u, r, u; xor.b32 t, ax, 128; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+12288]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D0,D1,D2,D3}, {A0,A1,A2,A3}, {B0,B1}, {D0,D1,D2,D3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D4,D5,D6,D7}, {A0,A1,A2,A3}, {B2,B3}, {D4,D5,D6,D7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D8,D9,D10,D11}, {A0,A1,A2,A3}, {B0,B1}, {D8,D9,D10,D11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D12,D13,D14,D15}, {A0,A1,A2,A3}, {B2,B3}, {D12,D13,D14,D15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D16,D17,D18,D19}, {A0,A1,A2,A3}, {B0,B1}, {D16,D17,D18,D19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D20,D21,D22,D23}, {A0,A1,A2,A3}, {B2,B3}, {D20,D21,D22,D23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D24,D25,D26,D27}, {A0,A1,A2,A3}, {B0,B1}, {D24,D25,D26,D27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D28,D29,D30,D31}, {A0,A1,A2,A3}, {B2,B3}, {D28,D29,D30,D31};
        xor.b32 u, bx, 160; add.u32 u, r, u; xor.b32 t, ax, 160; add.u32 t, la, t; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {A0,A1,A2,A3}, [t+12288]; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+12288];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D0,D1,D2,D3}, {A0,A1,A2,A3}, {B0,B1}, {D0,D1,D2,D3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D4,D5,D6,D7}, {A0,A1,A2,A3}, {B2,B3}, {D4,D5,D6,D7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+15360];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D8,D9,D10,D11}, {A0,A1,A2,A3}, {B0,B1}, {D8,D9,D10,D11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D12,D13,D14,D15}, {A0,A1,A2,A3}, {B2,B3}, {D12,D13,D14,D15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+18432];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D16,D17,D18,D19}, {A0,A1,A2,A3}, {B0,B1}, {D16,D17,D18,D19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D20,D21,D22,D23}, {A0,A1,A2,A3}, {B2,B3}, {D20,D21,D22,D23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {B0,B1,B2,B3}, [u+21504];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D24,D25,D26,D27}, {A0,A1,A2,A3}, {B0,B1}, {D24,D25,D26,D27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {D28,D29,D30,D31}, {A0,A1,A2,A3}, {B2,B3}, {D28,D29,D30,D31};
        }
        """;

    // D = S ∘ (D − rowsum(dO∘o)).
    private const string Gradients =
        """
        { .reg .b32 r; .reg .f32 l0, d0, l1, d1; add.u32 r, rd, sa; ld.shared.v4.f32 {l0,d0,l1,d1}, [r+24576]; sub.f32 D0, D0, d0; sub.f32 D1, D1, d1; mul.f32 D0, D0, S0; mul.f32 D1, D1, S1;
        sub.f32 D2, D2, d0; sub.f32 D3, D3, d1; mul.f32 D2, D2, S2; mul.f32 D3, D3, S3; ld.shared.v4.f32 {l0,d0,l1,d1}, [r+24640]; sub.f32 D4, D4, d0; sub.f32 D5, D5, d1; mul.f32 D4, D4, S4; mul.f32 D5, D5, S5;
        sub.f32 D6, D6, d0; sub.f32 D7, D7, d1; mul.f32 D6, D6, S6; mul.f32 D7, D7, S7; ld.shared.v4.f32 {l0,d0,l1,d1}, [r+24704]; sub.f32 D8, D8, d0; sub.f32 D9, D9, d1; mul.f32 D8, D8, S8; mul.f32 D9, D9, S9;
        sub.f32 D10, D10, d0; sub.f32 D11, D11, d1; mul.f32 D10, D10, S10; mul.f32 D11, D11, S11; ld.shared.v4.f32 {l0,d0,l1,d1}, [r+24768];
        sub.f32 D12, D12, d0; sub.f32 D13, D13, d1; mul.f32 D12, D12, S12; mul.f32 D13, D13, S13; sub.f32 D14, D14, d0; sub.f32 D15, D15, d1; mul.f32 D14, D14, S14; mul.f32 D15, D15, S15;
        ld.shared.v4.f32 {l0,d0,l1,d1}, [r+24832]; sub.f32 D16, D16, d0; sub.f32 D17, D17, d1; mul.f32 D16, D16, S16; mul.f32 D17, D17, S17;
        sub.f32 D18, D18, d0; sub.f32 D19, D19, d1; mul.f32 D18, D18, S18; mul.f32 D19, D19, S19; ld.shared.v4.f32 {l0,d0,l1,d1}, [r+24896];
        sub.f32 D20, D20, d0; sub.f32 D21, D21, d1; mul.f32 D20, D20, S20; mul.f32 D21, D21, S21; sub.f32 D22, D22, d0; sub.f32 D23, D23, d1; mul.f32 D22, D22, S22; mul.f32 D23, D23, S23;
        ld.shared.v4.f32 {l0,d0,l1,d1}, [r+24960]; sub.f32 D24, D24, d0; sub.f32 D25, D25, d1; mul.f32 D24, D24, S24; mul.f32 D25, D25, S25;
        sub.f32 D26, D26, d0; sub.f32 D27, D27, d1; mul.f32 D26, D26, S26; mul.f32 D27, D27, S27; ld.shared.v4.f32 {l0,d0,l1,d1}, [r+25024];
        sub.f32 D28, D28, d0; sub.f32 D29, D29, d1; mul.f32 D28, D28, S28; mul.f32 D29, D29, S29; sub.f32 D30, D30, d0; sub.f32 D31, D31, d1; mul.f32 D30, D30, S30; mul.f32 D31, D31, S31; }
        """;

    // P = D in bfloat16, as left fragments.
    private const string PackGradients =
        """
        cvt.rn.bf16x2.f32 P0, D1, D0; cvt.rn.bf16x2.f32 P1, D3, D2; cvt.rn.bf16x2.f32 P2, D5, D4; cvt.rn.bf16x2.f32 P3, D7, D6; cvt.rn.bf16x2.f32 P4, D9, D8; cvt.rn.bf16x2.f32 P5, D11, D10;
        cvt.rn.bf16x2.f32 P6, D13, D12; cvt.rn.bf16x2.f32 P7, D15, D14; cvt.rn.bf16x2.f32 P8, D17, D16; cvt.rn.bf16x2.f32 P9, D19, D18; cvt.rn.bf16x2.f32 P10, D21, D20; cvt.rn.bf16x2.f32 P11, D23, D22;
        cvt.rn.bf16x2.f32 P12, D25, D24; cvt.rn.bf16x2.f32 P13, D27, D26; cvt.rn.bf16x2.f32 P14, D29, D28; cvt.rn.bf16x2.f32 P15, D31, D30;
        """;

    // K += P · queries.
    private const string SumKeys =
        """
        { .reg .b32 r, t<6>; add.u32 r, rd, ar; xor.b32 t0, ax, 0; add.u32 t0, r, t0; xor.b32 t1, ax, 32; add.u32 t1, r, t1; xor.b32 t2, ax, 64; add.u32 t2, r, t2; xor.b32 t3, ax, 96; add.u32 t3, r, t3;
        xor.b32 t4, ax, 128; add.u32 t4, r, t4; xor.b32 t5, ax, 160; add.u32 t5, r, t5; ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K0,K1,K2,K3}, {P0,P1,P2,P3}, {B0,B1}, {K0,K1,K2,K3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K4,K5,K6,K7}, {P0,P1,P2,P3}, {B2,B3}, {K4,K5,K6,K7};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K8,K9,K10,K11}, {P0,P1,P2,P3}, {B0,B1}, {K8,K9,K10,K11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K12,K13,K14,K15}, {P0,P1,P2,P3}, {B2,B3}, {K12,K13,K14,K15};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t2+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K16,K17,K18,K19}, {P0,P1,P2,P3}, {B0,B1}, {K16,K17,K18,K19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K20,K21,K22,K23}, {P0,P1,P2,P3}, {B2,B3}, {K20,K21,K22,K23};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t3+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K24,K25,K26,K27}, {P0,P1,P2,P3}, {B0,B1}, {K24,K25,K26,K27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K28,K29,K30,K31}, {P0,P1,P2,P3}, {B2,B3}, {K28,K29,K30,K31};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t4+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K32,K33,K34,K35}, {P0,P1,P2,P3}, {B0,B1}, {K32,K33,K34,K35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K36,K37,K38,K39}, {P0,P1,P2,P3}, {B2,B3}, {K36,K37,K38,K39};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t5+0];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K40,K41,K42,K43}, {P0,P1,P2,P3}, {B0,B1}, {K40,K41,K42,K43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K44,K45,K46,K47}, {P0,P1,P2,P3}, {B2,B3}, {K44,K45,K46,K47};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K0,K1,K2,K3}, {P4,P5,P6,P7}, {B0,B1}, {K0,K1,K2,K3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K4,K5,K6,K7}, {P4,P5,P6,P7}, {B2,B3}, {K4,K5,K6,K7};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K8,K9,K10,K11}, {P4,P5,P6,P7}, {B0,B1}, {K8,K9,K10,K11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K12,K13,K14,K15}, {P4,P5,P6,P7}, {B2,B3}, {K12,K13,K14,K15};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t2+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K16,K17,K18,K19}, {P4,P5,P6,P7}, {B0,B1}, {K16,K17,K18,K19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K20,K21,K22,K23}, {P4,P5,P6,P7}, {B2,B3}, {K20,K21,K22,K23};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t3+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K24,K25,K26,K27}, {P4,P5,P6,P7}, {B0,B1}, {K24,K25,K26,K27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K28,K29,K30,K31}, {P4,P5,P6,P7}, {B2,B3}, {K28,K29,K30,K31};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t4+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K32,K33,K34,K35}, {P4,P5,P6,P7}, {B0,B1}, {K32,K33,K34,K35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K36,K37,K38,K39}, {P4,P5,P6,P7}, {B2,B3}, {K36,K37,K38,K39};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t5+3072];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K40,K41,K42,K43}, {P4,P5,P6,P7}, {B0,B1}, {K40,K41,K42,K43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K44,K45,K46,K47}, {P4,P5,P6,P7}, {B2,B3}, {K44,K45,K46,K47};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K0,K1,K2,K3}, {P8,P9,P10,P11}, {B0,B1}, {K0,K1,K2,K3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K4,K5,K6,K7}, {P8,P9,P10,P11}, {B2,B3}, {K4,K5,K6,K7};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K8,K9,K10,K11}, {P8,P9,P10,P11}, {B0,B1}, {K8,K9,K10,K11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K12,K13,K14,K15}, {P8,P9,P10,P11}, {B2,B3}, {K12,K13,K14,K15};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t2+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K16,K17,K18,K19}, {P8,P9,P10,P11}, {B0,B1}, {K16,K17,K18,K19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K20,K21,K22,K23}, {P8,P9,P10,P11}, {B2,B3}, {K20,K21,K22,K23};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t3+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K24,K25,K26,K27}, {P8,P9,P10,P11}, {B0,B1}, {K24,K25,K26,K27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K28,K29,K30,K31}, {P8,P9,P10,P11}, {B2,B3}, {K28,K29,K30,K31};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t4+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K32,K33,K34,K35}, {P8,P9,P10,P11}, {B0,B1}, {K32,K33,K34,K35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K36,K37,K38,K39}, {P8,P9,P10,P11}, {B2,B3}, {K36,K37,K38,K39};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t5+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K40,K41,K42,K43}, {P8,P9,P10,P11}, {B0,B1}, {K40,K41,K42,K43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K44,K45,K46,K47}, {P8,P9,P10,P11}, {B2,B3}, {K44,K45,K46,K47};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t0+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K0,K1,K2,K3}, {P12,P13,P14,P15}, {B0,B1}, {K0,K1,K2,K3}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K4,K5,K6,K7}, {P12,P13,P14,P15}, {B2,B3}, {K4,K5,K6,K7};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t1+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K8,K9,K10,K11}, {P12,P13,P14,P15}, {B0,B1}, {K8,K9,K10,K11}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K12,K13,K14,K15}, {P12,P13,P14,P15}, {B2,B3}, {K12,K13,K14,K15};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t2+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K16,K17,K18,K19}, {P12,P13,P14,P15}, {B0,B1}, {K16,K17,K18,K19}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K20,K21,K22,K23}, {P12,P13,P14,P15}, {B2,B3}, {K20,K21,K22,K23};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t3+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K24,K25,K26,K27}, {P12,P13,P14,P15}, {B0,B1}, {K24,K25,K26,K27}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K28,K29,K30,K31}, {P12,P13,P14,P15}, {B2,B3}, {K28,K29,K30,K31};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t4+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K32,K33,K34,K35}, {P12,P13,P14,P15}, {B0,B1}, {K32,K33,K34,K35}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K36,K37,K38,K39}, {P12,P13,P14,P15}, {B2,B3}, {K36,K37,K38,K39};
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {B0,B1,B2,B3}, [t5+9216];
        mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K40,K41,K42,K43}, {P12,P13,P14,P15}, {B0,B1}, {K40,K41,K42,K43}; mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {K44,K45,K46,K47}, {P12,P13,P14,P15}, {B2,B3}, {K44,K45,K46,K47};
        }
        """;

    // K · scale as bfloat16.
    private const string StoreKeys =
        """
        { .reg .pred p, v; .reg .b32 u, w, c, d<4>; .reg .f32 a, b; .reg .b64 o; bar.warp.sync 0xffffffff; add.u32 w, sb, %0; xor.b32 c, %1, 0; add.u32 c, w, c;
        mul.f32 a, K0, scale; mul.f32 b, K1, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, K2, scale; mul.f32 b, K3, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        xor.b32 c, %1, 16; add.u32 c, w, c; mul.f32 a, K4, scale; mul.f32 b, K5, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u;
        mul.f32 a, K6, scale; mul.f32 b, K7, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u; xor.b32 c, %1, 32; add.u32 c, w, c;
        mul.f32 a, K8, scale; mul.f32 b, K9, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, K10, scale; mul.f32 b, K11, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        xor.b32 c, %1, 48; add.u32 c, w, c; mul.f32 a, K12, scale; mul.f32 b, K13, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u;
        mul.f32 a, K14, scale; mul.f32 b, K15, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u; xor.b32 c, %1, 64; add.u32 c, w, c;
        mul.f32 a, K16, scale; mul.f32 b, K17, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, K18, scale; mul.f32 b, K19, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        xor.b32 c, %1, 80; add.u32 c, w, c; mul.f32 a, K20, scale; mul.f32 b, K21, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u;
        mul.f32 a, K22, scale; mul.f32 b, K23, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u; xor.b32 c, %1, 96; add.u32 c, w, c;
        mul.f32 a, K24, scale; mul.f32 b, K25, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, K26, scale; mul.f32 b, K27, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        xor.b32 c, %1, 112; add.u32 c, w, c; mul.f32 a, K28, scale; mul.f32 b, K29, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u;
        mul.f32 a, K30, scale; mul.f32 b, K31, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u; xor.b32 c, %1, 128; add.u32 c, w, c;
        mul.f32 a, K32, scale; mul.f32 b, K33, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, K34, scale; mul.f32 b, K35, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        xor.b32 c, %1, 144; add.u32 c, w, c; mul.f32 a, K36, scale; mul.f32 b, K37, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u;
        mul.f32 a, K38, scale; mul.f32 b, K39, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u; xor.b32 c, %1, 160; add.u32 c, w, c;
        mul.f32 a, K40, scale; mul.f32 b, K41, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u; mul.f32 a, K42, scale; mul.f32 b, K43, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u;
        xor.b32 c, %1, 176; add.u32 c, w, c; mul.f32 a, K44, scale; mul.f32 b, K45, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+0], u;
        mul.f32 a, K46, scale; mul.f32 b, K47, scale; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+1536], u; bar.warp.sync 0xffffffff; mov.b64 o, %3; xor.b32 c, %2, 0; add.u32 c, sb, c; setp.gt.s32 v, %5, 0;
        setp.ne.and.b32 p, z0, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+0]; @p st.global.v4.b32 [o+0], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z1, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+64]; @p st.global.v4.b32 [o+64], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z2, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+128]; @p st.global.v4.b32 [o+128], {d0,d1,d2,d3}; add.s64 o, o, %4; xor.b32 c, %2, 0; add.u32 c, sb, c; setp.gt.s32 v, %5, 8;
        setp.ne.and.b32 p, z0, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+1536]; @p st.global.v4.b32 [o+0], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z1, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+1600]; @p st.global.v4.b32 [o+64], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z2, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+1664]; @p st.global.v4.b32 [o+128], {d0,d1,d2,d3}; }
        """;

    // V as bfloat16.
    private const string StoreValues =
        """
        { .reg .pred p, v; .reg .b32 u, w, c, d<4>; .reg .f32 a, b; .reg .b64 o; bar.warp.sync 0xffffffff; add.u32 w, sb, %0; xor.b32 c, %1, 0; add.u32 c, w, c;
        mul.f32 a, V0, one; mul.f32 b, V1, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+12288], u; mul.f32 a, V2, one; mul.f32 b, V3, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+13824], u;
        xor.b32 c, %1, 16; add.u32 c, w, c; mul.f32 a, V4, one; mul.f32 b, V5, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+12288], u;
        mul.f32 a, V6, one; mul.f32 b, V7, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+13824], u; xor.b32 c, %1, 32; add.u32 c, w, c;
        mul.f32 a, V8, one; mul.f32 b, V9, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+12288], u; mul.f32 a, V10, one; mul.f32 b, V11, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+13824], u;
        xor.b32 c, %1, 48; add.u32 c, w, c; mul.f32 a, V12, one; mul.f32 b, V13, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+12288], u;
        mul.f32 a, V14, one; mul.f32 b, V15, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+13824], u; xor.b32 c, %1, 64; add.u32 c, w, c;
        mul.f32 a, V16, one; mul.f32 b, V17, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+12288], u; mul.f32 a, V18, one; mul.f32 b, V19, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+13824], u;
        xor.b32 c, %1, 80; add.u32 c, w, c; mul.f32 a, V20, one; mul.f32 b, V21, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+12288], u;
        mul.f32 a, V22, one; mul.f32 b, V23, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+13824], u; xor.b32 c, %1, 96; add.u32 c, w, c;
        mul.f32 a, V24, one; mul.f32 b, V25, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+12288], u; mul.f32 a, V26, one; mul.f32 b, V27, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+13824], u;
        xor.b32 c, %1, 112; add.u32 c, w, c; mul.f32 a, V28, one; mul.f32 b, V29, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+12288], u;
        mul.f32 a, V30, one; mul.f32 b, V31, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+13824], u; xor.b32 c, %1, 128; add.u32 c, w, c;
        mul.f32 a, V32, one; mul.f32 b, V33, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+12288], u; mul.f32 a, V34, one; mul.f32 b, V35, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+13824], u;
        xor.b32 c, %1, 144; add.u32 c, w, c; mul.f32 a, V36, one; mul.f32 b, V37, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+12288], u;
        mul.f32 a, V38, one; mul.f32 b, V39, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+13824], u; xor.b32 c, %1, 160; add.u32 c, w, c;
        mul.f32 a, V40, one; mul.f32 b, V41, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+12288], u; mul.f32 a, V42, one; mul.f32 b, V43, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+13824], u;
        xor.b32 c, %1, 176; add.u32 c, w, c; mul.f32 a, V44, one; mul.f32 b, V45, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+12288], u;
        mul.f32 a, V46, one; mul.f32 b, V47, one; cvt.rn.bf16x2.f32 u, b, a; st.shared.b32 [c+13824], u; bar.warp.sync 0xffffffff; mov.b64 o, %3; xor.b32 c, %2, 0; add.u32 c, sb, c; setp.gt.s32 v, %5, 0;
        setp.ne.and.b32 p, z0, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+12288]; @p st.global.v4.b32 [o+0], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z1, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+12352]; @p st.global.v4.b32 [o+64], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z2, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+12416]; @p st.global.v4.b32 [o+128], {d0,d1,d2,d3}; add.s64 o, o, %4; xor.b32 c, %2, 0; add.u32 c, sb, c; setp.gt.s32 v, %5, 8;
        setp.ne.and.b32 p, z0, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+13824]; @p st.global.v4.b32 [o+0], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z1, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+13888]; @p st.global.v4.b32 [o+64], {d0,d1,d2,d3};
        setp.ne.and.b32 p, z2, 0, v; ld.shared.v4.b32 {d0,d1,d2,d3}, [c+13952]; @p st.global.v4.b32 [o+128], {d0,d1,d2,d3}; }
        """;

    /// <summary>dk and dv for a tile of keys of one head; see <see cref="IBackend.AttentionBackward"/>. Addresses are bytes; tiles is the number of key tiles, padded the rows of statistics of a head.</summary>
    [KernelBounds(128, MinGroups = 2, SharedBytes = 74752)]
    public static void Keys(long q, long k, long v, long dOut, long statistics, long dk, long dv, AttentionShape s, int tiles, int padded)
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
        CudaAsm.Emit(Sources, FlashRows.Address(q, s, sample, s.Queries, row, s.StrideQ, head, chunk), FlashRows.Address(dOut, s, sample, s.Queries, row, s.StrideO, head, chunk),
            s.StrideQ * 64L, s.StrideO * 64L, s.Queries - row, chunk < s.HeadDim / 8 ? 16 : 0, chunk + 4 < s.HeadDim / 8 ? 16 : 0, chunk + 8 < s.HeadDim / 8 ? 16 : 0);
        CudaAsm.Emit(CopyLeft, s.Keys - first - row, FlashRows.Address(k, s, sample, s.Keys, first + row, s.StrideK, head, chunk), s.StrideK * 64L, FlashRows.Address(v, s, sample, s.Keys, first + row, s.StrideV, head, chunk), s.StrideV * 64L);
        CudaAsm.Emit(Statistics, statistics + ((long)sample * s.Heads + head) * padded * 8 + thread * 16, thread, (lane & 3) << 4, s.Scale);
        CudaAsm.Emit(CopyTiles);
        int count = (s.Queries + 63) / 64;
        for (int j = 0; j < count; j++)
        {
            CudaAsm.Emit(Arrive);
            if (j + 1 < count) { CudaAsm.Emit(CopyTiles); }
            CudaAsm.Emit(Scores);
            CudaAsm.Emit(Probabilities);
            CudaAsm.Emit(Pack);
            CudaAsm.Emit(SumValues);
            CudaAsm.Emit(Products);
            CudaAsm.Emit(Gradients);
            CudaAsm.Emit(PackGradients);
            CudaAsm.Emit(SumKeys);
            CudaAsm.Emit(Advance);
        }
        int storeRow = lane / 4, storeChunk = lane % 4, storeFirst = first + warpRow + storeRow;
        int sumPlace = (warpRow + (lane >> 2)) * 192 + ((lane & 3) << 2), sumExchange = ((lane >> 2) >> 1 & 3) << 4;
        int storePlace = (warpRow + storeRow) * 192 + ((storeChunk ^ (storeRow >> 1 & 3)) << 4);
        CudaAsm.Emit(StoreKeys, sumPlace, sumExchange, storePlace, FlashRows.Address(dk, s, sample, s.Keys, storeFirst, s.StrideK, head, storeChunk), s.StrideK * 16L, s.Keys - storeFirst);
        CudaAsm.Emit(StoreValues, sumPlace, sumExchange, storePlace, FlashRows.Address(dv, s, sample, s.Keys, storeFirst, s.StrideV, head, storeChunk), s.StrideV * 16L, s.Keys - storeFirst);
        if (s.Keys < 0) { shared[thread] = default; }
    }
}
