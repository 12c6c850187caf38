using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Aead;
using TestKit.Network;
using TestKit.Secrets;
using Xunit;

namespace TlsProxy.Tests.EndToEnd.Secrets;

/// <summary>What a secret is for.</summary>
internal enum SecretKind
{
    /// <summary>Others are derived from it.</summary>
    Secret,

    /// <summary>Of an AEAD.</summary>
    Key,

    /// <summary>Of an AEAD.</summary>
    Iv,
}

/// <summary>A secret of a connection, and whether the next record needs it.</summary>
internal sealed record ConnectionSecret(string Name, SecretKind Kind, bool IsLive, byte[] Bytes);

/// <summary>One connection whose every secret and every word is known, so that they can be looked for.</summary>
internal sealed class MarkedConnection : IDisposable
{
    private readonly Http2Reader _http2 = new();
    private int _stream = -1;

    /// <summary>Connects and shakes hands; what is refused in the handshake throws.</summary>
    public MarkedConnection(int port, KnowingOffer offer) => Client = new KnowingClient(port, offer);

    public KnowingClient Client { get; }

    /// <summary>What both ends know, each once, and what protects the next record only under its own name.</summary>
    public IEnumerable<ConnectionSecret> Secrets =>
        Client.Secrets.Where(secret => !IsPublic(secret)).SelectMany(Split).DistinctBy(secret => Convert.ToHexString(secret.Bytes));

    /// <summary>What was sent and received, by name.</summary>
    public List<(string Name, byte[] Bytes)> Plaintext { get; } = [];

    private int Updates { get; set; }

    public override string ToString() =>
        $"{Client.Offer.Suite.Name} {Client.Offer.Certificate} group {Client.Offer.Group:x} {(Client.Offer.Http2 ? "h2" : "h1")}";

    public void Handshake()
    {
        Client.Handshake();
        Client.Send(Client.Offer.Http2 ? Http2Frame.Preface : []);
    }

    /// <summary>One request with marks in header and body, and its answer with others.</summary>
    public void Exchange(int requestLength, int responseLength)
    {
        byte[] head = RandomNumberGenerator.GetBytes(MarkLength);
        byte[] body = RandomNumberGenerator.GetBytes(MarkLength);
        string mark = Convert.ToHexString(head);
        (string answer, byte[] answerBody) = MarkedOrigin.Answer(mark);
        Plaintext.Add(("request header", Encoding.ASCII.GetBytes(mark)));
        Plaintext.Add(("request body", body));
        Plaintext.Add(("response header", Encoding.ASCII.GetBytes(answer)));
        Plaintext.Add(("response body", answerBody));

        SendHead(mark, requestLength, responseLength);
        SendBody(Repeated(body, requestLength), last: true);
        string response = Encoding.Latin1.GetString(ReceiveResponse(responseLength));
        Assert.Contains(answer, response, StringComparison.Ordinal);
        Assert.EndsWith(Encoding.Latin1.GetString(Repeated(answerBody, responseLength)), response, StringComparison.Ordinal);
    }

    /// <summary>The first half of an upload.</summary>
    public void BeginUpload(int length)
    {
        byte[] head = RandomNumberGenerator.GetBytes(MarkLength);
        byte[] body = RandomNumberGenerator.GetBytes(MarkLength);
        string mark = Convert.ToHexString(head);
        Plaintext.Add(("request header", Encoding.ASCII.GetBytes(mark)));
        Plaintext.Add(("request body", body));
        SendHead(mark, length, responseLength: 1);
        SendBody(Repeated(body, length / 2), last: false);
    }

    /// <summary>A record that does not verify; waits for the proxy to end the connection.</summary>
    public void SendTampered()
    {
        Client.TamperWithNext();
        Client.Send("x"u8);
        Assert.ThrowsAny<IOException>(() =>
        {
            while (!Client.Receive().IsEmpty)
            {
                // Control frames of HTTP/2 may come first.
            }
        });
    }

    /// <summary>Both directions get new keys.</summary>
    public void UpdateKeys()
    {
        Exchange(64, 64);
        Client.UpdateKeys();
        Updates++;
        Exchange(64, 64);
    }

    public void Dispose() => Client.Dispose();

    private void SendHead(string mark, int requestLength, int responseLength)
    {
        string length = responseLength.ToString(CultureInfo.InvariantCulture);
        if (!Client.Offer.Http2)
        {
            Client.Send(Encoding.ASCII.GetBytes(
                $"POST /marked HTTP/1.1\r\nHost: localhost\r\nX-Mark: {mark}\r\nX-Length: {length}\r\nContent-Length: {requestLength}\r\n\r\n"));
            return;
        }

        _stream += 2;
        Client.Send(Http2Frame.Headers(
            _stream, false, Http2Frame.Request("POST", "/marked", ("x-mark", mark), ("x-length", length))));
    }

    private void SendBody(byte[] body, bool last)
    {
        foreach (byte[] piece in Client.Offer.Http2 ? body.Chunk(16_000) : [body])
        {
            Client.Send(Client.Offer.Http2 ? Http2Frame.Data(_stream, false, piece) : piece);
        }

        if (Client.Offer.Http2 && last)
        {
            Client.Send(Http2Frame.Data(_stream, true, []));
        }
    }

    private byte[] ReceiveResponse(int bodyLength)
    {
        using MemoryStream response = new();
        while (true)
        {
            ReadOnlySpan<byte> next = Client.Receive();
            Assert.False(next.IsEmpty, $"The connection ended after {response.Length} bytes.");
            if (!Client.Offer.Http2)
            {
                response.Write(next);
                int head = response.ToArray().AsSpan().IndexOf("\r\n\r\n"u8);
                if (head >= 0 && response.Length == head + 4 + bodyLength)
                {
                    return response.ToArray();
                }

                continue;
            }

            _http2.Add(next);
            if (_http2.Ended)
            {
                byte[] whole = [.. _http2.Head, .. _http2.Body];
                _http2.Next();
                return whole;
            }
        }
    }

    private static byte[] Repeated(byte[] mark, int length)
    {
        byte[] body = new byte[length];
        for (int at = 0; at < length; at += mark.Length)
        {
            mark.AsSpan(0, Math.Min(mark.Length, length - at)).CopyTo(body.AsSpan(at));
        }

        return body;
    }

    // TLS 1.3: the youngest generation of each side and what comes of it. TLS 1.2: the key block, piece by piece (RFC 5246 §6.3).
    private IEnumerable<ConnectionSecret> Split(RecordedSecret secret)
    {
        CipherSuite suite = Client.Offer.Suite;
        if (secret.Name == "key expansion")
        {
            (int key, int iv) = (suite.Aead.KeyLength, suite.IvLength);
            return
            [
                new("client key", SecretKind.Key, true, secret.Bytes[..key]),
                new("server key", SecretKind.Key, true, secret.Bytes[key..(2 * key)]),
                new("client iv", SecretKind.Iv, true, secret.Bytes[(2 * key)..((2 * key) + iv)]),
                new("server iv", SecretKind.Iv, true, secret.Bytes[((2 * key) + iv)..((2 * key) + (2 * iv))]),
            ];
        }

        string[] path = secret.Name.Split('/');
        SecretKind kind = path[^1] == "key" ? SecretKind.Key : path[^1] == "iv" ? SecretKind.Iv : SecretKind.Secret;
        bool isLive = path[0] is "c ap traffic" or "s ap traffic"
            && path[^1] is "key" or "iv" or "traffic upd" or "c ap traffic" or "s ap traffic"
            && path.Count(label => label == "traffic upd") == Updates;
        return [new(secret.Name, kind, isLive, secret.Bytes)];
    }

    // verify_data travels.
    private static bool IsPublic(RecordedSecret secret) =>
        secret.Name.EndsWith("finished", StringComparison.Ordinal) && secret.Bytes.Length == VerifyDataLength;

    private const int MarkLength = 32;
    private const int VerifyDataLength = 12;
}
