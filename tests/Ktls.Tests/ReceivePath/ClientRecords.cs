using Aead;
using Aead.Keys;
using Aead.Records;
using Ktls.Tests.Transport;
using Ktls.Transport;

namespace Ktls.Tests.ReceivePath;

/// <summary>
/// The bytes of a story's client. Content that may be shown is below 0x80 and follows from its place in the stream; content that may not is
/// above, so that a single byte tells whoever looks that something was shown too early, or at all.
/// </summary>
internal sealed class ClientRecords
{
    private readonly Story _story;
    private readonly List<byte[]> _contents = [];

    public ClientRecords(Story story)
    {
        _story = story;
        List<byte> data = [];
        for (int i = 0; i < story.Records.Count; i++)
        {
            SentRecord record = story.Records[i];
            bool shown = i < story.RecordsShown;
            byte[] content = record.Kind == RecordKind.Data ? Data(data.Count, record.Length, shown) : Control(record.Kind, story.Suite.Version);
            data.AddRange(shown && record.Kind == RecordKind.Data ? content : []);
            _contents.Add(content);
        }

        ShownData = [.. data];
        Genuine = Seal(ClientKeys(story.Suite, story.Seed));
    }

    public CipherSuite Suite => _story.Suite;

    /// <summary>The records as the client sends them.</summary>
    public IReadOnlyList<byte[]> Genuine { get; }

    /// <summary>The application data of the records that may be shown.</summary>
    public byte[] ShownData { get; }

    public static DirectionKeys ClientKeys(CipherSuite suite, int seed) => TestRecords.Keys(suite, 100 + (10 * seed));

    public static DirectionKeys ServerKeys(CipherSuite suite, int seed) => TestRecords.Keys(suite, 105 + (10 * seed));

    /// <summary>Whether any of it can only come from a record that may not be shown.</summary>
    public static bool ShowsUnverified(ReadOnlySpan<byte> bytes) => bytes.IndexOfAnyExceptInRange((byte)0, (byte)0x7F) >= 0;

    /// <summary>The same record, at the same number, of a client that has other keys.</summary>
    public byte[] OfAnotherConnection(int record) => Seal(ClientKeys(Suite, _story.Seed + 1))[record];

    /// <summary>The same record under the keys the server sends with.</summary>
    public byte[] OfTheOtherDirection(int record) => Seal(ServerKeys(Suite, _story.Seed))[record];

    /// <summary>The same record, under the right keys but a number that is not its own.</summary>
    public byte[] UnderAnotherNumber(int record, ulong ahead) => Seal(
        ClientKeys(Suite, _story.Seed), (i, sealer) => sealer.SequenceNumber += i == record ? ahead : 0)[record];

    /// <summary>The same record behind a change of keys that was not announced. TLS 1.2 has none: a number of its own key block, then.</summary>
    public byte[] UnderTheNextKeys(int record) => Suite.Version == TlsVersion.Tls12
        ? Seal(TestRecords.Keys(Suite, 101 + (10 * _story.Seed)))[record]
        : Seal(ClientKeys(Suite, _story.Seed), (i, sealer) =>
        {
            if (i == record)
            {
                sealer.UpdateKeys();
            }
        })[record];

    private List<byte[]> Seal(DirectionKeys keys, Action<int, RecordSealer>? before = null)
    {
        using RecordSealer sealer = new(keys);
        List<byte[]> records = [];
        for (int i = 0; i < _contents.Count; i++)
        {
            SentRecord record = _story.Records[i];
            before?.Invoke(i, sealer);
            records.Add(sealer.Seal(TypeOf(record.Kind), _contents[i], record.Padding));
            if (record.ChangesKeys)
            {
                sealer.UpdateKeys();
            }
        }

        return records;
    }

    // 127 and the step have no common divisor with 128 or 16 384, so neither a record nor a page looks like its neighbour.
    private static byte[] Data(int position, int length, bool shown)
    {
        byte[] content = new byte[length];
        for (int i = 0; i < length; i++)
        {
            int index = position + i;
            content[i] = (byte)((shown ? 1 : 0x80) + (((index * 31) + (index / 127)) % 127));
        }

        return content;
    }

    private static byte[] Control(RecordKind kind, TlsVersion version) => kind switch
    {
        RecordKind.KeyUpdate => PostHandshake.KeyUpdateMessage(requestPeer: false).ToArray(),
        RecordKind.KeyUpdateRequest => PostHandshake.KeyUpdateMessage(requestPeer: true).ToArray(),
        RecordKind.CloseNotify => [1, (byte)AlertDescription.CloseNotify],
        _ => [1, (byte)(version == TlsVersion.Tls13 ? AlertDescription.UserCanceled : AlertDescription.NoRenegotiation)],
    };

    private static ContentType TypeOf(RecordKind kind) => kind switch
    {
        RecordKind.Data => ContentType.ApplicationData,
        RecordKind.KeyUpdate or RecordKind.KeyUpdateRequest => ContentType.Handshake,
        _ => ContentType.Alert,
    };
}
