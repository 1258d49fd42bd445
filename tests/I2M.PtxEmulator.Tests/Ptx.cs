namespace I2M.PtxEmulator.Tests;

/// <summary>Small kernels around a few statements.</summary>
internal static class Ptx
{
    private const string Registers = """
            .reg .pred %p<16>; .reg .b16 %h<16>; .reg .b32 %r<64>; .reg .b64 %rd<32>; .reg .f32 %f<64>; .reg .f64 %fd<16>;
        """;

    /// <summary>A kernel with two pointers in %rd1 (input) and %rd2 (output), the thread's index in %r1 and its address of 4 bytes in %rd3 and %rd4.</summary>
    public static string Kernel(string body, string arrays = "", string module = "") => $$"""
        .version 7.8
        .target sm_80
        .address_size 64
        {{module}}
        .visible .entry Test(.param .b64 input, .param .b64 output)
        {
            {{arrays}}
        {{Registers}}
            ld.param.b64 %rd1, [input];
            ld.param.b64 %rd2, [output];
            mov.b32 %r1, %tid.x;
            mul.wide.u32 %rd5, %r1, 4;
            add.u64 %rd3, %rd1, %rd5;
            add.u64 %rd4, %rd2, %rd5;
            {{body}}
            ret;
        }
        """;

    /// <summary>Runs a kernel with a warp on 32 words and gives the 32 words that it writes.</summary>
    public static uint[] Words(string body, ReadOnlySpan<uint> input, string arrays = "")
    {
        using var bench = new Workbench();
        ulong from = bench.Buffer(input), to = bench.Memory.Allocate(128);
        bench.With(from).With(to).RunClean(Kernel(body, arrays), Workbench.Line(1, 32));
        return bench.Memory.Read<uint>(to, 32);
    }

    /// <summary>The findings of a kernel over one block, with 4 KB of initialised input and as much output.</summary>
    public static IReadOnlyList<Finding> Findings(string body, int threads = 64, string arrays = "", int blocks = 1, int dynamicBytes = 0, string module = "", int inputBytes = 4096)
    {
        using var bench = new Workbench();
        ulong from = bench.Buffer<byte>(new byte[inputBytes]), to = bench.Memory.Allocate(4096);
        return bench.With(from).With(to).Run(Kernel(body, arrays, module), Workbench.Line(blocks, threads, dynamicBytes)).Findings;
    }

    /// <summary>One instruction on %r2 = input[lane] and %r3 = input[lane xor 1], result in %r4, as f32 with the same bits in %f2, %f3, %f4.</summary>
    public static uint[] Apply(string instruction, ReadOnlySpan<uint> input) => Words($"""
            ld.global.b32 %r2, [%rd3];
            xor.b32 %r10, %r1, 1;
            mul.wide.u32 %rd6, %r10, 4;
            add.u64 %rd6, %rd1, %rd6;
            ld.global.b32 %r3, [%rd6];
            mov.b32 %f2, %r2; mov.b32 %f3, %r3; mov.b32 %r4, 0; mov.f32 %f4, 0f00000000;
            {instruction}
            {(instruction.Contains("%f4", StringComparison.Ordinal) ? "mov.b32 %r4, %f4;" : "")}
            st.global.b32 [%rd4], %r4;
        """, input);
}
