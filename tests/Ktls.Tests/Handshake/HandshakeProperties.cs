using FsCheck;
using FsCheck.Fluent;
using Ktls.Handshake;
using Org.BouncyCastle.Tls;
using TestKit;

namespace Ktls.Tests.Handshake;

// Whatever arrives before a client is authentic may be hostile: every outcome is "not yet" or a refusal with
// an alert.
public class HandshakeProperties
{
    [Cases(3_000)]
    public bool RandomBytesAreRefusedWithAnAlertOrWaitForMore(byte[] bytes) => IsBounded([bytes], ends: true);

    [Cases(2_000)]
    public Property RandomRecordsAreRefusedWithAnAlertOrWaitForMore() => Prop.ForAll(
        Gen.ListOf(RandomRecord, 8).ToArbitrary(), records => IsBounded(records, ends: true));

    [Cases(2_000)]
    public Property AMutatedClientHelloIsAnsweredOrRefusedWithAnAlert() => Prop.ForAll(
        Mutations.ToArbitrary(), mutations => IsBounded([Mutate(Hello, mutations)], ends: false));

    [Cases(150)]
    public Property AByteChangedAnywhereInAHandshakeNeverCrashesTheServer(bool isTls13) => Prop.ForAll(
        Mutations.ToArbitrary(), Gen.Choose(0, 4).ToArbitrary(), (mutations, target) =>
        {
            using var handshake = new ServerHandshake(Policies.Default);
            var client = new BendableClient(new ClientSettings
            {
                Version = isTls13 ? ProtocolVersion.TLSv13 : ProtocolVersion.TLSv12,
            });
            int index = 0;
            try
            {
                LockStep.Run(handshake, client,
                    record => index++ == target ? Mutate(record, mutations) : record);
            }
            catch (TlsException)
            {
                // The client found fault with the server's answer: an alert, or a transcript that is not its
                // own.
            }

            handshake.Result?.Dispose();
            return handshake.Refusal is null || handshake.Result is null;
        });

    private static bool IsBounded(IEnumerable<byte[]> inputs, bool ends)
    {
        using var handshake = new ServerHandshake(Policies.Default);
        HandshakeStatus status = HandshakeStatus.NeedMoreData;
        foreach (byte[] input in inputs)
        {
            if (status != HandshakeStatus.NeedMoreData || input.Length < 5)
            {
                break;
            }

            status = Wire.Feed(handshake, input);
        }

        byte[] output = handshake.TakeOutput().ToArray();
        return status switch
        {
            HandshakeStatus.NeedMoreData => !ends || output.Length == 0,
            HandshakeStatus.Refused => IsPrintable(handshake.Refusal!.Reason)
                && (EndsWithAlert(output) || IsClientsAlert(handshake.Refusal)),
            _ => false,
        };
    }

    private static bool IsPrintable(string reason) => reason.All(character => character is >= ' ' and <= '~');

    private static bool IsClientsAlert(HandshakeRefusal refusal) =>
        refusal.Reason.StartsWith("The client sent the fatal alert", StringComparison.Ordinal);

    private static bool EndsWithAlert(byte[] output) =>
        output.Length >= 7 && output.AsSpan(^7) is [21, 3, _, 0, 2, 2, _];

    private static byte[] Mutate(byte[] record, (int At, byte Value)[] mutations)
    {
        byte[] mutated = [.. record];
        foreach ((int at, byte value) in mutations)
        {
            mutated[at % mutated.Length] = value;
        }

        return mutated;
    }

    private static readonly byte[] Hello = Wire.Split(RefusalTests.RealHello("h2")).Single();

    private static readonly Gen<(int At, byte Value)[]> Mutations =
        from count in Gen.Choose(1, 6)
        from mutations in Gen.ArrayOf(
            from at in Gen.Choose(0, 4000)
            from value in Gen.Choose(0, 255)
            select (at, (byte)value), count)
        select mutations;

    private static readonly Gen<byte[]> RandomRecord =
        from type in Gen.Elements<byte>(20, 21, 22, 22, 22, 23)
        from message in Gen.Elements<byte>(0, 1, 2, 11, 16, 20, 24)
        from length in Gen.Choose(0, 60)
        from body in Gen.ArrayOf(Gen.Choose(0, 255).Select(value => (byte)value), length)
        select Wire.Record(type, [message, 0, 0, (byte)length, .. body]);
}
