using Microsoft.Extensions.Logging.Console;
using TlsProxy.Config;

namespace TlsProxy.Proxy;

/// <summary>One line per message on standard output, with the time in UTC.</summary>
internal static class ProxyLogging
{
    public static void Add(ILoggingBuilder logging, LoggingOptions options)
    {
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        });

        // A reader of the log that is stuck must not stop the event loops that write to it.
        logging.Services.Configure<ConsoleLoggerOptions>(
            console => console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite);

        // The host's own lines are left out as well: they would name our addresses as http://, which they are
        // not.
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Yarp", LogLevel.Warning);

        // While anybody listens to it, every request gets a trace of its own, which nobody collects, and the backend's trace headers are
        // written anew. Without it they pass as they came.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);

        // Its error is a failed start, which StartFailure tells in one sentence.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        foreach ((string category, LogLevel level) in options.LogLevel)
        {
            logging.AddFilter(category.Equals("Default", StringComparison.OrdinalIgnoreCase) ? null : category, level);
        }
    }
}
