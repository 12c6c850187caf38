using System.Diagnostics;
using System.Globalization;
using System.Text;
using TestKit;
using TestKit.Processes;
using Xunit;

namespace Kernel.Tests.EndToEnd;

/// <summary>
/// openssl s_client, in TLS 1.3, led through a conversation step by step. A letter at the start of what it reads is a command to it, so what is
/// sent must not begin with one.
/// </summary>
internal sealed class OpenSslSession : IAsyncDisposable
{
    private readonly Process _process;
    private readonly SemaphoreSlim _keyUpdates = new(0);
    private readonly StringBuilder _errors = new();

    public OpenSslSession(ProxyProcess proxy)
    {
        // -brief: what s_client says about the connection goes to standard error.
        ProcessStartInfo start = new("openssl",
        [
            "s_client", "-brief", "-tls1_3", "-connect", $"127.0.0.1:{proxy.Port}", "-servername", "localhost",
            "-CAfile", proxy.Certificates.AuthorityFile, "-verify_return_error",
        ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = new Process { StartInfo = start };
        _process.ErrorDataReceived += (_, line) => OnError(line.Data);
        _process.Start();
        _process.BeginErrorReadLine();
    }

    /// <summary>The data received.</summary>
    public Stream Received => _process.StandardOutput.BaseStream;

    /// <summary>Sends bytes that do not begin with a command letter.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        await _process.StandardInput.BaseStream.WriteAsync(bytes).AsTask().WaitAsync(Timeouts.Exchange);
        await _process.StandardInput.BaseStream.FlushAsync();
    }

    public Task SendAsync(string text) => SendAsync(Encoding.ASCII.GetBytes(text));

    /// <summary>
    /// 'k' updates the client's keys, 'K' asks the server for the same. Completes when s_client has done its part; all that was sent before
    /// must have been taken by then, or the letter is data.
    /// </summary>
    public async Task UpdateKeysAsync(char command)
    {
        await SendAsync($"{command}\n");
        Assert.True(await _keyUpdates.WaitAsync(Timeouts.Exchange), $"s_client does not update its keys.\n{Errors}");
    }

    /// <summary>The head of a response, to its empty line.</summary>
    public Task<string> ReceiveHeadAsync() => ReceiveToAsync("\r\n\r\n");

    /// <summary>Everything to the first time that <paramref name="end"/> comes.</summary>
    public async Task<string> ReceiveToAsync(string end)
    {
        StringBuilder received = new();
        byte[] next = new byte[1];
        while (!received.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            int count = await Received.ReadAsync(next).AsTask().WaitAsync(Timeouts.Exchange);
            Assert.True(count == 1, $"The connection ended too early: {received}\n{Errors}");
            received.Append((char)next[0]);
        }

        return received.ToString();
    }

    /// <summary>So many bytes of body, which must be the pattern's from this offset.</summary>
    public async Task ReceivePatternAsync(long offset, int length)
    {
        byte[] received = new byte[length];
        int count = await Received.ReadAtLeastAsync(received, length, throwOnEndOfStream: false).AsTask().WaitAsync(Timeouts.Exchange);
        Assert.True(count == length, $"The connection ended after {offset + count} bytes.\n{Errors}");
        Assert.True(PatternBody.Matches(received, offset), string.Create(CultureInfo.InvariantCulture, $"Wrong bytes from {offset} on."));
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _keyUpdates.Dispose();
    }

    private string Errors
    {
        get
        {
            lock (_errors)
            {
                return _errors.ToString();
            }
        }
    }

    private void OnError(string? line)
    {
        lock (_errors)
        {
            _errors.AppendLine(line);
        }

        if (line?.Contains("KEYUPDATE", StringComparison.Ordinal) == true)
        {
            _keyUpdates.Release();
        }
    }
}
