using Ktls.Handshake;
using Ktls.Tests.Handshake;
using Org.BouncyCastle.Tls;
using Xunit;

namespace Fuzz.Targets;

/// <summary>A client that has the keys: each of its records is bent before it is protected, and then once more on the wire.</summary>
internal sealed class FlightTarget : IFuzzTarget
{
    public string Name => "flight";

    public string Oracle =>
        "A handshake is established exactly when every handshake byte arrived as the client meant it; otherwise it waits, or refuses with an alert.";

    public void Run(ReadOnlySpan<byte> input)
    {
        var reader = new InputReader(input);
        int choice = reader.Byte();
        var edits = new Edits(reader.Rest);
        using var driver = new HandshakeDriver(choice);
        Converse(driver, edits, choice);

        if (driver.Status == HandshakeStatus.Established)
        {
            Assert.True(edits.Meant.SequenceEqual(edits.Arrived), "Established, although the client's handshake messages were changed.");
        }

        if (edits.AreNone)
        {
            Assert.Equal(HandshakeStatus.Established, driver.Status);
        }
    }

    public IEnumerable<(string Name, byte[] Input)> Seeds()
    {
        for (byte choice = 0; choice < 3; choice++)
        {
            yield return ($"untouched-{choice}", [choice]);
        }

        yield return ("untouched-tls12", [16]);
        yield return ("retry", [4]);
        yield return ("last-finished-byte", [0, 1, 1, 0, 15]);
        yield return ("hello-byte", [0, 0, 1, 0, 40]);
        yield return ("second-record-flipped", [16, 1, 1, 0, 8]);
        yield return ("appended", [0, 1, 2, 4, 24, 0, 0, 1]);
        yield return ("cut", [0, 1, 3, 0, 20]);
        yield return ("split", [16, 2, 4, 0, 3]);
        yield return ("repeated", [16, 1, 5]);
        yield return ("record-before", [16, 1, 6, 21, 2, 1, 90]);
        yield return ("key-update-first", [0, 1, 6, 22, 5, 24, 0, 0, 1, 0]);
        yield return ("type", [16, 2, 7, 23]);
        yield return ("flipped-on-the-wire", [0, 1, 8, 0, 9]);
    }

    private static void Converse(HandshakeDriver driver, Edits edits, int choice)
    {
        var client = new BendableClient(Settings(choice), edits.Bend);
        while (driver.Status == HandshakeStatus.NeedMoreData && client.GetAvailableOutputBytes() > 0)
        {
            foreach (byte[] record in Wire.Split(client.TakeOutput()))
            {
                if (driver.Status == HandshakeStatus.NeedMoreData)
                {
                    driver.Feed(edits.BendOnWire(record));
                    Offer(client, driver.Answer);
                }
            }
        }
    }

    // Whatever a client that has been lied to throws is not the product's.
    private static void Offer(BendableClient client, byte[] answer)
    {
        try
        {
            if (answer.Length > 0 && !client.IsClosed)
            {
                client.OfferInput(answer);
            }
        }
        catch (IOException)
        {
        }
    }

    private static ClientSettings Settings(int choice) => new()
    {
        Version = (choice & 3) == 1 || ((choice & 3) != 2 && (choice & 16) != 0) ? ProtocolVersion.TLSv12 : ProtocolVersion.TLSv13,
        ApplicationProtocols = (choice & 32) != 0 ? ["h2"] : [],
    };

    // Each edit: which record, what, and where.
    private sealed class Edits
    {
        private readonly List<(int Record, int What, ushort Where, byte[] Bytes)> _edits = [];
        private readonly Queue<(short Type, byte[] Fragment)> _underWay = [];
        private int _record = -1;
        private int _onWire = -1;

        public Edits(ReadOnlySpan<byte> input)
        {
            var reader = new InputReader(input);
            while (!reader.IsAtEnd && _edits.Count < EditsMax)
            {
                int record = reader.Byte() % 8;
                int what = reader.Byte() % 9;
                ushort where = what is 1 or 3 or 4 or 8 ? reader.Word() : what is 6 or 7 ? reader.Byte() : (ushort)0;
                byte[] bytes = what is 2 or 6 ? reader.Bytes(reader.Byte()).ToArray() : [];
                _edits.Add((record, what, where, bytes));
            }
        }

        public bool AreNone => _edits.Count == 0;

        /// <summary>Handshake bytes as the client's transcript has them.</summary>
        public List<byte> Meant { get; } = [];

        /// <summary>Handshake bytes of the records that were fed, as they were protected.</summary>
        public List<byte> Arrived { get; } = [];

        public List<(short Type, byte[] Fragment)> Bend(short type, byte[] fragment)
        {
            _record++;
            Note(Meant, type, fragment);
            List<(short Type, byte[] Fragment)> records = [(type, fragment)];
            foreach ((int record, int what, ushort where, byte[] bytes) in _edits)
            {
                if (record == _record)
                {
                    Apply(records, what, where, bytes);
                }
            }

            // BouncyCastle sends no empty handshake record, so neither can its client; the raw target does.
            records.RemoveAll(bent => bent.Fragment.Length == 0);
            records.ForEach(_underWay.Enqueue);
            return records;
        }

        public byte[] BendOnWire(byte[] record)
        {
            _onWire++;
            (short type, byte[] fragment) = _underWay.Dequeue();
            Assert.True(record.Length - 5 >= fragment.Length, "The records on the wire are out of step with those of the client.");
            byte[] bent = [.. record];
            foreach ((int which, int what, ushort where, _) in _edits)
            {
                if (which == _onWire && what == 8)
                {
                    bent[5 + (where % (record.Length - 5))] ^= 1;
                }
            }

            bool isPlaintext = record.Length - 5 == fragment.Length;
            Note(Arrived, type, isPlaintext ? bent[5..] : fragment);
            bool isWrong = type == ContentType.change_cipher_spec ? bent is not [_, _, _, _, _, 1] : !isPlaintext && !bent.SequenceEqual(record);
            if (isWrong)
            {
                // Whatever it was, it is not what the client meant.
                Arrived.Add(0);
            }

            return bent;
        }

        private static void Apply(List<(short Type, byte[] Fragment)> records, int what, ushort where, byte[] bytes)
        {
            (short type, byte[] fragment) = records[^1];
            int at = where % Math.Max(1, fragment.Length);
            switch (what)
            {
                case 1 when fragment.Length > 0:
                    byte[] flipped = [.. fragment];
                    flipped[at] ^= (byte)(1 << (where >> 13));
                    records[^1] = (type, flipped);
                    break;
                case 2:
                    records[^1] = (type, [.. fragment, .. bytes]);
                    break;
                case 3:
                    records[^1] = (type, fragment[..at]);
                    break;
                case 4:
                    records[^1] = (type, fragment[..at]);
                    records.Add((type, fragment[at..]));
                    break;
                case 5:
                    records.Add((type, fragment));
                    break;
                case 6:
                    records.Insert(0, ((short)where, bytes));
                    break;
                case 7:
                    records[^1] = ((short)where, fragment);
                    break;
            }
        }

        private static void Note(List<byte> bytes, short type, byte[] fragment)
        {
            if (type == ContentType.handshake)
            {
                bytes.AddRange(fragment);
            }
        }

        private const int EditsMax = 16;
    }
}
