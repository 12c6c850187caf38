using Aead;
using Aead.Records;
using Aead.Tests.Keys;
using Aead.Tests.Records;

namespace Fuzz.Targets;

/// <summary>One record that was sealed with the real keys.</summary>
/// <param name="Wire">Header and fragment.</param>
/// <param name="Type">What is authenticated as its type; not always one of RFC 8446's.</param>
/// <param name="Content">What it carries.</param>
/// <param name="HasType">False: TLS 1.3, and its plaintext is nothing but zeros.</param>
internal sealed record SealedRecord(byte[] Wire, byte Type, byte[] Content, bool HasType = true);

// What an attacker can do who also has a genuine client send whatever he likes. Each step is one byte that names it and then what it needs.

/// <summary>Plays an input as steps: a client seals records, legal or not, and somebody on the path interferes.</summary>
internal sealed class RecordScript
{
    private readonly CipherSuite _suite;
    private readonly List<SealedRecord> _sealed = [];
    private readonly List<byte[]> _wire = [];
    private OracleRecords _oracle;
    private byte[]? _secret;
    private int _length;

    public RecordScript(CipherSuite suite, ref InputReader input)
    {
        _suite = suite;
        _secret = suite.Version == TlsVersion.Tls13 ? RecordKeys.Secret(suite, Seed) : null;
        _oracle = OracleRecords.Create(suite, Seed);
        for (int step = 0; step < StepsMax && _length < WireBytesMax && !input.IsAtEnd; step++)
        {
            Play(ref input);
        }
    }

    /// <summary>What was sealed, in this order.</summary>
    public IReadOnlyList<SealedRecord> Sealed => _sealed;

    /// <summary>What arrives.</summary>
    public byte[] Wire => [.. _wire.SelectMany(piece => piece)];

    private void Play(ref InputReader input)
    {
        switch (input.Byte() % 10)
        {
            case 0:
                Send(input.Bytes(input.Byte()).ToArray());
                break;
            case 1:
                byte type = input.Byte();
                int padding = input.Byte();
                Seal(type, input.Bytes(input.Byte()).ToArray(), padding);
                break;
            case 2:
                byte kind = input.Byte();
                byte[] many = new byte[Math.Min((int)input.Word(), ContentBytesMax)];
                many.AsSpan().Fill(input.Byte());
                Seal(kind, many, padding: 0);
                break;
            case 3:
                Seal((byte)ContentType.Handshake, [24, 0, 0, 1, (byte)(input.Byte() & 1)], padding: 0);
                break;
            case 4:
                int times = 1 + (input.Byte() % 40);
                for (int i = 0; i < times; i++)
                {
                    Seal((byte)ContentType.ApplicationData, [], padding: 0);
                }

                break;
            default:
                Interfere(ref input);
                break;
        }
    }

    private void Interfere(ref InputReader input)
    {
        int how = input.Byte();
        int where = input.Word();
        if (_wire.Count == 0)
        {
            return;
        }

        byte[] last = _wire[^1];
        switch (how % 5)
        {
            case 0 when last.Length > 0:
                byte[] flipped = [.. last];
                flipped[where % last.Length] ^= (byte)(1 << (where % 8));
                _wire[^1] = flipped;
                break;
            case 1:
                _wire.RemoveAt(_wire.Count - 1);
                break;
            case 2:
                Send(_wire[where % _wire.Count]);
                break;
            case 3:
                _wire[^1] = last[..(where % (last.Length + 1))];
                break;
            case 4:
                int other = where % _wire.Count;
                (_wire[^1], _wire[other]) = (_wire[other], last);
                break;
        }
    }

    private void Seal(byte type, byte[] content, int padding)
    {
        SealedRecord record;
        if (_suite.Version == TlsVersion.Tls12)
        {
            record = new SealedRecord(_oracle.Encrypt((ContentType)type, content), type, content);
        }
        else
        {
            byte[] inner = [.. content, type, .. new byte[padding]];
            int last = Array.FindLastIndex(inner, value => value != 0);
            record = new SealedRecord(_oracle.EncryptInner(inner), last < 0 ? (byte)0 : inner[last], last < 0 ? [] : inner[..last], last >= 0);
        }

        _sealed.Add(record);
        Send(record.Wire);
        if (IsKeyUpdate(record))
        {
            _secret = OracleKeys.NextSecret(_suite, _secret!);
            (byte[] key, byte[] iv) = OracleKeys.KeyAndIv(_suite, _secret);
            _oracle = new OracleRecords(_suite, key, iv, sequenceNumber: 0);
        }
    }

    private bool IsKeyUpdate(SealedRecord record) =>
        _secret is not null && record.Type == (byte)ContentType.Handshake && record.Content is [24, 0, 0, 1, 0 or 1];

    private void Send(byte[] bytes)
    {
        _wire.Add(bytes);
        _length += bytes.Length;
    }

    /// <summary>Both ends' keys follow from it.</summary>
    public const int Seed = 7;

    // Beyond the longest legal content, so that too long records are sealed as well.
    private const int ContentBytesMax = 17 * 1024;
    private const int WireBytesMax = 64 * 1024;
    private const int StepsMax = 64;
}
