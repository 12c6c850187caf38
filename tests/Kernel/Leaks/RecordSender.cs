using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Aead;
using Aead.Keys;
using Aead.Records;
using Ktls.Tests.Transport;
using Xunit;

namespace Kernel.Tests.Leaks;

/// <summary>
/// A client that seals its own records, well or badly, and the server's socket they arrive at. Good content is below 0x80 and bad content
/// above, whatever bit of it is flipped, so that a single byte tells whether it was ever verified.
/// </summary>
internal sealed class RecordSender : IDisposable
{
    private readonly Socket _client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly Socket _server;
    private readonly RecordEncryptor _encryptor;
    private readonly CipherSuite _suite;
    private int _sent;

    public RecordSender(CipherSuite suite)
    {
        _suite = suite;
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _client.Connect(listener.LocalEndPoint!);
        _server = listener.Accept();
        _server.Blocking = false;
        _encryptor = new RecordEncryptor(Keys(suite));
    }

    /// <summary>Where the records arrive.</summary>
    public int Descriptor => (int)_server.SafeHandle.DangerousGetHandle();

    /// <summary>The keys both sides have.</summary>
    public static DirectionKeys Keys(CipherSuite suite)
    {
        byte[] secret = new byte[48];
        secret.AsSpan().Fill(7);
        return suite.Version == TlsVersion.Tls13
            ? DirectionKeys.FromTrafficSecret(suite, secret[..(suite.Hash == HashAlgorithmName.SHA384 ? 48 : 32)])
            : DirectionKeys.FromKeyBlock(suite, secret.AsSpan(0, suite.Aead.KeyLength), secret.AsSpan(0, suite.IvLength), sequenceNumber: 1);
    }

    /// <summary>Content whose every byte shows that it verifies.</summary>
    public static byte[] Good(int length)
    {
        byte[] content = new byte[length];
        for (int i = 0; i < length; i++)
        {
            content[i] = (byte)(1 + (i % 0x7F));
        }

        return content;
    }

    public RecordSender SendGood(int length)
    {
        Send(_encryptor.Seal(ContentType.ApplicationData, Good(length)));
        return this;
    }

    /// <summary>A record with one bit flipped.</summary>
    /// <param name="length">Its content's length; at least 1.</param>
    /// <param name="flippedByte">Which byte of its ciphertext and tag; taken modulo their length.</param>
    /// <param name="flippedBit">0 to 6: the bit that tells bad content from good stays.</param>
    public RecordSender SendBad(int length, int flippedByte, int flippedBit)
    {
        byte[] content = new byte[length];
        content.AsSpan().Fill(0xC3);
        byte[] record = _encryptor.Seal(ContentType.ApplicationData, content);
        int start = RecordHeader.Length + _suite.ExplicitNonceLength;
        record[start + (flippedByte % (record.Length - start))] ^= (byte)(1 << flippedBit);
        Send(record);
        return this;
    }

    /// <summary>
    /// Waits until every byte sent is in the server's queue, where the kernel finds whole records: loopback delivers in a soft interrupt, which a
    /// busy machine puts off. Before kTLS is attached, and for what fits into a fresh socket's window.
    /// </summary>
    public void AwaitArrival() =>
        Assert.True(SpinWait.SpinUntil(() => _server.Available == _sent, TimeSpan.FromSeconds(30)), $"{_server.Available} of {_sent} bytes arrived.");

    public void Dispose()
    {
        _encryptor.Dispose();
        _client.Dispose();
        _server.Dispose();
    }

    private void Send(byte[] record)
    {
        _sent += record.Length;
        for (int sent = 0; sent < record.Length; sent += _client.Send(record.AsSpan(sent)))
        {
        }
    }
}
