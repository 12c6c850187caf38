using System.Net.Sockets;
using Aead;
using Aead.Records;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace Ktls.Tests.Transport;

// What a client may not send, on the wire: the consumer gets what came before and then an error, the client its alert and a FIN.
public class TlsConnectionRefusalTests
{
    public static TheoryData<string, TlsVersion, AlertDescription> Rows() => new()
    {
        { "flipped bit", TlsVersion.Tls12, AlertDescription.BadRecordMac },
        { "flipped bit", TlsVersion.Tls13, AlertDescription.BadRecordMac },
        { "replay", TlsVersion.Tls13, AlertDescription.BadRecordMac },
        { "key updates", TlsVersion.Tls13, AlertDescription.UnexpectedMessage },
        { "renegotiations", TlsVersion.Tls12, AlertDescription.UnexpectedMessage },
        { "empty records", TlsVersion.Tls12, AlertDescription.UnexpectedMessage },
        { "empty records", TlsVersion.Tls13, AlertDescription.UnexpectedMessage },
        { "bare handshake record", TlsVersion.Tls13, AlertDescription.UnexpectedMessage },
        { "unknown type", TlsVersion.Tls12, AlertDescription.UnexpectedMessage },
        { "too long", TlsVersion.Tls13, AlertDescription.RecordOverflow },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_wrong_record_is_answered_with_its_alert_and_what_came_before_is_kept(
        string what, TlsVersion version, AlertDescription expected)
    {
        await using TransportHost host = await TransportHost.StartAsync();
        (RecordStream client, ConnectionContext connection) = await host.ConnectAsync(version);
        byte[] good = client.Encryptor.Seal(ContentType.ApplicationData, [1, 2, 3]);
        client.SendRaw([.. good, .. Bad(what, client.Encryptor, good)]);
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal([1, 2, 3], await TlsConnectionTests.ReadAsync(connection, 3));
        await Assert.ThrowsAsync<ConnectionResetException>(() => connection.Transport.Input.ReadAsync().Within());
        Assert.Equal(expected, await Task.Run(() => LastAlert(client)).Within());
        Assert.True((await connection.Transport.Output.FlushAsync().Within()).IsCompleted);
    }

    private static byte[] Bad(string what, RecordEncryptor encryptor, byte[] good)
    {
        switch (what)
        {
            case "flipped bit":
                byte[] flipped = encryptor.Seal(ContentType.ApplicationData, [4]);
                flipped[^3] ^= 0x10;
                return flipped;
            case "replay":
                return good;
            case "key updates":
                return [.. Enumerable.Range(0, 100).SelectMany(_ =>
                {
                    byte[] update = encryptor.Seal(ContentType.Handshake, [24, 0, 0, 1, 0]);
                    encryptor.UpdateKeys();
                    return update;
                })];
            case "renegotiations":
                return [.. Enumerable.Range(0, 100).SelectMany(_ => encryptor.Seal(ContentType.Handshake, [1, 0, 0, 0]))];
            case "empty records":
                return [.. Enumerable.Range(0, 300).SelectMany(_ => encryptor.Seal(ContentType.ApplicationData, []))];
            case "bare handshake record":
                return [22, 3, 3, 0, 4, 1, 0, 0, 0];
            case "unknown type":
                return [24, 3, 3, 0, 40, .. new byte[40]];
            default:
                return [23, 3, 3, 0x41, 0x01];
        }
    }

    // Warnings that declined a renegotiation may come before it.
    private static AlertDescription? LastAlert(RecordStream client)
    {
        AlertDescription? last = null;
        while (client.Receive() is { } record)
        {
            last = record.Type == ContentType.Alert ? (AlertDescription)record.Content[1] : last;
        }

        return last;
    }
}
