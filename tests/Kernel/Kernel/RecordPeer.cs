using System.Buffers.Binary;
using System.Diagnostics;
using Aead;
using Aead.Keys;
using Aead.Pages;
using Aead.Records;
using Ktls.Kernel;
using Ktls.Tests.Kernel;
using Ktls.Tests.Transport;
using Xunit;

namespace Kernel.Tests.Kernel;

/// <summary>
/// A connection whose one end has its records made and taken apart by the kernel, the other by this project's own record layer, and a ring
/// that reads from the kernel's end.
/// </summary>
internal sealed class RecordPeer : IDisposable
{
    private readonly PagePool _pool = PagePool.Create(new PagePolicy { Delivery = Delivery.Copy }, 1);
    private readonly DecryptStage _stage;
    private readonly DirectionKeys _forgeKeys;
    private readonly List<byte> _wire = [];
    private ulong _nextNonce;

    /// <param name="suite">For both directions, which have different keys.</param>
    /// <param name="first">The sequence number both directions start with.</param>
    public RecordPeer(CipherSuite suite, ulong first = 0)
    {
        Suite = suite;
        _nextNonce = first;
        _stage = _pool.CreateStage();
        _forgeKeys = Keys(suite, ReceiveSeed, first);
        Encryptor = new RecordEncryptor(Keys(suite, ReceiveSeed, first));
        Decryptor = new RecordDecryptor(Keys(suite, TransmitSeed, first));
        Pair = Bench.Connect();
        Socket = new KernelTlsSocket(Pair.Descriptor);
        Done(Socket.Attach());
        Install(KernelDirection.Transmit, Keys(suite, TransmitSeed, first));
        Install(KernelDirection.Receive, Keys(suite, ReceiveSeed, first));
    }

    /// <summary>Each version with each AEAD; which certificate goes with a suite does not show in its records.</summary>
    public static IEnumerable<CipherSuite> Suites => CipherSuite.All.DistinctBy(s => (s.Version, s.Aead));

    public CipherSuite Suite { get; }

    public HiddenReadBench Bench { get; } = new(slots: 16);

    public SocketPair Pair { get; }

    /// <summary>The kernel's end.</summary>
    public KernelTlsSocket Socket { get; }

    public RecordEncryptor Encryptor { get; }

    public RecordDecryptor Decryptor { get; }

    public void Install(KernelDirection direction, DirectionKeys keys)
    {
        using (keys)
        {
            Done(Socket.Install(direction, keys));
        }
    }

    /// <summary>Sends one record to the kernel's end.</summary>
    public void Send(ContentType type, ReadOnlySpan<byte> content) => SendRaw(Encryptor.Seal(type, content));

    /// <summary>Sends a record no honest peer makes, in the place of record <paramref name="number"/>.</summary>
    public void SendForged(ulong number, ContentType? type, ReadOnlySpan<byte> content, int padding = 0) =>
        SendRaw(RecordForge.Seal(_forgeKeys, number, type, content, padding));

    public void SendRaw(ReadOnlySpan<byte> bytes) => Assert.Equal(bytes.Length, Pair.Peer.Send(bytes));

    /// <summary>Takes the next record from the kernel's end apart.</summary>
    public (ContentType Type, byte[] Content) Receive()
    {
        byte[] buffer = new byte[64 << 10];
        while (_wire.Count < RecordHeader.Length || _wire.Count < RecordLength)
        {
            int count = Pair.Peer.Receive(buffer);
            Assert.NotEqual(0, count);
            _wire.AddRange(buffer.AsSpan(0, count));
        }

        byte[] record = [.. _wire[..RecordLength]];
        _wire.RemoveRange(0, record.Length);
        if (Suite.ExplicitNonceLength > 0)
        {
            // The kernel's explicit nonces go on where this project's left off, or one might come twice.
            Assert.Equal(_nextNonce++, BinaryPrimitives.ReadUInt64BigEndian(record.AsSpan(RecordHeader.Length)));
        }

        return Decryptor.Open(record, _stage);
    }

    /// <summary>Reads into a hidden slot until there is an answer other than "not yet".</summary>
    public SyscallResult Read(int slot = 0, int length = HiddenReadBench.SlotBytes)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            SyscallResult result = Bench.Submit(Bench.Read(Pair, slot, length))[0];
            if (!result.WouldBlock)
            {
                return result;
            }

            Assert.True(Stopwatch.GetElapsedTime(start) < TestKit.Timeouts.Exchange, "Nothing came.");
        }
    }

    /// <summary>Reads so many bytes into a hidden slot and looks at them.</summary>
    public byte[] ReadBytes(int count, int slot = 0)
    {
        List<byte> bytes = [];
        while (bytes.Count < count)
        {
            SyscallResult result = Read(slot, Math.Min(HiddenReadBench.SlotBytes, count - bytes.Count));
            Assert.True(!result.Failed && result.Value > 0, result.ErrorName);
            Assert.True(Bench.Region.IsHidden);
            bytes.AddRange(Bench.Slot(slot, result.Value));
        }

        return [.. bytes];
    }

    /// <summary>Takes at most so many bytes of the control record that waits, and checks how they are described.</summary>
    public byte[] TakeControl(int room, ContentType type, bool whole)
    {
        byte[] fragment = new byte[room];
        SyscallResult result = Socket.ReceiveControl(fragment, out ContentType? told, out bool toldWhole);
        Done(result);
        Assert.Equal(type, told);
        Assert.Equal(whole, toldWhole);
        return fragment[..result.Value];
    }

    /// <summary>The number of the direction's next record.</summary>
    public ulong Number(KernelDirection direction)
    {
        Done(Socket.ReadSequenceNumber(direction, out ulong number));
        return number;
    }

    public static void Done(SyscallResult result) => Assert.False(result.Failed, result.ErrorName);

    /// <summary>Keys that follow from a seed; the sequence number is the first record's.</summary>
    public static DirectionKeys Keys(CipherSuite suite, int seed, ulong first)
    {
        if (suite.Version == TlsVersion.Tls12)
        {
            return DirectionKeys.FromKeyBlock(
                suite, TestRecords.Bytes(suite.Aead.KeyLength, seed), TestRecords.Bytes(suite.IvLength, seed + 1), first);
        }

        DirectionKeys keys = TestRecords.Keys(suite, seed);
        while (keys.SequenceNumber < first)
        {
            _ = keys.TakeSequenceNumber();
        }

        return keys;
    }

    public void Dispose()
    {
        Bench.Dispose();
        _forgeKeys.Dispose();
        Encryptor.Dispose();
        Decryptor.Dispose();
        _stage.Dispose();
        _pool.Dispose();
    }

    private int RecordLength => RecordHeader.Length + RecordHeader.Read([.. _wire[..RecordHeader.Length]]).FragmentLength;

    public const int TransmitSeed = 10;
    public const int ReceiveSeed = 20;
}
