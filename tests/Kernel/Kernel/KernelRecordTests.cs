using System.Net.Sockets;
using Aead;
using Aead.Records;
using Ktls.Kernel;
using Ktls.Tests.Transport;
using Xunit;

namespace Kernel.Tests.Kernel;

/// <summary>Records between the kernel and this project's own record layer, each at one end.</summary>
public sealed class KernelRecordTests
{
    public static TheoryData<string> Suites => [.. RecordPeer.Suites.Select(s => s.Name)];

    public static TheoryData<string, ulong> SuitesAndNumbers()
    {
        TheoryData<string, ulong> rows = [];
        foreach (CipherSuite suite in RecordPeer.Suites)
        {
            // Other than 0, so that every byte of a number that is in the wrong place shows; TLS 1.3 gets there by counting.
            ulong[] firsts = suite.Version == TlsVersion.Tls13 ? [0, 0x0102] : [0, 1, 0x010203];
            Array.ForEach(firsts, first => rows.Add(suite.Name, first));
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(SuitesAndNumbers))]
    public void What_the_kernel_sends_is_what_was_given_to_it(string suite, ulong first)
    {
        using RecordPeer peer = Connect(suite, first);
        byte[] sent = GC.AllocateArray<byte>(100_000, pinned: true);
        TestRecords.Bytes(sent.Length, seed: 1).CopyTo(sent, 0);
        List<byte> received = [];
        int given = 0;
        while (received.Count < sent.Length)
        {
            // Two pieces, so that a record is made of more than one.
            int third = (sent.Length - given) / 3;
            ReadOnlySpan<ArraySegment<byte>> pieces = [new(sent, given, third), new(sent, given + third, sent.Length - given - third)];
            SyscallResult result = given < sent.Length ? peer.Socket.Send(pieces) : SyscallResult.NotYet;
            Assert.True(!result.Failed || result.WouldBlock, result.ErrorName);
            given += result.Failed ? 0 : result.Value;
            (ContentType type, byte[] content) = peer.Receive();
            Assert.Equal(ContentType.ApplicationData, type);
            received.AddRange(content);
        }

        Assert.Equal(sent, received);
        Assert.True(peer.Number(KernelDirection.Transmit) >= first + 7);
        Assert.Equal(first, peer.Number(KernelDirection.Receive));
    }

    [Theory]
    [MemberData(nameof(SuitesAndNumbers))]
    public void What_the_kernel_reads_is_what_was_sent_and_stays_hidden(string suite, ulong first)
    {
        using RecordPeer peer = Connect(suite, first);
        byte[] sent = TestRecords.Bytes(40_000, seed: 1);
        peer.Send(ContentType.ApplicationData, sent.AsSpan(0, 1));
        peer.Send(ContentType.ApplicationData, sent.AsSpan(1, RecordHeader.PlaintextLengthMax));
        peer.Send(ContentType.ApplicationData, sent.AsSpan(RecordHeader.PlaintextLengthMax + 1, 10_000));
        int rest = RecordHeader.PlaintextLengthMax + 10_001;
        peer.Send(ContentType.ApplicationData, sent.AsSpan(rest));
        Assert.Equal(sent, peer.ReadBytes(sent.Length));
        Assert.Equal(first + 4, peer.Number(KernelDirection.Receive));
        Assert.Equal(first, peer.Number(KernelDirection.Transmit));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Control_records_are_sent_whole_and_in_their_turn(string suite)
    {
        using RecordPeer peer = Connect(suite);
        byte[] data = GC.AllocateArray<byte>(3, pinned: true);
        Assert.Equal(3, peer.Socket.Send([data]).Value);
        Assert.Equal(2, peer.Socket.SendControl(ContentType.Alert, [1, 0]).Value);
        byte[] ticket = TestRecords.Bytes(RecordHeader.PlaintextLengthMax, seed: 1);
        Assert.Equal(ticket.Length, peer.Socket.SendControl(ContentType.Handshake, ticket).Value);
        Assert.Equal(3, peer.Socket.Send([data]).Value);
        Assert.Equal([0, 0, 0], Received(ContentType.ApplicationData));
        Assert.Equal([1, 0], Received(ContentType.Alert));
        Assert.Equal(ticket, Received(ContentType.Handshake));
        Assert.Equal([0, 0, 0], Received(ContentType.ApplicationData));
        Assert.Equal(4UL, peer.Number(KernelDirection.Transmit));

        byte[] Received(ContentType expected)
        {
            (ContentType type, byte[] content) = peer.Receive();
            Assert.Equal(expected, type);
            return content;
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void A_control_record_waits_until_it_is_asked_for(string suite)
    {
        using RecordPeer peer = Connect(suite);
        peer.Send(ContentType.ApplicationData, [1, 2, 3]);
        peer.Send(ContentType.Alert, [1, 0]);
        peer.Send(ContentType.Handshake, TestRecords.Bytes(300, seed: 1));
        peer.Send(ContentType.ApplicationData, [4, 5]);
        Assert.Equal([1, 2, 3], peer.ReadBytes(3));
        Assert.True(peer.Read().ControlRecordWaits);
        Assert.True(peer.Read(slot: 1).ControlRecordWaits);

        Assert.Equal([1], peer.TakeControl(1, ContentType.Alert, whole: false));
        Assert.True(peer.Read().ControlRecordWaits);
        Assert.Equal([0], peer.TakeControl(200, ContentType.Alert, whole: true));

        Assert.True(peer.Read().ControlRecordWaits);
        byte[] handshake = TestRecords.Bytes(300, seed: 1);
        Assert.Equal(handshake.Take(200), peer.TakeControl(200, ContentType.Handshake, whole: false));
        Assert.Equal(handshake.Skip(200), peer.TakeControl(200, ContentType.Handshake, whole: true));
        Assert.Equal([4, 5], peer.ReadBytes(2));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Records_without_content_are_skipped_or_told_by_their_type(string suite)
    {
        using RecordPeer peer = Connect(suite);
        peer.Send(ContentType.ApplicationData, []);
        peer.Send(ContentType.ApplicationData, []);
        Assert.True(peer.Bench.Submit(peer.Bench.Read(peer.Pair))[0].WouldBlock);
        peer.Send(ContentType.ApplicationData, []);
        peer.Send(ContentType.ApplicationData, [1]);
        Assert.Equal([1], peer.ReadBytes(1));

        peer.SendForged(number: 4, ContentType.Handshake, []);
        peer.SendForged(number: 5, ContentType.ApplicationData, [2]);
        Assert.True(peer.Read().ControlRecordWaits);
        SyscallResult nothing = peer.Socket.ReceiveControl(new byte[10], out ContentType? type, out _);
        Assert.True(nothing is { Failed: false, Value: 0 }, nothing.ErrorName);
        Assert.Equal(ContentType.Handshake, type);
        Assert.Equal([2], peer.ReadBytes(1));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void The_end_of_the_stream_is_nothing_without_a_type(string suite)
    {
        using RecordPeer peer = Connect(suite);
        peer.Send(ContentType.ApplicationData, [1]);
        peer.Pair.Peer.Shutdown(SocketShutdown.Send);
        Assert.Equal([1], peer.ReadBytes(1));
        SyscallResult end = peer.Read();
        Assert.Equal((false, 0), (end.Failed, end.Value));
        end = peer.Socket.ReceiveControl(new byte[2], out ContentType? type, out _);
        Assert.Equal((false, 0, null), (end.Failed, end.Value, type));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void A_record_cut_off_by_the_end_of_the_stream_looks_like_that_end(string suite)
    {
        using RecordPeer peer = Connect(suite);
        peer.SendRaw(peer.Encryptor.Seal(ContentType.ApplicationData, new byte[1000]).AsSpan(0, 500));
        peer.Pair.Peer.Shutdown(SocketShutdown.Send);
        SyscallResult end = peer.Read();
        Assert.Equal((false, 0), (end.Failed, end.Value));
        Assert.Equal(new byte[1000], peer.Bench.Slot(0, 1000));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void A_file_is_sent_as_records(string suite)
    {
        using RecordPeer peer = Connect(suite);
        using TestKit.TemporaryDirectory directory = new();
        byte[] bytes = TestRecords.Bytes(40_000, seed: 1);
        File.WriteAllBytes(directory.File("bytes"), bytes);
        using FileStream file = File.OpenRead(directory.File("bytes"));
        long offset = 1000;
        List<byte> received = [];
        while (received.Count < bytes.Length - 1000)
        {
            SyscallResult result = peer.Socket.SendFile((int)file.SafeFileHandle.DangerousGetHandle(), ref offset, 50_000);
            Assert.True(!result.Failed || result.WouldBlock, result.ErrorName);
            received.AddRange(peer.Receive().Content);
        }

        Assert.Equal(bytes.Skip(1000), received);
        Assert.Equal(bytes.Length, offset);
    }

    [Fact]
    public void Only_TLS_13_is_received_into_readable_memory()
    {
        foreach (CipherSuite suite in RecordPeer.Suites)
        {
            using RecordPeer peer = new(suite);
            byte[] room = new byte[RecordHeader.PlaintextLengthMax];
            if (suite.Version == TlsVersion.Tls12)
            {
                peer.Send(ContentType.ApplicationData, [1, 2, 3]);
                Assert.Throws<InvalidOperationException>(() => peer.Socket.ReceiveVerified(room, out _));
                Assert.Equal([1, 2, 3], peer.ReadBytes(3));
                continue;
            }

            Assert.True(peer.Socket.ReceiveVerified(room, out ContentType? type).WouldBlock);
            Assert.Null(type);
            peer.Send(ContentType.ApplicationData, [1, 2]);
            peer.Send(ContentType.ApplicationData, [3]);
            peer.Send(ContentType.Alert, [1, 0]);
            Assert.Equal(3, peer.Socket.ReceiveVerified(room, out type).Value);
            Assert.Equal(ContentType.ApplicationData, type);
            Assert.Equal([1, 2, 3], room.Take(3));
            Assert.Equal(2, peer.Socket.ReceiveVerified(room, out type).Value);
            Assert.Equal(ContentType.Alert, type);
            Assert.Equal([1, 0], room.Take(2));
            byte[] bad = peer.Encryptor.Seal(ContentType.ApplicationData, new byte[1000]);
            bad[500] ^= 1;
            peer.SendRaw(bad);
            Array.Fill(room, (byte)0xEE);
            Assert.True(peer.Socket.ReceiveVerified(room, out type).BadRecord);
            Assert.False(room.AsSpan().ContainsAnyExcept((byte)0xEE));
        }
    }

    /// <summary>The kernel would decrypt TLS 1.2 data into the control buffer and look at its tag afterwards.</summary>
    [Fact]
    public void Data_where_a_control_record_was_expected_is_not_read()
    {
        foreach (CipherSuite suite in RecordPeer.Suites.Where(s => s.Version == TlsVersion.Tls12))
        {
            using RecordPeer peer = new(suite);
            byte[] fragment = new byte[RecordHeader.PlaintextLengthMax];
            peer.Send(ContentType.ApplicationData, [1, 2, 3]);
            Assert.Throws<InvalidOperationException>(() => peer.Socket.ReceiveControl(fragment, out _, out _));
            Assert.False(fragment.AsSpan().ContainsAnyExcept((byte)0));
            Assert.Equal([1, 2, 3], peer.ReadBytes(3));

            byte[] bad = peer.Encryptor.Seal(ContentType.ApplicationData, TestRecords.Bytes(1000, seed: 1));
            bad[500] ^= 1;
            peer.SendRaw(bad);
            Assert.True(peer.Socket.ReceiveControl(fragment, out _, out _).BadRecord);
            Assert.False(fragment.AsSpan().ContainsAnyExcept((byte)0));
        }
    }

    private static RecordPeer Connect(string suite, ulong first = 0) => new(CipherSuite.Find(suite)!, first);
}
