using System.Security.Cryptography;
using TestKit.Processes;
using TlsProxy.Config;
using Xunit;

namespace TlsProxy.Tests.Config;

/// <summary>Are certificates and keys read from whatever can be opened, and only once into memory?</summary>
public sealed class CertificateReaderTests(ConfigFolder folder) : IClassFixture<ConfigFolder>
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_536)]
    [InlineData(1_000_000)]
    public async Task EverythingIsReadFromAFileAndFromAPipe(int length)
    {
        byte[] content = RandomNumberGenerator.GetBytes(length);
        string file = folder.PathOf($"{length}.bytes");
        await File.WriteAllBytesAsync(file, content, TestContext.Current.CancellationToken);
        Assert.Equal(content, CertificateReader.ReadPinned(file));

        string pipe = await MakePipeAsync($"{length}.pipe");
        Task write = WriteAsync(pipe, content);
        Assert.Equal(content, await Task.Run(() => CertificateReader.ReadPinned(pipe)).WaitAsync(Patience));
        await write.WaitAsync(Patience);
    }

    /// <summary>The kernel gives such files a length of 0.</summary>
    [Fact]
    public void AFileOfProcIsRead() => Assert.Equal(File.ReadAllBytes("/proc/self/comm"), CertificateReader.ReadPinned("/proc/self/comm"));

    [Fact]
    public void WhatHasNoEndIsRefused()
    {
        IOException refused = Assert.Throws<IOException>(() => CertificateReader.ReadPinned("/dev/zero"));
        Assert.Contains("16 MiB", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>As 'Key: /dev/stdin' does, with the key of a secret store on the other end.</summary>
    [Fact]
    public async Task AKeyMayComeThroughAPipe()
    {
        string pipe = await MakePipeAsync("key.pipe");
        Task write = WriteAsync(pipe, await File.ReadAllBytesAsync(folder.PathOf("leaf.key"), TestContext.Current.CancellationToken));
        (int exitCode, string output, string error) = await folder.CheckAsync("""
            { "TlsProxy": { "Listeners": { "https": { "Address": "127.0.0.1:8443",
              "Certificates": [ { "Certificate": "chain.pem", "Key": "key.pipe" } ] } } } }
            """);
        Assert.Equal((0, ""), (exitCode, error));
        Assert.EndsWith("configuration is valid.\n", output, StringComparison.Ordinal);
        await write.WaitAsync(Patience);
    }

    private async Task<string> MakePipeAsync(string name)
    {
        CommandResult made = await CommandRunner.RunAsync("mkfifo", [folder.PathOf(name)]);
        Assert.True(made.ExitCode == 0, made.Everything);
        return folder.PathOf(name);
    }

    // In pieces, so that no read gets everything. Opening a pipe waits for its reader.
    private static Task WriteAsync(string pipe, byte[] content) => Task.Run(() =>
    {
        using FileStream stream = new(pipe, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        foreach (byte[] piece in content.Chunk(10_000))
        {
            stream.Write(piece);
        }
    });

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
}
