using Aead.Pages;
using TlsProxy.Config;
using TlsProxy.Proxy;

namespace TlsProxy.Commands;

/// <summary>Serves until a signal asks to stop, then drains.</summary>
internal static class RunCommand
{
    public static async Task<int> RunAsync(
        string? configPath, IReadOnlyList<string> warnings, TextWriter error, CancellationToken stop)
    {
        var report = new ConfigReport();
        ProxySettings? settings = await ProxySettings.ReadAsync(configPath, mayWrite: true, report);
        if (settings is null)
        {
            await CheckCommand.PrintAsync(report, error);
            return ExitCode.Configuration;
        }

        await using WebApplication app = ProxyHost.Build(settings);
        try
        {
            // Here and not with the first connection, so that a machine that cannot give the pages says so
            // now.
            PagePool pool = app.Services.GetRequiredService<PagePool>();
            await app.StartAsync(stop);
            new StartLog(app.Services).Write(settings, pool.Status, [.. warnings, .. report.Warnings]);
        }
        catch (Exception e) when (StartFailure.Explain(e, settings) is { } sentence)
        {
            await error.WriteLineAsync($"error: {sentence}");
            return ExitCode.CouldNotStart;
        }

        await app.WaitForShutdownAsync(stop);
        return ExitCode.Ok;
    }
}
