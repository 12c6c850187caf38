using BenchmarkDotNet.Running;

namespace Bench.Micro;

/// <summary>The commands of bench/micro (bench/README.md).</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments is ["flip", .. string[] pictures])
        {
            FlipOrCopy.Report(pictures.FirstOrDefault());
            return 0;
        }

        var summaries = BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(arguments, new ShortConfig());
        return summaries.All(summary => summary.Reports.All(report => report.Success)) ? 0 : 1;
    }
}
