using System.Security.Cryptography;
using Aead.Pages;
using Aead.Records;

namespace Ktls.Kernel;

/// <summary>Content that both sides of a self-test know. Random, and new for each process.</summary>
/// <param name="Type">Application data or an alert.</param>
/// <param name="Content">In an array allocated pinned; of application data it may be more than one record holds.</param>
internal sealed record SelfTestRecord(ContentType Type, byte[] Content)
{
    /// <summary>One record of no special length.</summary>
    public static SelfTestRecord Short { get; } = Random(ContentType.ApplicationData, 1_000);

    /// <summary>What is exchanged: a single byte, more than a full record, a control record in between, a short end.</summary>
    public static IReadOnlyList<SelfTestRecord> Sequence { get; } =
    [
        Random(ContentType.ApplicationData, 1),
        Random(ContentType.ApplicationData, RecordHeader.PlaintextLengthMax + 1),
        new(ContentType.Alert, Pinned([1, (byte)AlertDescription.UserCanceled])),
        Short,
    ];

    public bool IsData => Type == ContentType.ApplicationData;

    /// <summary>As many whole records as the content takes.</summary>
    public List<byte[]> Seal(RecordEncryptor encryptor)
    {
        List<byte[]> records = [];
        for (int start = 0; start < Content.Length; start += RecordHeader.PlaintextLengthMax)
        {
            int length = Math.Min(RecordHeader.PlaintextLengthMax, Content.Length - start);
            byte[] record = new byte[encryptor.PrefixLength + length + encryptor.SuffixLength];
            Content.AsSpan(start, length).CopyTo(record.AsSpan(encryptor.PrefixLength));
            _ = encryptor.Encrypt(Type, record, length);
            records.Add(record);
        }

        return records;
    }

    /// <summary>Sends bytes as they are, all of them.</summary>
    public static SyscallResult SendWire(int descriptor, ReadOnlySpan<byte> wire)
    {
        Patience patience = new();
        while (true)
        {
            SyscallResult sent = SocketCalls.Send(descriptor, wire);
            if (sent.WouldBlock && patience.Wait())
            {
                continue;
            }

            if (sent.Failed || sent.Value == wire.Length)
            {
                return sent;
            }

            wire = wire[sent.Value..];
        }
    }

    private static SelfTestRecord Random(ContentType type, int length) => new(type, Pinned(RandomNumberGenerator.GetBytes(length)));

    private static byte[] Pinned(byte[] bytes)
    {
        byte[] pinned = GC.AllocateUninitializedArray<byte>(bytes.Length, pinned: true);
        bytes.CopyTo(pinned, 0);
        return pinned;
    }
}

/// <summary>The user-space end that opens what the kernel sends.</summary>
internal sealed class RecordOpener(SelfTestKeys keys, int descriptor, DecryptStage stage) : IDisposable
{
    private readonly RecordDecryptor _decryptor = new(keys.Create());
    private readonly byte[] _wire = new byte[4 * RecordHeader.PlaintextLengthMax];
    private int _length;

    /// <summary>The next record, or records, must hold exactly this.</summary>
    public SelfTestVerdict Expect(SelfTestRecord expected)
    {
        Patience patience = new();
        int matched = 0;
        while (matched < expected.Content.Length)
        {
            DecryptedBatch batch = _decryptor.Decrypt(_wire.AsSpan(0, _length), stage);
            using ExposedPages? data = batch.ApplicationData;
            _wire.AsSpan(batch.Consumed, _length - batch.Consumed).CopyTo(_wire);
            _length -= batch.Consumed;
            if (batch.End == BatchEnd.Rejected)
            {
                return SelfTestVerdict.Failed($"a record it sent is refused with {batch.Alert}");
            }

            ReadOnlySpan<byte> content = data != null ? data.GetSpan() : batch.Control.Span;
            ContentType? type = data != null ? ContentType.ApplicationData : batch.End == BatchEnd.Control ? batch.ControlType : null;
            if (type != null)
            {
                if (type != expected.Type || (data != null && batch.End == BatchEnd.Control)
                    || !expected.Content.AsSpan(matched).StartsWith(content))
                {
                    return SelfTestVerdict.Failed("a record it sent holds something else than was given");
                }

                matched += content.Length;
                continue;
            }

            SyscallResult received = SocketCalls.Receive(descriptor, _wire.AsSpan(_length));
            if (received.WouldBlock && patience.Wait())
            {
                continue;
            }

            if (received.Failed)
            {
                return SelfTestVerdict.Inconclusive(received.WouldBlock ? SyscallResult.TimedOut.ErrorName : received.ErrorName);
            }

            if (received.Value == 0)
            {
                return SelfTestVerdict.Failed("it ended the connection before all was sent");
            }

            _length += received.Value;
        }

        return SelfTestVerdict.Passed;
    }

    public void Dispose() => _decryptor.Dispose();
}
