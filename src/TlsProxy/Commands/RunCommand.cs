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

        WebApplication? app = null;
        try
        {
            // The pages are had while building, so that a machine that cannot give them says so now and not
            // with the first connection.
            app = ProxyHost.Build(settings);
            PagePool pool = app.Services.GetRequiredService<PagePool>();
            await app.StartAsync(stop);
            new StartLog(app.Services).Write(settings, pool.Status, [.. warnings, .. report.Warnings], report.Notes);
            await app.WaitForShutdownAsync(stop);
            return ExitCode.Ok;
        }
        catch (Exception e) when (StartFailure.Explain(e) is { } sentence)
        {
            await error.WriteLineAsync($"error: {sentence}");
            return ExitCode.CouldNotStart;
        }
        finally
        {
            if (app is not null)
            {
                await app.DisposeAsync();
            }
        }
    }
}
