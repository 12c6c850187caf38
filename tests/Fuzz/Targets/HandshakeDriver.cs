using Aead;
using Aead.Records;
using Ktls.Handshake;
using Ktls.Tests.Handshake;
using Xunit;

namespace Fuzz.Targets;

/// <summary>Feeds a handshake as the transport does, and holds it to its contract after every record.</summary>
internal sealed class HandshakeDriver : IDisposable
{
    private readonly ServerHandshake _handshake;
    private int _outputLength;

    public HandshakeDriver(int choice) => _handshake = new ServerHandshake(Policy(choice), useLibCrypto: (choice & 64) == 0);

    public HandshakeStatus Status { get; private set; }

    public ServerHandshake Handshake => _handshake;

    /// <summary>What the last record was answered with.</summary>
    public byte[] Answer { get; private set; } = [];

    /// <summary>Feeds one record; what is missing of it is zeros.</summary>
    public void Feed(ReadOnlySpan<byte> record)
    {
        Status = Wire.Feed(_handshake, record.ToArray());
        Check();
    }

    public void Dispose()
    {
        _handshake.Result?.Dispose();
        _handshake.Dispose();
    }

    /// <summary>A policy for a byte of the input: which versions, which group first.</summary>
    public static HandshakePolicy Policy(int choice)
    {
        HandshakePolicy policy = (choice & 3) switch
        {
            1 => Policies.Default.Only(TlsVersion.Tls12),
            2 => Policies.Default.Only(TlsVersion.Tls13),
            _ => Policies.Default,
        };
        return (choice & 12) switch
        {
            4 => policy.With("P-256", "P-384"),
            8 => policy.With("X25519"),
            _ => policy,
        };
    }

    private void Check()
    {
        Answer = _handshake.TakeOutput().ToArray();
        _outputLength += Answer.Length;
        Assert.True(_outputLength <= OutputBytesMax, $"{_outputLength} bytes of answers.");
        (byte Type, int Length)[] records = [.. Records(Answer)];

        if (Status != HandshakeStatus.Refused)
        {
            Assert.Null(_handshake.Refusal);
            Assert.Equal(Status == HandshakeStatus.Established, _handshake.Result is not null);
            Assert.DoesNotContain(records, record => record.Type == (byte)ContentType.Alert);
            return;
        }

        HandshakeRefusal refusal = _handshake.Refusal!;
        Assert.Null(_handshake.Result);
        Assert.InRange(refusal.Reason.Length, 10, 300);
        Assert.DoesNotContain(refusal.Reason, char.IsControl);
        bool isPeersAlert = refusal.Reason.StartsWith("The client sent the fatal alert", StringComparison.Ordinal);

        // Whatever a client sends is its fault or nobody's: that the handshake failed inside is ours, also where it was caught.
        Assert.True(isPeersAlert || refusal.Alert != AlertDescription.InternalError, refusal.Reason);
        Assert.Equal(!isPeersAlert, records is [.., var last] && IsAlert(last.Type, Answer, last.Length, refusal.Alert));
        Assert.Throws<InvalidOperationException>(() => _handshake.AcceptHeader(stackalloc byte[5], out _));
    }

    // In TLS 1.3 behind the ServerHello an alert is encrypted: type, description and level show in its length only.
    private static bool IsAlert(byte type, byte[] answer, int length, AlertDescription alert) => type switch
    {
        (byte)ContentType.Alert when length == 2 => answer[^2] == 2 && answer[^1] == (byte)alert,
        (byte)ContentType.Alert => length == 2 + 16 || length == 2 + 8 + 16,
        _ => type == (byte)ContentType.ApplicationData && length == 2 + 1 + 16,
    };

    private static IEnumerable<(byte Type, int Length)> Records(byte[] output)
    {
        for (int start = 0; start < output.Length;)
        {
            Assert.True(output.Length - start >= 5, "The output is no sequence of records.");
            int length = (output[start + 3] << 8) | output[start + 4];
            Assert.True(output[start] is >= 20 and <= 23 && output[start + 1] == 3 && output.Length - start >= 5 + length);
            yield return (output[start], length);
            start += 5 + length;
        }
    }

    // Two flights: a certificate each of a few hundred bytes, a ServerHello with a key share of 1 120 bytes at most.
    private const int OutputBytesMax = 8 * 1024;
}
