using Aead;
using Aead.Keys;
using Aead.Records;
using Ktls.Kernel;
using Ktls.Tests.Transport;
using Xunit;

namespace Kernel.Tests.Kernel;

/// <summary>The first keys of a direction, and the next.</summary>
public sealed class KeyInstallTests
{
    [Fact]
    public void Steps_out_of_order_are_refused_by_name()
    {
        using SocketPair pair = new();
        KernelTlsSocket socket = new(pair.Descriptor);
        using DirectionKeys keys = TestRecords.Keys(TestRecords.Tls13);
        Assert.True(socket.Install(KernelDirection.Transmit, keys).Failed);
        Assert.False(socket.Attach().Failed);
        Assert.Contains("File exists", socket.Attach().ErrorName, StringComparison.Ordinal);
        Assert.True(socket.ReceiveControl(new byte[2], out _, out _).WouldBlock);
        pair.Peer.Send([1, 2]);
        Assert.Equal(2, SocketCalls.Receive(pair.Descriptor, new byte[5]).Value);

        using System.Net.Sockets.Socket unconnected = new(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        Assert.True(new KernelTlsSocket((int)unconnected.Handle).Attach().NotConnected);
    }

    [Fact]
    public void Records_that_came_before_the_keys_are_read_with_them()
    {
        foreach (CipherSuite suite in RecordPeer.Suites)
        {
            using RecordPeer other = new(suite);
            using SocketPair pair = other.Bench.Connect();
            pair.Peer.Send(other.Encryptor.Seal(ContentType.ApplicationData, [1, 2, 3]));
            Assert.True(pair.Ours.Poll(TestKit.Timeouts.Exchange, System.Net.Sockets.SelectMode.SelectRead));
            KernelTlsSocket socket = new(pair.Descriptor);
            RecordPeer.Done(socket.Attach());
            using DirectionKeys keys = RecordPeer.Keys(suite, RecordPeer.ReceiveSeed, first: 0);
            RecordPeer.Done(socket.Install(KernelDirection.Receive, keys));
            Assert.Equal(3, other.Bench.Submit(other.Bench.Read(pair))[0].Value);
            Assert.Equal([1, 2, 3], other.Bench.Slot(0, 3));
        }
    }

    [Fact]
    [Trait("Needs", "NoRekey")]
    public void An_older_kernel_keeps_its_first_keys()
    {
        foreach (CipherSuite suite in RecordPeer.Suites)
        {
            using RecordPeer peer = new(suite);
            using DirectionKeys next = RecordPeer.Keys(suite, seed: 5, first: 0);
            Assert.True(peer.Socket.Install(KernelDirection.Transmit, next).Busy);
            Assert.True(peer.Socket.Install(KernelDirection.Receive, next).Busy);
            peer.Send(ContentType.ApplicationData, [1]);
            Assert.Equal([1], peer.ReadBytes(1));
        }
    }

    [Fact]
    [Trait("Needs", "Rekey")]
    public void TLS_12_keeps_its_keys_on_every_kernel()
    {
        using RecordPeer peer = new(TestRecords.Tls12);
        using DirectionKeys next = RecordPeer.Keys(TestRecords.Tls12, seed: 5, first: 0);
        Assert.True(peer.Socket.Install(KernelDirection.Transmit, next).Busy);
        Assert.True(peer.Socket.Install(KernelDirection.Receive, next).Busy);
    }

    [Fact]
    [Trait("Needs", "Rekey")]
    public void Sending_goes_on_under_the_next_keys()
    {
        foreach (CipherSuite suite in Tls13Suites)
        {
            using RecordPeer peer = new(suite);
            using DirectionKeys next = RecordPeer.Keys(suite, RecordPeer.TransmitSeed, first: 0);
            byte[] data = GC.AllocateArray<byte>(3, pinned: true);
            for (int generation = 0; generation < 3; generation++)
            {
                Assert.Equal(3, peer.Socket.Send([data]).Value);
                Assert.Equal(KeyUpdate.Length, peer.Socket.SendControl(ContentType.Handshake, KeyUpdate).Value);
                Assert.Equal(2UL, peer.Number(KernelDirection.Transmit));
                next.Update();
                RecordPeer.Done(peer.Socket.Install(KernelDirection.Transmit, next));
                Assert.Equal(0UL, peer.Number(KernelDirection.Transmit));
                Assert.Equal([0, 0, 0], peer.Receive().Content);
                Assert.Equal(KeyUpdate, peer.Receive().Content);
                peer.Decryptor.UpdateKeys();
            }

            Assert.Equal(3, peer.Socket.Send([data]).Value);
            Assert.Equal([0, 0, 0], peer.Receive().Content);
        }
    }

    [Fact]
    [Trait("Needs", "Rekey")]
    public void Receiving_waits_for_the_next_keys_and_goes_on_under_them()
    {
        foreach (CipherSuite suite in Tls13Suites)
        {
            using RecordPeer peer = new(suite);
            using DirectionKeys next = RecordPeer.Keys(suite, RecordPeer.ReceiveSeed, first: 0);
            for (byte generation = 0; generation < 3; generation++)
            {
                peer.Send(ContentType.ApplicationData, [generation]);
                peer.Send(ContentType.Handshake, KeyUpdate);
                peer.Encryptor.UpdateKeys();
                peer.Send(ContentType.ApplicationData, [generation, generation]);
                Assert.Equal([generation], peer.ReadBytes(1));
                Assert.True(peer.Read().ControlRecordWaits);
                Assert.Equal(KeyUpdate, peer.TakeControl(100, ContentType.Handshake, whole: true));
                Assert.True(peer.Read().KeyExpired);
                Assert.True(peer.Socket.ReceiveVerified(new byte[RecordHeader.PlaintextLengthMax], out _).KeyExpired);
                next.Update();
                RecordPeer.Done(peer.Socket.Install(KernelDirection.Receive, next));
                Assert.Equal(0UL, peer.Number(KernelDirection.Receive));
                Assert.Equal([generation, generation], peer.ReadBytes(2));
            }
        }
    }

    [Fact]
    [Trait("Needs", "Rekey")]
    public void The_next_keys_are_of_the_same_AEAD_and_no_others_verify()
    {
        using RecordPeer peer = new(TestRecords.Tls13);
        CipherSuite other = CipherSuite.Find("TLS_CHACHA20_POLY1305_SHA256")!;
        using DirectionKeys ofAnother = RecordPeer.Keys(other, seed: 5, first: 0);
        Assert.True(peer.Socket.Install(KernelDirection.Receive, ofAnother).Invalid);
        peer.Send(ContentType.Handshake, KeyUpdate);
        peer.Encryptor.UpdateKeys();
        Assert.True(peer.Read().ControlRecordWaits);
        Assert.Equal(KeyUpdate, peer.TakeControl(100, ContentType.Handshake, whole: true));
        using DirectionKeys wrong = RecordPeer.Keys(TestRecords.Tls13, seed: 5, first: 0);
        RecordPeer.Done(peer.Socket.Install(KernelDirection.Receive, wrong));
        peer.Send(ContentType.ApplicationData, [1]);
        Assert.True(peer.Read().BadRecord);
    }

    private static IEnumerable<CipherSuite> Tls13Suites => RecordPeer.Suites.Where(s => s.Version == TlsVersion.Tls13);

    // RFC 8446 §4.6.3: key_update, update_not_requested.
    private static readonly byte[] KeyUpdate = [24, 0, 0, 1, 0];
}
