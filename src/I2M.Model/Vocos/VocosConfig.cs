using I2M.Model.Audio;

namespace I2M.Model.Vocos;

/// <summary>Sizes of a Vocos vocoder and the mels that it decodes.</summary>
public sealed record VocosConfig
{
    /// <summary>The mel contract.</summary>
    public MelSettings Mel { get; init; } = new();
    /// <summary>Channels of the backbone.</summary>
    public int Dim { get; init; } = 512;
    /// <summary>Channels between the two pointwise layers of a block.</summary>
    public int IntermediateDim { get; init; } = 1536;
    /// <summary>ConvNeXt blocks.</summary>
    public int Layers { get; init; } = 8;
}
