using System.Net.Sockets;
using Aead;
using Aead.Records;
using Ktls.Handshake;
using Ktls.Transport;
using TestKit.Network;
using Xunit;

namespace Ktls.Tests.Transport;

// However the bytes arrive: are all records of the handshake read, and not a byte of what follows?
public class HandshakeReaderTests
{
    // All at once; single bytes; a header; a change_cipher_spec; that and a header; one more; less than a Finished; less than a hello.
    public static TheoryData<TlsVersion, int> Rows() =>
        new(from version in new[] { TlsVersion.Tls13, TlsVersion.Tls12 }
            from piece in new[] { int.MaxValue, 1, 5, 6, 11, 12, 40, 100 }
            select (version, piece));

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Not_a_byte_behind_Finished_is_read(TlsVersion version, int piece)
    {
        using SocketPair pair = new();
        pair.Peer.NoDelay = true;
        int behind = 0;
        Task client = Task.Run(() =>
        {
            using RecordStream done = RawTlsClient.HandshakeWithData(
                pair.Peer, version, "http/1.1", Seal, flight => SendInPieces(pair.Peer, flight, piece));
            byte[] Seal(RecordEncryptor encryptor)
            {
                byte[] record = encryptor.Seal(ContentType.ApplicationData, new byte[100]);
                behind = record.Length;
                return record;
            }
        });
        using HandshakeResult result = await Task.Run(() => Serve(pair.Ours)).WaitAsync(TestKit.Timeouts.Exchange);
        await client.WaitAsync(TestKit.Timeouts.Exchange);
        Assert.True(SpinWait.SpinUntil(() => pair.Ours.Available == behind, TestKit.Timeouts.AtOnce), $"{pair.Ours.Available} of {behind} bytes are left.");
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_handshake_may_come_in_pieces(TlsVersion version, int piece)
    {
        using SocketPair pair = new();
        pair.Peer.NoDelay = true;
        Task<RecordStream> client = Task.Run(() => RawTlsClient.Handshake(pair.Peer, version, stream => new InPieces(stream, pair.Peer, piece)));
        using HandshakeResult result = await Task.Run(() => Serve(pair.Ours)).WaitAsync(TestKit.Timeouts.Exchange);
        using RecordStream done = await client.WaitAsync(TestKit.Timeouts.Exchange);
        Assert.Equal(0, pair.Ours.Available);
    }

    // The end of the stream has no edge of its own.
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(50)]
    public void The_end_is_seen_behind_what_came_with_it(int sent)
    {
        using SocketPair pair = new();
        using ServerHandshake handshake = NewHandshake();
        using HandshakeReader reader = new(pair.Descriptor);
        pair.Peer.Send(new byte[] { 22, 3, 1, 1, 0 }.Concat(new byte[95]).Take(sent).ToArray());
        pair.Peer.Shutdown(SocketShutdown.Send);
        Assert.True(pair.Ours.Poll(TestKit.Timeouts.Exchange, SelectMode.SelectRead));
        Assert.Equal(HandshakeRead.Gone, reader.Read(handshake, peerClosed: true));
    }

    private static HandshakeResult Serve(Socket socket)
    {
        using ServerHandshake handshake = NewHandshake();
        using HandshakeReader reader = new((int)socket.Handle);
        while (handshake.Result is null)
        {
            Assert.True(socket.Poll(TestKit.Timeouts.Exchange, SelectMode.SelectRead));
            reader.OnReadable();
            while (reader.Read(handshake, peerClosed: false) == HandshakeRead.Record)
            {
                handshake.Offer(reader.Record!, reader.Length);
                reader.Next();
                Assert.Null(handshake.Refusal);
                socket.Send(handshake.TakeOutput().Span);
                if (handshake.Result is not null)
                {
                    break;
                }
            }
        }

        return handshake.Result;
    }

    private static ServerHandshake NewHandshake() =>
        new(new HandshakePolicy { Identities = new ServerIdentitySet([TransportHost.Identity]) });

    // Each piece leaves as a segment of its own; the receiver may find several, or find each alone.
    private static void SendInPieces(Socket socket, ReadOnlySpan<byte> bytes, int piece)
    {
        while (!bytes.IsEmpty)
        {
            int length = Math.Min(piece, bytes.Length);
            socket.Send(bytes[..length]);
            bytes = bytes[length..];
            Thread.Yield();
        }
    }

    private sealed class InPieces(Stream inner, Socket socket, int piece) : DirectStream
    {
        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count) => SendInPieces(socket, buffer.AsSpan(offset, count), piece);

        public override void Flush()
        {
        }
    }
}
