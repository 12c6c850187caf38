using TlsProxy.Config;

namespace TlsProxy.Commands;

/// <summary>
/// Reads the configuration as a start would and prints all that is wrong with it. Opens no socket, writes no
/// file.
/// </summary>
internal static class CheckCommand
{
    public static async Task<int> RunAsync(string? configPath, TextWriter output, TextWriter error)
    {
        var report = new ConfigReport();
        ProxySettings? settings = await ProxySettings.ReadAsync(configPath, mayWrite: false, report);
        await PrintAsync(report, error);
        if (settings is null)
        {
            return ExitCode.Configuration;
        }

        await output.WriteLineAsync($"{settings.Source}: configuration is valid.");
        return ExitCode.Ok;
    }

    /// <summary>Warnings first, so that the errors are what remains on the screen.</summary>
    public static async Task PrintAsync(ConfigReport report, TextWriter error)
    {
        foreach (string warning in report.Warnings)
        {
            await error.WriteLineAsync($"warning: {warning}");
        }

        foreach (string note in report.Notes)
        {
            await error.WriteLineAsync($"note: {note}");
        }

        foreach (string sentence in report.Errors)
        {
            await error.WriteLineAsync($"error: {sentence}");
        }

        if (!report.IsValid)
        {
            await error.WriteLineAsync($"{report.Errors.Count} error(s); nothing was started.");
        }
    }
}
