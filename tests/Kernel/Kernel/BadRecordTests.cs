using System.Buffers.Binary;
using System.Net.Sockets;
using Aead;
using Aead.Records;
using Ktls.Kernel;
using Ktls.Tests.Kernel;
using Ktls.Tests.Transport;
using Xunit;

namespace Kernel.Tests.Kernel;

/// <summary>Records no honest peer sends, and what the kernel leaves of them in a hidden page.</summary>
public sealed class BadRecordTests
{
    public static TheoryData<string> Suites => KernelRecordTests.Suites;

    [Theory]
    [MemberData(nameof(Suites))]
    public void A_record_that_does_not_verify_ends_receiving_and_not_sending(string suite)
    {
        using RecordPeer peer = Connect(suite);
        byte[] record = peer.Encryptor.Seal(ContentType.ApplicationData, TestRecords.Bytes(RecordHeader.PlaintextLengthMax, seed: 1));
        record[^1] ^= 1;
        peer.SendRaw(record);
        Assert.True(peer.Read().BadRecord);
        Assert.True(peer.Bench.Region.IsHidden);
        Scrub(peer);
        peer.Send(ContentType.ApplicationData, [1, 2, 3]);
        Assert.True(peer.Read().BadRecord);
        Assert.True(peer.Socket.ReceiveControl(new byte[100], out ContentType? type, out _).BadRecord);
        Assert.Null(type);

        Assert.True(peer.Socket.SendControl(ContentType.Alert, [2, 20]).BadRecord);
        Assert.True(peer.Socket.TakeError().BadRecord);
        Assert.False(peer.Socket.TakeError().Failed);
        Assert.Equal(2, peer.Socket.SendControl(ContentType.Alert, [2, 20]).Value);
        (ContentType alert, byte[] content) = peer.Receive();
        Assert.Equal(ContentType.Alert, alert);
        Assert.Equal([2, 20], content);
        Assert.True(peer.Read().BadRecord);
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Wherever_a_bit_is_flipped_nothing_is_left_after_zeroing(string suite)
    {
        int length = RecordHeader.Length + CipherSuite.Find(suite)!.ExplicitNonceLength + 1000;
        foreach (int at in new[] { RecordHeader.Length, length / 2, length - 1, length })
        {
            using RecordPeer peer = Connect(suite);
            byte[] record = peer.Encryptor.Seal(ContentType.ApplicationData, TestRecords.Bytes(1000, seed: 1));
            record[at] ^= 0x10;
            peer.SendRaw(record);
            Assert.True(peer.Read().BadRecord, $"byte {at}");
            Scrub(peer);
        }
    }

    /// <summary>The result of a read counts the good records; what lies behind it in the same pages is an attacker's choice.</summary>
    [Theory]
    [MemberData(nameof(Suites))]
    public void Behind_good_records_lies_what_a_bad_one_left_until_it_is_zeroed(string suite)
    {
        using RecordPeer peer = Connect(suite);
        byte[] good = TestRecords.Bytes(1000, seed: 1);
        byte[] first = peer.Encryptor.Seal(ContentType.ApplicationData, good);
        byte[] bad = peer.Encryptor.Seal(ContentType.ApplicationData, TestRecords.Bytes(RecordHeader.PlaintextLengthMax, seed: 2));
        bad[^1] ^= 1;
        peer.SendRaw([.. first, .. bad]);
        SyscallResult result = peer.Read();
        Assert.Equal((false, 1000), (result.Failed, result.Value));
        Assert.Equal(good, peer.Bench.Slot(0, 1000));

        bool residue = peer.Bench.Slot(0, HiddenReadBench.SlotBytes).AsSpan(1000).ContainsAnyExcept((byte)0);
        Assert.Equal(peer.Suite.Version == TlsVersion.Tls12, residue);
        peer.Bench.Ring.Zero(peer.Bench.Region.Address + 1000, HiddenReadBench.SlotBytes - 1000);
        Assert.Equal([.. good, .. new byte[HiddenReadBench.SlotBytes - 1000]], peer.Bench.Slot(0, HiddenReadBench.SlotBytes));
        Assert.True(peer.Read(slot: 1).BadRecord);
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void A_record_that_was_verified_before_is_no_record_now(string suite)
    {
        using RecordPeer peer = Connect(suite);
        byte[] record = peer.Encryptor.Seal(ContentType.ApplicationData, [1]);
        peer.SendRaw([.. record, .. record]);
        Assert.Equal([1], peer.ReadBytes(1));
        Assert.True(peer.Read().BadRecord);
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void A_header_that_announces_too_much_is_reported_once(string suite)
    {
        using RecordPeer peer = Connect(suite);
        byte[] header = [23, 3, 3, 0, 0, .. new byte[100]];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(3), RecordHeader.PlaintextLengthMax + 2048 + 1);
        peer.SendRaw(header);
        Assert.True(peer.Read().RecordTooLong);
        Assert.True(peer.Bench.Submit(peer.Bench.Read(peer.Pair))[0].WouldBlock);
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void A_header_of_another_version_is_invalid(string suite)
    {
        using RecordPeer peer = Connect(suite);
        byte[] record = peer.Encryptor.Seal(ContentType.ApplicationData, new byte[100]);
        record[2] = 1;
        peer.SendRaw(record);
        Assert.True(peer.Read().Invalid);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public void TLS_13_content_without_a_type_does_not_verify(int zeros)
    {
        foreach (CipherSuite suite in RecordPeer.Suites.Where(s => s.Version == TlsVersion.Tls13))
        {
            using RecordPeer peer = new(suite);
            peer.SendForged(0, type: null, [], padding: zeros);
            Assert.True(peer.Read().BadRecord);
        }
    }

    [Fact]
    public void TLS_13_padding_is_taken_off()
    {
        foreach (CipherSuite suite in RecordPeer.Suites.Where(s => s.Version == TlsVersion.Tls13))
        {
            using RecordPeer peer = new(suite);
            peer.SendForged(0, ContentType.ApplicationData, [1, 2], padding: 1000);
            peer.SendForged(1, ContentType.Alert, [1, 0], padding: 1000);
            Assert.Equal([1, 2], peer.ReadBytes(2));
            Assert.Equal(new byte[1000], peer.Bench.Slot(0, 1002)[2..]);
            Assert.True(peer.Read().ControlRecordWaits);
            Assert.Equal([1, 0], peer.TakeControl(100, ContentType.Alert, whole: true));
        }
    }

    [Fact]
    public void A_reset_is_an_error_by_name()
    {
        using RecordPeer peer = new(TestRecords.Tls12);
        peer.Pair.Peer.LingerState = new LingerOption(true, 0);
        peer.Pair.Peer.Dispose();
        Assert.Contains("ECONNRESET", peer.Read().ErrorName, StringComparison.Ordinal);
    }

    private static void Scrub(RecordPeer peer)
    {
        peer.Bench.Ring.Zero(peer.Bench.Region.Address, HiddenReadBench.SlotBytes);
        Assert.False(peer.Bench.Slot(0, HiddenReadBench.SlotBytes).AsSpan().ContainsAnyExcept((byte)0));
    }

    private static RecordPeer Connect(string suite) => new(CipherSuite.Find(suite)!);
}
