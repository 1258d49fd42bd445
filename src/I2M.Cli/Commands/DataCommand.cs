using System.CommandLine;

namespace I2M.Cli.Commands;

/// <summary><c>i2m data</c>: what makes and checks data sets.</summary>
internal static class DataCommand
{
    public static Command Create() => new("data", "Make data sets: folders of pictures become pairs of pictures and speech.") { DataBuildCommand.Create(), DataAuditCommand.Create(), DataSpeechCommand.Create(), DataPackCommand.Create(), DataVerifyCommand.Create(), DataRateCommand.Create() };
}
