using System.CommandLine;
using I2M.Cli;
using I2M.Cli.Commands;

var root = new RootCommand("I2M: a picture goes in, a spoken description comes out. Trains and runs the diffusion transformer on any CPU, OpenCL or CUDA device.")
{
    QuickstartCommand.Create(),
    DataCommand.Create(),
    TrainCommand.Create(),
    GenerateCommand.Create(),
    VocodeCommand.Create(),
    VocoderCommand.Create(),
    MelCommand.Create(),
    ConvertCommand.Create(),
    InfoCommand.Create(),
    DevicesCommand.Create(),
    BenchCommand.Create(),
    EstimateCommand.Create(),
    DoctorCommand.Create(),
};
return await CommandRunner.RunAsync(root, args).ConfigureAwait(false);
