using TestKit;
using TestKit.Processes;

namespace TlsProxy.Tests.EndToEnd.AnyLayer;

/// <summary>openssl s_client against a proxy under test: the client whose every step can be seen.</summary>
internal static class OpenSslClient
{
    /// <summary>
    /// A request that asks the server to end the connection after the answer, so that s_client ends too.
    /// </summary>
    public static string Get(string path) =>
        $"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

    /// <summary>
    /// Connects and writes what <paramref name="input"/> writes. Its command letters (R, k, K) are on.
    /// Standard input stays open, for s_client hangs up where it ends: it is the server that has to end the
    /// connection.
    /// </summary>
    public static Task<CommandResult> RunAsync(
        ProxyProcess proxy,
        Func<StreamWriter, Task> input,
        IEnumerable<string> arguments,
        string executable = "openssl") =>
        CommandRunner.RunAsync(
            executable,
            [
                "s_client", "-connect", $"127.0.0.1:{proxy.Port}", "-servername", "localhost",
                "-CAfile", proxy.Certificates.AuthorityFile, "-verify_return_error", .. arguments,
            ],
            async writer =>
            {
                await input(writer);
                await writer.FlushAsync();
                await Task.Delay(Timeouts.Exchange);
            });

    /// <summary>Connects and sends one GET.</summary>
    public static Task<CommandResult> GetAsync(
        ProxyProcess proxy, string path, IEnumerable<string> arguments, string executable = "openssl") =>
        RunAsync(proxy, writer => writer.WriteAsync(Get(path)), arguments, executable);

    /// <summary>OpenSSL's own name of a suite, asked of OpenSSL.</summary>
    public static async Task<string> NameOfAsync(string ianaName)
    {
        CommandResult result = await CommandRunner.RunAsync("openssl", ["ciphers", "-convert", ianaName]);
        string prefix = "OpenSSL cipher name: ";
        return result.Output.Trim() is var line && line.StartsWith(prefix, StringComparison.Ordinal)
            ? line[prefix.Length..]
            : throw new InvalidOperationException(result.Everything);
    }
}
