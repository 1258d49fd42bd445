using I2M.Kernels;
using I2M.PtxReport;

try
{
    return ReportCommand.Run(ReportOptions.Parse(args), Console.Out);
}
catch (I2MException e)
{
    Console.Error.WriteLine($"ptx-report: {e.Message}");
    return 2;
}
