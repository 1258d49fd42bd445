using ILGPU;
using ILGPU.Algorithms;

namespace I2M.Kernels.Ilgpu;

/// <summary>Softmax and cross-entropy over rows; one group works on a row. An item rereads only elements that it alone writes, so results may replace inputs.</summary>
internal static class SoftmaxKernels
{
    /// <summary>Items of a group.</summary>
    public const int Items = 128;

    /// <summary>y = e^(x − max) / Σ e^(x − max).</summary>
    public static void Forward(ArrayView<float> x, int columns, ArrayView<float> y)
    {
        var scratch = SharedMemory.Allocate<float>(Items);
        long start = (long)Grid.IdxX * columns;
        float max = RowMax(x, start, columns, scratch);
        float factor = 1f / RowSum(x, start, columns, max, scratch);
        for (int c = Group.IdxX; c < columns; c += Items) { y[start + c] = XMath.Exp(x[start + c] - max) * factor; }
    }

    /// <summary>dx = y · (dy − Σ y·dy).</summary>
    public static void Backward(ArrayView<float> y, ArrayView<float> dy, int columns, ArrayView<float> dx)
    {
        var scratch = SharedMemory.Allocate<float>(Items);
        long start = (long)Grid.IdxX * columns;
        float partial = 0f;
        for (int c = Group.IdxX; c < columns; c += Items) { partial += y[start + c] * dy[start + c]; }
        float dot = GroupReduce.Sum(partial, scratch);
        for (int c = Group.IdxX; c < columns; c += Items) { dx[start + c] = y[start + c] * (dy[start + c] - dot); }
    }

    /// <summary>loss = (max − x[label]) + log Σ e^(x − max).</summary>
    public static void CrossEntropy(ArrayView<float> x, ArrayView<int> labels, int columns, ArrayView<float> loss)
    {
        var scratch = SharedMemory.Allocate<float>(Items);
        long row = Grid.IdxX;
        long start = row * columns;
        float max = RowMax(x, start, columns, scratch);
        float sum = RowSum(x, start, columns, max, scratch);
        if (Group.IdxX == 0) { loss[row] = XMath.Log(sum) + (max - x[start + labels[row]]); }
    }

    /// <summary>dx = dloss · (softmax(x) − [c = label]).</summary>
    public static void CrossEntropyBackward(ArrayView<float> x, ArrayView<int> labels, ArrayView<float> dloss, int columns, ArrayView<float> dx)
    {
        var scratch = SharedMemory.Allocate<float>(Items);
        long row = Grid.IdxX;
        long start = row * columns;
        float max = RowMax(x, start, columns, scratch);
        float factor = 1f / RowSum(x, start, columns, max, scratch);
        int label = labels[row];
        float g = dloss[row];
        for (int c = Group.IdxX; c < columns; c += Items)
        {
            float p = XMath.Exp(x[start + c] - max) * factor;
            dx[start + c] = g * (c == label ? p - 1f : p);
        }
    }

    private static float RowMax(ArrayView<float> x, long start, int columns, ArrayView<float> scratch)
    {
        float max = float.MinValue;
        for (int c = Group.IdxX; c < columns; c += Items) { max = XMath.Max(max, x[start + c]); }
        return GroupReduce.Max(max, scratch);
    }

    private static float RowSum(ArrayView<float> x, long start, int columns, float max, ArrayView<float> scratch)
    {
        float sum = 0f;
        for (int c = Group.IdxX; c < columns; c += Items) { sum += XMath.Exp(x[start + c] - max); }
        return GroupReduce.Sum(sum, scratch);
    }
}
