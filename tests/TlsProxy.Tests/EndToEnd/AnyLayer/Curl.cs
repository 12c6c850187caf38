using System.Security.Cryptography;
using TestKit;
using TestKit.Processes;

namespace TlsProxy.Tests.EndToEnd.AnyLayer;

/// <summary>
/// curl against a proxy under test. Standard output is the body, or its hash; standard error ends with code
/// and length.
/// </summary>
internal static class Curl
{
    /// <summary>Fetches or sends with these further arguments; the last one is usually the path.</summary>
    public static Task<CommandResult> RunAsync(
        ProxyProcess proxy, string path, params IEnumerable<string> arguments) =>
        RunAsync(proxy, path, arguments, input: null, output: null, Timeouts.Exchange);

    /// <summary>The same, the body replaced by its SHA-256 in lower-case hex and never held.</summary>
    public static Task<CommandResult> HashAsync(
        ProxyProcess proxy,
        string path,
        IEnumerable<string> arguments,
        Func<StreamWriter, Task>? input = null,
        TimeSpan? timeout = null) =>
        RunAsync(proxy, path, arguments, input, HashAsync, timeout ?? Timeouts.Exchange);

    private static Task<CommandResult> RunAsync(
        ProxyProcess proxy,
        string path,
        IEnumerable<string> arguments,
        Func<StreamWriter, Task>? input,
        Func<Stream, Task<string>>? output,
        TimeSpan timeout) =>
        CommandRunner.RunAsync(
            "curl",
            [
                "--silent", "--show-error", "--cacert", proxy.Certificates.AuthorityFile, "--ipv4",
                "--max-time", $"{timeout.TotalSeconds - 1}",
                "--write-out", "%{stderr}%{http_code} %{size_download}", .. arguments,
                new Uri(proxy.Address, path).AbsoluteUri,
            ],
            input,
            output,
            timeout);

    private static async Task<string> HashAsync(Stream body) =>
        Convert.ToHexStringLower(await SHA256.HashDataAsync(body));
}
