// A picture becomes a spoken description: Embed CHECKPOINT PICTURE OUT.wav [VOCOS]
// CHECKPOINT is the folder that i2m train or i2m quickstart left; VOCOS are weights of another voice than the built-in one.
using I2M.Kernels;
using I2M.Model;
using I2M.Model.Audio;
using I2M.Model.Images;

if (args.Length is < 3 or > 4)
{
    Console.Error.WriteLine("usage: Embed CHECKPOINT PICTURE OUT.wav [VOCOS]");
    return 2;
}
try
{
    RgbImage picture = ImageLoader.Load(args[1]);
    using SpeechSession session = SpeechSession.Open(args[0], new SpeechSessionOptions { Vocoder = args.ElementAtOrDefault(3) });
    Console.WriteLine(session.Device);

    AudioClip speech = await session.SpeakAsync(picture, new GenerateOptions { Steps = 20, Seed = 7 });
    WavFile.Write(args[2], speech);
    Console.WriteLine($"{args[2]}: {speech.Seconds:F1} s, spoken by {session.Voice}");
    return 0;
}
catch (I2MException e)
{
    Console.Error.WriteLine($"Embed: {e.Message}");
    return 1;
}
