using Xunit;

namespace I2M.PtxEmulator.Tests;

/// <summary>
/// One instruction at a time with values from the PTX manual's definitions. Lane 0 has a in %r2 / %f2 and b in %r3 / %f3; the result is %r4 or %f4.
/// </summary>
public sealed class InstructionTests
{
    private static uint Lane0(string instruction, uint a, uint b)
    {
        uint[] input = new uint[32];
        for (int lane = 0; lane < 32; lane++) { input[lane] = lane % 2 == 0 ? a : b; }
        return Ptx.Apply(instruction, input)[0];
    }

    [Theory]
    [InlineData("add.s32 %r4, %r2, %r3;", 0x7FFFFFFFu, 1u, 0x80000000u)]
    [InlineData("sub.u32 %r4, %r2, %r3;", 1u, 2u, 0xFFFFFFFFu)]
    [InlineData("mul.lo.s32 %r4, %r2, %r3;", 0x10001u, 0x10001u, 0x20001u)]
    [InlineData("mul.hi.u32 %r4, %r2, %r3;", 0xFFFFFFFFu, 0xFFFFFFFFu, 0xFFFFFFFEu)]
    [InlineData("mul.hi.s32 %r4, %r2, %r3;", 0xFFFFFFFFu, 0xFFFFFFFFu, 0u)]
    [InlineData("mad.lo.s32 %r4, %r2, %r3, 5;", 3u, 0xFFFFFFFEu, 0xFFFFFFFFu)]
    [InlineData("div.s32 %r4, %r2, %r3;", 0xFFFFFFF9u, 2u, 0xFFFFFFFDu)]
    [InlineData("div.u32 %r4, %r2, %r3;", 0xFFFFFFF9u, 2u, 0x7FFFFFFCu)]
    [InlineData("div.s32 %r4, %r2, %r3;", 0x80000000u, 0xFFFFFFFFu, 0x80000000u)]
    [InlineData("rem.s32 %r4, %r2, %r3;", 0xFFFFFFF9u, 4u, 0xFFFFFFFDu)]
    [InlineData("rem.u32 %r4, %r2, %r3;", 7u, 4u, 3u)]
    [InlineData("min.s32 %r4, %r2, %r3;", 0xFFFFFFFFu, 1u, 0xFFFFFFFFu)]
    [InlineData("min.u32 %r4, %r2, %r3;", 0xFFFFFFFFu, 1u, 1u)]
    [InlineData("max.s32 %r4, %r2, %r3;", 0xFFFFFFFFu, 1u, 1u)]
    [InlineData("abs.s32 %r4, %r2;", 0xFFFFFFF0u, 0u, 16u)]
    [InlineData("neg.s32 %r4, %r2;", 5u, 0u, 0xFFFFFFFBu)]
    [InlineData("and.b32 %r4, %r2, %r3;", 0xF0F0u, 0xFF00u, 0xF000u)]
    [InlineData("or.b32 %r4, %r2, %r3;", 0xF0F0u, 0xFF00u, 0xFFF0u)]
    [InlineData("xor.b32 %r4, %r2, %r3;", 0xF0F0u, 0xFF00u, 0x0FF0u)]
    [InlineData("not.b32 %r4, %r2;", 0xF0F0u, 0u, 0xFFFF0F0Fu)]
    [InlineData("shl.b32 %r4, %r2, %r3;", 3u, 31u, 0x80000000u)]
    [InlineData("shl.b32 %r4, %r2, %r3;", 3u, 32u, 0u)]
    [InlineData("shr.s32 %r4, %r2, %r3;", 0x80000000u, 40u, 0xFFFFFFFFu)]
    [InlineData("shr.u32 %r4, %r2, %r3;", 0x80000000u, 31u, 1u)]
    [InlineData("popc.b32 %r4, %r2;", 0xF0F1u, 0u, 9u)]
    [InlineData("clz.b32 %r4, %r2;", 0x00010000u, 0u, 15u)]
    [InlineData("brev.b32 %r4, %r2;", 0x00000006u, 0u, 0x60000000u)]
    [InlineData("bfe.u32 %r4, %r2, 4, 8;", 0xABCDEF12u, 0u, 0xF1u)]
    [InlineData("bfe.s32 %r4, %r2, 4, 8;", 0xABCDEF12u, 0u, 0xFFFFFFF1u)]
    [InlineData("bfi.b32 %r4, %r2, %r3, 8, 4;", 0x5u, 0xFFFFFFFFu, 0xFFFFF5FFu)]
    [InlineData("prmt.b32 %r4, %r2, %r3, 0x5410;", 0x33221100u, 0x77665544u, 0x55441100u)]
    [InlineData("prmt.b32 %r4, %r2, %r3, 0x9632;", 0x3322F100u, 0x77665544u, 0xFF663322u)]
    [InlineData("shf.l.wrap.b32 %r4, %r2, %r3, 8;", 0xAABBCCDDu, 0x11223344u, 0x223344AAu)]
    [InlineData("shf.r.wrap.b32 %r4, %r2, %r3, 8;", 0xAABBCCDDu, 0x11223344u, 0x44AABBCCu)]
    [InlineData("lop3.b32 %r4, %r2, %r3, 0xFF, 0x96;", 0xF0u, 0xCCu, 0xC3u)]
    [InlineData("lop3.b32 %r4, %r2, %r3, 0x0F, 0xEA;", 0xF0u, 0xCCu, 0xCFu)]
    public void Integers(string instruction, uint a, uint b, uint expected) => Assert.Equal($"0x{expected:x}", $"0x{Lane0(instruction, a, b):x}");

    [Theory]
    [InlineData("mul.wide.u32 %rd7, %r2, %r3; cvt.u32.u64 %r4, %rd7; shr.u64 %rd7, %rd7, 32; cvt.u32.u64 %r4, %rd7;", 0xFFFFFFFFu, 2u, 1u)]
    [InlineData("mul.wide.s32 %rd7, %r2, %r3; shr.u64 %rd7, %rd7, 32; cvt.u32.u64 %r4, %rd7;", 0xFFFFFFFFu, 2u, 0xFFFFFFFFu)]
    [InlineData("cvt.s64.s32 %rd7, %r2; shr.s64 %rd7, %rd7, 4; cvt.u32.u64 %r4, %rd7;", 0xFFFFFF00u, 0u, 0xFFFFFFF0u)]
    [InlineData("cvt.u64.u32 %rd7, %r2; shl.b64 %rd7, %rd7, 4; shr.u64 %rd7, %rd7, 32; cvt.u32.u64 %r4, %rd7;", 0xF0000000u, 0u, 0xFu)]
    [InlineData("mov.b64 %rd7, {%r2, %r3}; shr.u64 %rd7, %rd7, 16; cvt.u32.u64 %r4, %rd7;", 0xAABBCCDDu, 0x11223344u, 0x3344AABBu)]
    [InlineData("cvt.u64.u32 %rd7, %r2; mad.lo.u64 %rd7, %rd7, 4, 1; mov.b64 {%r4, %r5}, %rd7;", 3u, 0u, 13u)]
    [InlineData("cvt.s64.s32 %rd7, %r2; cvt.s64.s32 %rd8, %r3; div.s64 %rd7, %rd7, %rd8; cvt.u32.u64 %r4, %rd7;", 0xFFFFFFF9u, 2u, 0xFFFFFFFDu)]
    [InlineData("mov.b32 {%h1, %h2}, %r2; mov.b32 %r4, {%h2, %h1};", 0xAABBCCDDu, 0u, 0xCCDDAABBu)]
    public void Wide_values(string statements, uint a, uint b, uint expected) => Assert.Equal($"0x{expected:x}", $"0x{Lane0(statements, a, b):x}");

    [Theory]
    [InlineData("add.f32 %f4, %f2, %f3;", 1.5f, 2.25f, 3.75f)]
    [InlineData("sub.f32 %f4, %f2, %f3;", 1.5f, 2.25f, -0.75f)]
    [InlineData("mul.rn.f32 %f4, %f2, %f3;", 1.5f, -2f, -3f)]
    [InlineData("fma.rn.f32 %f4, %f2, %f3, 0f3F800000;", 2f, 3f, 7f)]
    [InlineData("fma.rn.f32 %f4, %f2, %f2, %f3;", 1.0001220703125f, -1.000244140625f, 1.4901161e-8f)]
    [InlineData("div.rn.f32 %f4, %f2, %f3;", 1f, 3f, 1f / 3f)]
    [InlineData("min.f32 %f4, %f2, %f3;", float.NaN, 2f, 2f)]
    [InlineData("max.f32 %f4, %f2, %f3;", -3f, float.NaN, -3f)]
    [InlineData("max.f32 %f4, %f2, %f3;", -0f, 0f, 0f)]
    [InlineData("neg.f32 %f4, %f2;", 2f, 0f, -2f)]
    [InlineData("abs.f32 %f4, %f2;", -2f, 0f, 2f)]
    [InlineData("add.f32 %f4, %f2, %f3;", 1e-45f, 0f, 1e-45f)]
    [InlineData("add.ftz.f32 %f4, %f2, %f3;", 1e-45f, 0f, 0f)]
    [InlineData("mul.ftz.f32 %f4, %f2, %f3;", 1e-30f, 1e-10f, 0f)]
    [InlineData("ex2.approx.f32 %f4, %f2;", 3f, 0f, 8f)]
    [InlineData("ex2.approx.ftz.f32 %f4, %f2;", -130f, 0f, 0f)]
    [InlineData("ex2.approx.ftz.f32 %f4, %f2;", float.NegativeInfinity, 0f, 0f)]
    [InlineData("lg2.approx.f32 %f4, %f2;", 8f, 0f, 3f)]
    [InlineData("rcp.approx.ftz.f32 %f4, %f2;", 4f, 0f, 0.25f)]
    [InlineData("rsqrt.approx.f32 %f4, %f2;", 16f, 0f, 0.25f)]
    [InlineData("sqrt.rn.f32 %f4, %f2;", 2f, 0f, 1.41421354f)]
    [InlineData("sin.approx.f32 %f4, %f2;", 0f, 0f, 0f)]
    [InlineData("cos.approx.f32 %f4, %f2;", 0f, 0f, 1f)]
    [InlineData("tanh.approx.f32 %f4, %f2;", float.PositiveInfinity, 0f, 1f)]
    [InlineData("div.full.f32 %f4, %f2, %f3;", 3f, 4f, 0.75f)]
    [InlineData("cvt.rni.f32.f32 %f4, %f2;", 2.5f, 0f, 2f)]
    [InlineData("cvt.rmi.f32.f32 %f4, %f2;", -2.5f, 0f, -3f)]
    [InlineData("cvt.sat.f32.f32 %f4, %f2;", 2.5f, 0f, 1f)]
    public void Floats(string instruction, float a, float b, float expected) =>
        Assert.Equal(expected, BitConverter.UInt32BitsToSingle(Lane0(instruction, BitConverter.SingleToUInt32Bits(a), BitConverter.SingleToUInt32Bits(b))));

    public static TheoryData<string, double, double> Approximate => new()
    {
        { "ex2.approx.ftz.f32 %f4, %f2;", Math.Pow(2, -22), 0 },
        { "lg2.approx.f32 %f4, %f2;", Math.Pow(2, -22), Math.Pow(2, -22) },
        { "rcp.approx.ftz.f32 %f4, %f2;", Math.Pow(2, -23), 0 },
        { "rsqrt.approx.f32 %f4, %f2;", Math.Pow(2, -22.9), 0 },
        { "sqrt.approx.f32 %f4, %f2;", Math.Pow(2, -23), 0 },
        { "sin.approx.f32 %f4, %f2;", 0, Math.Pow(2, -20.5) },
        { "cos.approx.f32 %f4, %f2;", 0, Math.Pow(2, -20.5) },
        { "tanh.approx.f32 %f4, %f2;", Math.Pow(2, -11), 0 },
        { "div.full.f32 %f4, %f2, %f3;", Math.Pow(2, -22), 0 },
    };

    /// <summary>Results are anywhere inside of the manual's bound: some far from the exact one, none outside.</summary>
    [Theory, MemberData(nameof(Approximate))]
    public void Approximate_functions_use_the_error_that_the_manual_allows(string instruction, double relative, double absolute)
    {
        string name = instruction[..instruction.IndexOf('.', StringComparison.Ordinal)];
        double worst = 0;
        for (int part = 0; part < 16; part++)
        {
            float[] x = [.. Enumerable.Range(0, 32).Select(i => 0.013f + (part * 32 + i) * 0.0117f)];
            uint[] results = Ptx.Apply(instruction, [.. x.Select(BitConverter.SingleToUInt32Bits)]);
            for (int i = 0; i < 32; i++)
            {
                double v = x[i], exact = name switch
                {
                    "ex2" => Math.Pow(2, v), "lg2" => Math.Log2(v), "rcp" => 1 / v, "rsqrt" => 1 / Math.Sqrt(v), "sqrt" => Math.Sqrt(v),
                    "sin" => Math.Sin(v), "cos" => Math.Cos(v), "tanh" => Math.Tanh(v), _ => v / x[i ^ 1],
                };
                double error = Math.Abs(BitConverter.UInt32BitsToSingle(results[i]) - exact) / Math.Max(relative * Math.Abs(exact), absolute);
                Assert.True(error <= 1, $"{name}({v}): {error:F3} of the bound");
                worst = Math.Max(worst, error);
            }
        }
        Assert.True(worst > 0.8, $"{name}: at most {worst:F3} of the bound is used");
    }

    /// <summary>(1 + 2⁻¹²)² = 1 + 2⁻¹¹ + 2⁻²⁴: rounding the product loses the last term, which the difference from 1 + 2⁻¹¹ shows.</summary>
    [Theory]
    [InlineData("mul.f32 %f5, %f2, %f2; sub.f32 %f4, %f5, %f3;", 5.9604645e-8f)]
    [InlineData("mul.f32 %f5, %f2, %f2; sub.f32 %f4, %f3, %f5;", -5.9604645e-8f)]
    [InlineData("mul.f32 %f5, %f2, %f2; neg.f32 %f6, %f3; add.f32 %f4, %f6, %f5;", 5.9604645e-8f)]
    [InlineData("mul.rn.f32 %f5, %f2, %f2; sub.f32 %f4, %f5, %f3;", 0f)]
    [InlineData("mul.f32 %f5, %f2, %f2; sub.rn.f32 %f4, %f5, %f3;", 0f)]
    [InlineData("mul.f32 %f5, %f2, %f2; bra L; L: sub.f32 %f4, %f5, %f3;", 0f)]
    [InlineData("mov.f32 %f5, %f2; mul.f32 %f5, %f5, %f5; sub.f32 %f4, %f5, %f3;", 0f)]
    [InlineData("mov.f32 %f6, %f2; mul.f32 %f5, %f6, %f6; mov.f32 %f6, %f3; sub.f32 %f4, %f5, %f3;", 0f)]
    public void Products_and_sums_are_fused_where_the_text_leaves_the_rounding_open(string instructions, float expected) =>
        Assert.Equal(expected, BitConverter.UInt32BitsToSingle(Lane0(instructions, BitConverter.SingleToUInt32Bits(1 + 1f / 4096), BitConverter.SingleToUInt32Bits(1 + 1f / 2048))));

    [Theory]
    [InlineData("cvt.rzi.s32.f32 %r4, %f2;", -2.7f, 0xFFFFFFFEu)]
    [InlineData("cvt.rzi.s32.f32 %r4, %f2;", 1e20f, 0x7FFFFFFFu)]
    [InlineData("cvt.rzi.s32.f32 %r4, %f2;", float.NaN, 0u)]
    [InlineData("cvt.rzi.u32.f32 %r4, %f2;", -5f, 0u)]
    [InlineData("cvt.rn.bf16x2.f32 %r4, %f2, %f3;", 1.00390625f, 0x3F800000u)]
    [InlineData("cvt.rn.bf16x2.f32 %r4, %f2, %f3;", 1.01171875f, 0x3F820000u)]
    [InlineData("cvt.rn.bf16x2.f32 %r4, %f3, %f2;", -2f, 0x0000C000u)]
    [InlineData("cvt.rna.tf32.f32 %r4, %f2;", 1.00048828125f, 0x3F802000u)]
    [InlineData("cvt.rna.tf32.f32 %r4, %f2;", 1.0001220703125f, 0x3F800000u)]
    [InlineData("cvt.rn.f16.f32 %h1, %f2; cvt.u32.u16 %r4, %h1;", 1.5f, 0x3E00u)]
    [InlineData("cvt.rn.f32.s32 %f5, %r1; cvt.rn.f32.u32 %f6, 4294967295; mov.b32 %r4, %f6;", 0f, 0x4F800000u)]
    [InlineData("cvt.f64.f32 %fd1, %f2; add.f64 %fd1, %fd1, 0d3FF0000000000000; cvt.rn.f32.f64 %f5, %fd1; mov.b32 %r4, %f5;", 1f, 0x40000000u)]
    [InlineData("cvt.rzi.s32.f32 %r5, %f2; cvt.s8.s32 %r6, %r5; cvt.u16.u32 %h1, %r5; cvt.s32.s16 %r4, %h1;", -3f, 0xFFFFFFFDu)]
    public void Conversions(string statements, float a, uint expected) => Assert.Equal($"0x{expected:x}", $"0x{Lane0(statements, BitConverter.SingleToUInt32Bits(a), 0):x}");

    [Theory]
    [InlineData("setp.lt.s32 %p1, %r2, %r3;", 0xFFFFFFFFu, 1u, true)]
    [InlineData("setp.lt.u32 %p1, %r2, %r3;", 0xFFFFFFFFu, 1u, false)]
    [InlineData("setp.hi.u32 %p1, %r2, %r3;", 0xFFFFFFFFu, 1u, true)]
    [InlineData("setp.ne.s32 %p1, %r2, %r3;", 1u, 1u, false)]
    [InlineData("setp.lt.f32 %p1, %f2, %f3;", 0x7FC00000u, 0x3F800000u, false)]
    [InlineData("setp.ltu.f32 %p1, %f2, %f3;", 0x7FC00000u, 0x3F800000u, true)]
    [InlineData("setp.ltu.f32 %p1, %f2, %f3;", 0x40000000u, 0x3F800000u, false)]
    [InlineData("setp.geu.f32 %p1, %f2, %f3;", 0x3F800000u, 0x7FC00000u, true)]
    [InlineData("setp.ne.f32 %p1, %f2, %f3;", 0x7FC00000u, 0x3F800000u, false)]
    [InlineData("setp.neu.f32 %p1, %f2, %f3;", 0x7FC00000u, 0x3F800000u, true)]
    [InlineData("setp.equ.f32 %p1, %f2, %f3;", 0x7FC00000u, 0x3F800000u, true)]
    [InlineData("setp.num.f32 %p1, %f2, %f3;", 0x7FC00000u, 0x3F800000u, false)]
    [InlineData("setp.nan.f32 %p1, %f2, %f3;", 0x7FC00000u, 0x3F800000u, true)]
    [InlineData("testp.notanumber.f32 %p1, %f2;", 0x7FC00000u, 0u, true)]
    [InlineData("setp.eq.s32 %p2, %r2, 1; setp.eq.and.s32 %p1, %r3, 2, %p2;", 1u, 2u, true)]
    [InlineData("setp.eq.s32 %p2, %r2, 1; setp.eq.or.s32 %p1, %r3, 9, !%p2;", 1u, 2u, false)]
    [InlineData("setp.eq.s32 %p3|%p1, %r2, 1;", 1u, 2u, false)]
    [InlineData("setp.eq.s32 %p2, %r2, 1; setp.eq.s32 %p3, %r2, 2; or.pred %p1, %p2, %p3;", 2u, 0u, true)]
    [InlineData("mov.pred %p1, 1;", 0u, 0u, true)]
    [InlineData("mov.pred %p1, 0;", 0u, 0u, false)]
    [InlineData("setp.eq.s32 %p2, %r2, 1; not.pred %p1, %p2;", 1u, 0u, false)]
    public void Comparisons(string statements, uint a, uint b, bool expected) =>
        Assert.Equal(expected ? 1u : 0, Lane0(statements + " selp.b32 %r4, 1, 0, %p1;", a, b));

    /// <summary>What every lane gets, as a function of its number.</summary>
    private static readonly Dictionary<string, Func<int, int>> s_exchanges = new()
    {
        ["shfl.sync.bfly.b32 %r4, %r1, 3, 31, 0xffffffff;"] = lane => lane ^ 3,
        ["shfl.sync.down.b32 %r4, %r1, 2, 31, 0xffffffff;"] = lane => lane < 30 ? lane + 2 : lane,
        ["shfl.sync.up.b32 %r4, %r1, 1, 0, 0xffffffff;"] = lane => Math.Max(lane - 1, 0),
        ["shfl.sync.idx.b32 %r4, %r1, 5, 31, 0xffffffff;"] = _ => 5,
        ["shfl.sync.idx.b32 %r4, %r1, 1, 0x1c03, 0xffffffff;"] = lane => lane / 4 * 4 + 1,
        ["shfl.sync.down.b32 %r4|%p1, %r1, 2, 31, 0xffffffff; @!%p1 mov.b32 %r4, 99;"] = lane => lane < 30 ? lane + 2 : 99,
        ["setp.gt.u32 %p1, %r1, 29; vote.sync.ballot.b32 %r4, %p1, 0xffffffff;"] = _ => 3 << 30,
        ["setp.gt.u32 %p1, %r1, 29; vote.sync.any.pred %p2, %p1, 0xffffffff; selp.b32 %r4, 7, 8, %p2;"] = _ => 7,
        ["setp.gt.u32 %p1, %r1, 29; vote.sync.all.pred %p2, %p1, 0xffffffff; selp.b32 %r4, 7, 8, %p2;"] = _ => 8,
        ["redux.sync.add.s32 %r4, %r1, 0xffffffff;"] = _ => 496,
        ["shr.u32 %r5, %r1, 4; match.any.sync.b32 %r4, %r5, 0xffffffff;"] = lane => lane < 16 ? 0xFFFF : -0x10000,
        ["setp.lt.u32 %p1, %r1, 4; mov.b32 %r4, 0; @%p1 activemask.b32 %r4;"] = lane => lane < 4 ? 15 : 0,
    };

    [Fact]
    public void Lanes_exchange_values()
    {
        foreach ((string statements, Func<int, int> expected) in s_exchanges)
        {
            Assert.Equal(Enumerable.Range(0, 32).Select(expected), Ptx.Apply(statements, new uint[32]).Select(v => (int)v));
        }
    }
}
