using System.Buffers.Binary;
using Aead;
using Aead.Algorithms;
using Aead.Records;

namespace Ktls.Tests.ReceivePath;

/// <summary>What somebody on the way can do to a stream of records.</summary>
internal enum TamperingKind
{
    None,
    FlipHeader,
    FlipNonce,
    FlipBody,
    FlipTag,
    Truncate,
    Extend,
    Drop,
    Repeat,
    Swap,
    Splice,
    WrongSequence,
    WrongKey,
    CutWithin,
    FinInstead,
}

/// <summary>One act of an attacker.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Record">To which record, from 0.</param>
/// <param name="Amount">Which bit, or how much: each kind takes it modulo what it can do.</param>
internal sealed record Tampering(TamperingKind Kind, int Record = 0, int Amount = 0)
{
    public static Tampering None { get; } = new(TamperingKind.None);

    /// <summary>Whether there is anything to do this to.</summary>
    public bool IsPossible(CipherSuite suite, IReadOnlyList<SentRecord> records) => Kind == TamperingKind.None || (Record < records.Count && Kind switch
    {
        TamperingKind.FlipNonce => suite.ExplicitNonceLength > 0,
        TamperingKind.FlipBody => suite.Version == TlsVersion.Tls13 || records[Record] is not { Kind: RecordKind.Data, Length: 0 },
        TamperingKind.Swap => Record + 1 < records.Count,
        _ => true,
    });

    /// <summary>The record's type, as everybody can read it, is not what it was.</summary>
    public bool ChangesOuterType => Kind == TamperingKind.FlipHeader && BitOf(RecordHeader.Length) < 8;

    /// <summary>The first record that does not arrive as it was sent, where it was sent.</summary>
    public int FirstTouched(int records) => Kind switch
    {
        TamperingKind.None => records,
        TamperingKind.Repeat => Record + 1,
        _ => Record,
    };

    /// <summary>What arrives. FIN follows it.</summary>
    public byte[] Apply(ClientRecords client)
    {
        List<byte[]> records = [.. client.Genuine];
        byte[] one = Kind == TamperingKind.None ? [] : [.. records[Record]];
        int body = RecordHeader.Length + client.Suite.ExplicitNonceLength;
        int tag = one.Length - AeadAlgorithm.TagLength;
        switch (Kind)
        {
            case TamperingKind.FlipHeader:
                records[Record] = Flip(one, 0, RecordHeader.Length);
                break;
            case TamperingKind.FlipNonce:
                records[Record] = Flip(one, RecordHeader.Length, body);
                break;
            case TamperingKind.FlipBody:
                records[Record] = Flip(one, body, tag);
                break;
            case TamperingKind.FlipTag:
                records[Record] = Flip(one, tag, one.Length);
                break;
            case TamperingKind.Truncate:
                records[Record] = Reframe(one[..^(1 + (Amount % (one.Length - RecordHeader.Length)))]);
                break;
            case TamperingKind.Extend:
                records[Record] = Reframe([.. one, .. new byte[1 + (Amount % ExtensionMax)]]);
                break;
            case TamperingKind.Drop:
                records.RemoveAt(Record);
                break;
            case TamperingKind.Repeat:
                records.Insert(Record, one);
                break;
            case TamperingKind.Swap:
                (records[Record], records[Record + 1]) = (records[Record + 1], records[Record]);
                break;
            case TamperingKind.Splice:
                records[Record] = client.OfAnotherConnection(Record);
                break;
            case TamperingKind.WrongSequence:
                records[Record] = client.UnderAnotherNumber(Record, 1 + (ulong)(Amount % NumbersMax));
                break;
            case TamperingKind.WrongKey:
                records[Record] = Amount % 2 == 0 ? client.OfTheOtherDirection(Record) : client.UnderTheNextKeys(Record);
                break;
            case TamperingKind.CutWithin:
                records.RemoveRange(Record, records.Count - Record);
                records.Add(one[..(1 + (Amount % (one.Length - 1)))]);
                break;
            case TamperingKind.FinInstead:
                records.RemoveRange(Record, records.Count - Record);
                break;
        }

        return [.. records.SelectMany(record => record)];
    }

    public override string ToString() => Kind switch
    {
        TamperingKind.None => "nobody",
        TamperingKind.FlipHeader => $"flips bit {Amount} of the header of record {Record}",
        TamperingKind.FlipNonce => $"flips bit {Amount} of the explicit nonce of record {Record}",
        TamperingKind.FlipBody => $"flips bit {Amount} of the body of record {Record}",
        TamperingKind.FlipTag => $"flips bit {Amount} of the tag of record {Record}",
        TamperingKind.Truncate => $"takes {Amount} + 1 bytes off record {Record} and corrects its length",
        TamperingKind.Extend => $"adds {Amount} + 1 bytes to record {Record} and corrects its length",
        TamperingKind.Drop => $"drops record {Record}",
        TamperingKind.Repeat => $"repeats record {Record}",
        TamperingKind.Swap => $"swaps record {Record} with the next",
        TamperingKind.Splice => $"replaces record {Record} by that of another connection",
        TamperingKind.WrongSequence => $"has record {Record} sealed {Amount} + 1 numbers too late",
        TamperingKind.WrongKey => $"has record {Record} sealed under {(Amount % 2 == 0 ? "the server's keys" : "keys not announced")}",
        TamperingKind.CutWithin => $"sends a FIN {Amount} + 1 bytes into record {Record}",
        _ => $"sends a FIN instead of record {Record}",
    };

    private byte[] Flip(byte[] record, int start, int end)
    {
        int bit = BitOf(end - start);
        record[start + (bit / 8)] ^= (byte)(1 << (bit % 8));
        return record;
    }

    private int BitOf(int bytes) => Amount % (bytes * 8);

    // The next header is found where this one says, so what is tested is the tag and not the framing.
    private static byte[] Reframe(byte[] record)
    {
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(3), (ushort)(record.Length - RecordHeader.Length));
        return record;
    }

    private const int ExtensionMax = 300;
    private const int NumbersMax = 5;
}
