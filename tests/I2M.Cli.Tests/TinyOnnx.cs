using System.Text;

namespace I2M.Cli.Tests;

/// <summary>
/// A voice model of a few KB with Piper's inputs and output, as ONNX protobuf: every phoneme number becomes 512 samples of a tone whose amplitude is the
/// number, times one more than the speaker's.
/// </summary>
internal static class TinyOnnx
{
    public const int SamplesPerPhoneme = 512;
    private const int Float = 1, Int64 = 7, OpSet = 13, IrVersion = 8;

    /// <summary>The model file.</summary>
    /// <param name="speakers">Whether it has the input sid.</param>
    public static byte[] Voice(bool speakers)
    {
        float[] wave = [.. Enumerable.Range(0, SamplesPerPhoneme).Select(i => 0.01f * MathF.Sin(2 * MathF.PI * 5 * i / SamplesPerPhoneme))];
        var graph = new Message();
        graph.Add(1, Node("Cast", ["input"], "numbers", ("to", Float)));
        graph.Add(1, Node("Unsqueeze", ["numbers", "axis"], "columns"));
        graph.Add(1, Node("Mul", ["columns", "wave"], "tone"));
        graph.Add(1, Node("Cast", [speakers ? "sid" : "input_lengths"], "speaker", ("to", Float)));
        graph.Add(1, Node("Add", ["speaker", "one"], "gain"));
        graph.Add(1, Node("Mul", ["tone", "gain"], "loud"));
        graph.Add(1, Node("Reshape", ["loud", "shape"], "output"));
        graph.Add(2, "voice");
        graph.Add(5, Tensor("axis", Int64, [1], [2L]));
        graph.Add(5, Tensor("wave", Float, [1, 1, SamplesPerPhoneme], wave));
        graph.Add(5, Tensor("one", Float, [1], [1f]));
        graph.Add(5, Tensor("shape", Int64, [4], [1L, 1L, 1L, -1L]));
        graph.Add(11, Value("input", Int64, 2));
        graph.Add(11, Value("input_lengths", Int64, 1));
        graph.Add(11, Value("scales", Float, 1));
        if (speakers) { graph.Add(11, Value("sid", Int64, 1)); }
        graph.Add(12, Value("output", Float, 4));
        var model = new Message();
        model.Add(1, IrVersion);
        model.Add(7, graph);
        model.Add(8, new Message().Add(2, OpSet));
        return model.ToArray();
    }

    /// <summary>Its description, with the phonemes of plain English.</summary>
    public static string Config(params string[] speakers)
    {
        const string phonemes = "_^$ ,.ˈˌːabcdefhijklmnopqrstuvwxyzæðŋɐɑɔəɚɛɜɡɪɹɾʃʊʌʒʔθᵻ";
        string map = string.Join(", ", phonemes.Select((c, i) => $"\"{c}\": [{i}]")), names = string.Join(", ", speakers.Select((s, i) => $"\"{s}\": {i}"));
        return $$"""{"audio": {"sample_rate": 22050}, "espeak": {"voice": "en-us"}, "inference": {"length_scale": 1.0}, "phoneme_id_map": { {{map}} }, "num_speakers": {{Math.Max(1, speakers.Length)}}, "speaker_id_map": { {{names}} } }""";
    }

    private static Message Node(string op, string[] inputs, string output, (string Name, long Value)? attribute = null)
    {
        var node = new Message();
        foreach (string input in inputs) { node.Add(1, input); }
        node.Add(2, output);
        node.Add(4, op);
        if (attribute is { } a) { node.Add(5, new Message().Add(1, a.Name).Add(3, a.Value).Add(20, 2)); } // 20: type, 2: INT
        return node;
    }

    private static Message Tensor<T>(string name, int type, long[] shape, T[] values) where T : unmanaged
    {
        var tensor = new Message();
        foreach (long size in shape) { tensor.Add(1, size); }
        return tensor.Add(2, type).Add(8, name).Add(9, System.Runtime.InteropServices.MemoryMarshal.AsBytes<T>(values).ToArray());
    }

    private static Message Value(string name, int type, int rank)
    {
        var shape = new Message();
        for (int i = 0; i < rank; i++) { shape.Add(1, new Message().Add(2, $"{name}{i}")); }
        return new Message().Add(1, name).Add(2, new Message().Add(1, new Message().Add(1, type).Add(2, shape)));
    }

    /// <summary>A protobuf message: field number and kind, then a variable-length number or counted bytes.</summary>
    private sealed class Message
    {
        private readonly MemoryStream _bytes = new();

        public Message Add(int field, long value)
        {
            Number((ulong)field << 3);
            Number((ulong)value);
            return this;
        }

        public Message Add(int field, byte[] value)
        {
            Number(((ulong)field << 3) | 2);
            Number((ulong)value.Length);
            _bytes.Write(value);
            return this;
        }

        public Message Add(int field, string value) => Add(field, Encoding.UTF8.GetBytes(value));

        public Message Add(int field, Message value) => Add(field, value.ToArray());

        public byte[] ToArray() => _bytes.ToArray();

        private void Number(ulong value)
        {
            for (; value > 127; value >>= 7) { _bytes.WriteByte((byte)(value | 128)); }
            _bytes.WriteByte((byte)value);
        }
    }
}
