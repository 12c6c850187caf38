using Aead.Pages;
using Aead.Records;
using Aead.Tests.Keys;
using FsCheck;
using FsCheck.Fluent;

namespace Aead.Tests.Records;

/// <summary>One message of a generated conversation.</summary>
public sealed record Message(ContentType Type, int Length, int Padding)
{
    /// <summary>Bytes that differ from message to message.</summary>
    public byte[] Content(int seed) => RecordKeys.Bytes(Length, seed);
}

/// <summary>
/// What the record properties are drawn from: suites from the product's list, lengths that crowd the limits.
/// </summary>
public static class RecordArbitraries
{
    public static Arbitrary<CipherSuite> Suites() =>
        Gen.Elements(CipherSuite.All.AsEnumerable()).ToArbitrary();

    public static Arbitrary<Delivery> Deliveries() =>
        Gen.Elements(Delivery.Flip, Delivery.Copy).ToArbitrary();

    public static Arbitrary<Message> Messages()
    {
        Gen<int> lengths = Gen.Frequency(
            (6, Gen.Choose(0, 64)),
            (3, Gen.Choose(65, 3000)),
            (1, Gen.Elements(16382, 16383, 16384)));
        Gen<int> paddings = Gen.Frequency(
            (3, Gen.Constant(0)),
            (2, Gen.Choose(1, 40)),
            (1, Gen.Constant(RecordHeader.PlaintextLengthMax)));
        Gen<ContentType> types = Gen.Frequency(
            (8, Gen.Constant(ContentType.ApplicationData)),
            (1, Gen.Constant(ContentType.Handshake)),
            (1, Gen.Constant(ContentType.Alert)));
        return (from type in types
                from length in lengths
                from padding in paddings
                select Legal(type, length, padding)).ToArbitrary();
    }

    // Control records are never empty (RFC 8446 §5.1), and padding counts against 2^14 (§5.4).
    private static Message Legal(ContentType type, int length, int padding)
    {
        int content = type == ContentType.ApplicationData ? length : Math.Max(1, length);
        return new Message(type, content, Math.Min(padding, RecordHeader.PlaintextLengthMax - content));
    }
}
