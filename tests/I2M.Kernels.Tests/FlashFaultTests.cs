using System.Text.RegularExpressions;
using I2M.Kernels.Ilgpu;
using I2M.Testing;
using I2M.Testing.Emulation;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>Every fault planted in the attention kernels is found: by the emulator's checkers, or because the results are wrong.</summary>
public sealed class FlashFaultTests
{
    /// <summary>Queries and keys that fill no tile: the last lanes' first rows and columns lie exactly on the end.</summary>
    private static readonly AttentionShape s_shape = new(1, 1, 40, 132, 32, 0.5f);

    private static readonly Operands s_operands = new(s_shape);

    /// <summary>Kernel without its rows, the fault, the text, what takes its place, and whether the emulator itself must find it.</summary>
    private static readonly (string Kernel, string Fault, string Original, string Planted, bool Finding)[] s_faults =
    [
        ("FlashForward32", "no barrier", @"cp\.async\.wait_group 0; bar\.sync 0;", "cp.async.wait_group 0;", true),
        ("FlashForward32", "no wait for the copies", @"cp\.async\.wait_group 0; bar\.sync 0;", "bar.sync 0;", true),
        ("FlashForward32", "a key too many is copied", @"setp\.gt\.s32 p, left, 0;", "setp.ge.s32 p, left, 0;", true),
        ("FlashForward32", "a query too many is stored", @"setp\.gt\.s32 v,\s*(%r\d+), 8;", "setp.ge.s32 v, $1, 8;", true),
        ("FlashForward32", "a row of lse too many is stored", @"setp\.gt\.s32 p,\s*(%r\d+), 8; @p", "setp.ge.s32 p, $1, 8; @p", true),
        ("FlashForward32", "a column too many is summed", @"setp\.gt\.s32 p,\s*(%r\d+), 0; setp\.gt\.s32 q", "setp.ge.s32 p, $1, 0; setp.gt.s32 q", false),
        ("FlashForward32", "swapped registers of probabilities", @"\{P0,P1,P2,P3\}, \{B0,B1\}", "{P0,P2,P1,P3}, {B0,B1}", false),
        ("FlashForward32", "swapped registers of queries", @"\{Q0,Q1,Q2,Q3\}, \[t", "{Q0,Q2,Q1,Q3}, [t", false),
        ("FlashForward32", "values not transposed", @"ldmatrix\.sync\.aligned\.m8n8\.x4\.trans", "ldmatrix.sync.aligned.m8n8.x4", false),
        ("FlashForward32", "sums not rescaled", @"@!grow bra\.uni", "bra.uni", false),
        ("FlashForward32", "another exchange of chunks", @"xor\.b32 u, bx, 32;", "xor.b32 u, bx, 16;", false),
        ("FlashBackwardKeys32", "no barrier", @"cp\.async\.wait_group 0; bar\.sync 0;", "cp.async.wait_group 0;", true),
        ("FlashBackwardKeys32", "no wait for the copies", @"cp\.async\.wait_group 0; bar\.sync 0;", "bar.sync 0;", true),
        ("FlashBackwardKeys32", "no statistics", @"@first cp\.async\.cg\.shared\.global \[d\+\d+\], \[sp\], 16;", "", true),
        ("FlashBackwardKeys32", "a query too many is copied", @"setp\.gt\.s32 p, left, 0;", "setp.ge.s32 p, left, 0;", true),
        ("FlashBackwardKeys32", "a key too many is stored", @"setp\.gt\.s32 v,\s*(%r\d+), 0;", "setp.ge.s32 v, $1, 0;", true),
        ("FlashBackwardKeys32", "swapped registers of probabilities", @"\{P0,P1,P2,P3\}, \{B0,B1\}", "{P0,P2,P1,P3}, {B0,B1}", false),
        ("FlashBackwardKeys32", "dO not transposed", @"ldmatrix\.sync\.aligned\.m8n8\.x4\.trans", "ldmatrix.sync.aligned.m8n8.x4", false),
        ("FlashBackwardQueries32", "no barrier", @"cp\.async\.wait_group 0; bar\.sync 0;", "cp.async.wait_group 0;", true),
        ("FlashBackwardQueries32", "no wait for the copies", @"cp\.async\.wait_group 0; bar\.sync 0;", "bar.sync 0;", true),
        ("FlashBackwardQueries32", "a key too many is copied", @"setp\.gt\.s32 p, left, 0;", "setp.ge.s32 p, left, 0;", true),
        ("FlashBackwardQueries32", "a query too many is stored", @"setp\.gt\.s32 v,\s*(%r\d+), 8;", "setp.ge.s32 v, $1, 8;", true),
        ("FlashBackwardQueries32", "swapped registers of dO", @"\{O0,O1,O2,O3\}, \[t", "{O0,O2,O1,O3}, [t", false),
    ];

    /// <summary>Every fault in the kernel of every height of tile.</summary>
    public static TheoryData<string, string, string> Faults
    {
        get
        {
            var rows = new TheoryData<string, string, string>();
            foreach (FlashTile tile in FlashPlan.Tiles)
            {
                foreach (var (kernel, fault, _, _, _) in s_faults) { rows.Add(tile.ToString(), kernel, fault); }
            }
            return rows;
        }
    }

    [Fact]
    public void The_sound_kernels_are_right_and_clean()
    {
        using IBackend backend = EmulatedBackend.Open();
        foreach (FlashTile tile in FlashPlan.Tiles)
        {
            Choose(backend, tile);
            Assert.InRange(s_operands.Error(backend), 0, 1);
        }
    }

    [Theory, MemberData(nameof(Faults))]
    public void A_planted_fault_is_found(string tile, string kernel, string fault)
    {
        var (_, _, original, planted, finding) = s_faults.Single(f => f.Kernel == kernel && f.Fault == fault);
        string name = $"{kernel}{tile}Kernels.";
        int places = 0, launches = 0;
        using IBackend backend = EmulatedBackend.Open(
            queued: (launched, _) => launches += launched.StartsWith(name, StringComparison.Ordinal) ? 1 : 0,
            plant: (loaded, text) =>
            {
                if (!loaded.StartsWith(name, StringComparison.Ordinal)) { return text; }
                places = Regex.Count(text, original);
                return Regex.Replace(text, original, planted);
            });
        Choose(backend, Enum.Parse<FlashTile>(tile));
        double error = 0;
        Exception? found = Record.Exception(() => error = s_operands.Error(backend));
        Assert.True(launches == 1, $"{fault}: {name} was launched {launches} times");
        Assert.True(places > 0, $"{fault}: {name} no longer holds '{original}'");
        if (finding) { Assert.IsType<EmulatorFindingException>(found); }
        else { Assert.True(found is EmulatorFindingException || error > 1, $"{name}, {fault}: no finding, {error} of the tolerance"); }
    }

    /// <summary>Makes every pass take the kernel of that height: the plan would divide so few rows as finely as it can.</summary>
    private static void Choose(IBackend backend, FlashTile tile) => ((ITunable)backend).Tiles = new TileTable([],
        [.. Enum.GetValues<AttentionPass>().Select(pass => new TileChoice<AttentionTileKey>(AttentionTileKey.Of(pass, s_shape), tile.ToString(), "for this test"))]);

    /// <summary>Inputs in bfloat16 and what attention makes of them in double precision; every buffer is an allocation of its own, to the word.</summary>
    private sealed class Operands
    {
        private readonly AttentionShape _shape;
        private readonly int[][] _inputs;
        private readonly double[][] _expected;

        public Operands(AttentionShape shape)
        {
            _shape = shape;
            var random = new RandomData(7);
            int queries = shape.Queries * shape.HeadDim, keys = shape.Keys * shape.HeadDim;
            float[][] values = [Normal(queries), Normal(keys), Normal(keys), Normal(queries)];
            Node q = Node.Leaf(values[0], 1, shape.Queries, shape.HeadDim), k = Node.Leaf(values[1], 1, shape.Keys, shape.HeadDim), v = Node.Leaf(values[2], 1, shape.Keys, shape.HeadDim);
            var (output, lse) = Compositions.Attention(q, k, v, 1, shape.Scale);
            output.Backward(values[3]);
            _inputs = [.. values.Select(Words)];
            _expected = [output.Value, lse.Value, q.Gradient, k.Gradient, v.Gradient];

            float[] Normal(int length) => [.. random.Normal(length).Select(x => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(x) & 0xFFFF0000))];
        }

        /// <summary>The worst ‖a − e‖ / ‖e‖ of o, lse and the gradients, as a share of what the tolerance table allows each.</summary>
        public double Error(IBackend b)
        {
            BufferView[] inputs = [.. _inputs.Select(words => Rent(words.Length))];
            for (int i = 0; i < inputs.Length; i++) { b.CopyFromHost(_inputs[i], inputs[i]); }
            BufferView o = Rent(_inputs[0].Length), lse = Rent(_shape.Queries), dq = Rent(_inputs[0].Length), dk = Rent(_inputs[1].Length), dv = Rent(_inputs[1].Length);
            b.Attention(Half(inputs[0]), Half(inputs[1]), Half(inputs[2]), _shape, Half(o), lse);
            b.AttentionBackward(Half(inputs[0]), Half(inputs[1]), Half(inputs[2]), Half(o), lse, Half(inputs[3]), _shape, Half(dq), Half(dk), Half(dv));
            return new[] { Distance(o, 0), Distance(lse, 1), Distance(dq, 2), Distance(dk, 3), Distance(dv, 4) }.Max();

            BufferView Rent(int words) => b.Pool.Rent(words);
            static BufferView Half(BufferView words) => words.As(ElementType.BFloat16);
            double Distance(BufferView view, int output)
            {
                var words = new int[view.Length];
                b.CopyToHost(view, words);
                double[] expected = _expected[output];
                double[] actual = [.. Enumerable.Range(0, expected.Length).Select(i => (double)(output == 1
                    ? BitConverter.Int32BitsToSingle(words[i])
                    : BitConverter.UInt32BitsToSingle((uint)words[i / 2] >> 16 * (i % 2) << 16)))];
                double distance = Math.Sqrt(actual.Zip(expected, (a, e) => (a - e) * (a - e)).Sum() / expected.Sum(e => e * e));
                double allowed = output == 1 ? Tolerance.Of(nameof(IBackend.Attention)).Norm : Tolerance.AttentionBFloat16.Norm;
                return double.IsNaN(distance) ? double.PositiveInfinity : distance / allowed;
            }
        }

        private static int[] Words(float[] values)
        {
            var words = new int[values.Length / 2];
            for (int i = 0; i < values.Length; i++) { words[i / 2] |= (int)(BitConverter.SingleToUInt32Bits(values[i]) >> 16 << 16 * (i % 2)); }
            return words;
        }
    }
}
