using System.Reflection;
using System.Runtime.CompilerServices;
using Ktls.Handshake;
using Org.BouncyCastle.Tls;
using Xunit;
using AlertCode = Aead.Records.AlertDescription;

namespace Ktls.Tests.Handshake;

// A client of which every message can be bent, on one thread.
public class BendableClientTests
{
    [Theory]
    [InlineData("X25519MLKEM768", NamedGroup.X25519MLKEM768)]
    [InlineData("X25519", NamedGroup.x25519)]
    [InlineData("P-256", NamedGroup.secp256r1)]
    [InlineData("P-384", NamedGroup.secp384r1)]
    public void Every_group_agrees_with_and_without_libcrypto(string name, int group)
    {
        foreach (bool useLibCrypto in new[] { true, false })
        {
            using var handshake = new ServerHandshake(Policies.Default, useLibCrypto);
            var client = new BendableClient(new ClientSettings { Groups = [group] });
            Assert.Equal(HandshakeStatus.Established, LockStep.Run(handshake, client));
            Assert.True(client.IsComplete);
            Assert.Equal(name, handshake.Result!.Group!.Name);
        }
    }

    [Fact]
    public void A_share_the_client_sent_is_preferred_to_a_better_group_without_one()
    {
        var records = new List<byte[]>();
        using var handshake = new ServerHandshake(
            Policies.Default.With("X25519MLKEM768", "P-384", "X25519", "P-256"));
        var client = new BendableClient(new ClientSettings
        {
            Groups =
            [
                NamedGroup.X25519MLKEM768, NamedGroup.secp256r1, NamedGroup.x25519, NamedGroup.secp384r1,
            ],
            Shares = [NamedGroup.secp256r1, NamedGroup.x25519],
        });
        LockStep.Run(handshake, client, record =>
        {
            records.Add(record);
            return record;
        });
        Assert.Equal("X25519", handshake.Result!.Group!.Name);
        Assert.Single(records, record => record[0] == 22);
    }

    [Fact]
    public void Without_a_usable_share_the_servers_order_decides_after_a_retry()
    {
        using var handshake = new ServerHandshake(Policies.Default.With("X25519MLKEM768", "P-384", "P-256"));
        var client = new BendableClient(new ClientSettings
        {
            Groups = [NamedGroup.x25519, NamedGroup.secp256r1, NamedGroup.secp384r1],
            Shares = [NamedGroup.x25519],
        });
        Assert.Equal(HandshakeStatus.Established, LockStep.Run(handshake, client));
        Assert.Equal("P-384", handshake.Result!.Group!.Name);
    }

    [Theory]
    [InlineData(0x0403, "ECDsa")]
    [InlineData(0x0804, "RSA")]
    [InlineData(0x0806, "RSA")]
    public void The_clients_signature_schemes_choose_between_two_keys(int scheme, string algorithm)
    {
        string subject = "";
        foreach (ProtocolVersion version in new[] { ProtocolVersion.TLSv13, ProtocolVersion.TLSv12 })
        {
            using var handshake = new ServerHandshake(Policies.For(BothRsa, BothEcdsa));
            var settings = new ClientSettings { Version = version, Schemes = [scheme, 0x0201] };
            var client = new BendableClient(settings);
            Assert.Equal(HandshakeStatus.Established, LockStep.Run(handshake, client));
            subject += handshake.Result!.Suite.Name + " ";
        }

        Assert.Contains(algorithm == "RSA" ? "ECDHE_RSA" : "ECDHE_ECDSA", subject, StringComparison.Ordinal);
    }

    [Fact]
    public void A_maximum_fragment_length_is_not_echoed()
    {
        foreach (ProtocolVersion version in new[] { ProtocolVersion.TLSv13, ProtocolVersion.TLSv12 })
        {
            using var handshake = new ServerHandshake(Policies.Default);
            var client = new BendableClient(new ClientSettings { Version = version, MaxFragmentLength = 1 });
            Assert.Equal(HandshakeStatus.Established, LockStep.Run(handshake, client));
            Assert.Equal(16384, client.ApplicationDataLimit);
        }
    }

    public static TheoryData<bool, string, byte[], AlertCode> BadFinished() => new()
    {
        { true, "Finished", [0], AlertCode.UnexpectedMessage },
        { true, "Finished", [24, 0, 0], AlertCode.UnexpectedMessage },
        { true, "Finished", [24, 0, 0, 1, 0], AlertCode.UnexpectedMessage },
        { false, "Finished", [0], AlertCode.UnexpectedMessage },
        { false, "Finished", [1, 0, 0], AlertCode.UnexpectedMessage },
        { false, "Finished", [1, 0, 0, 0], AlertCode.UnexpectedMessage },
        { true, "verify", [], AlertCode.DecryptError },
        { false, "verify", [], AlertCode.DecryptError },
    };

    [Theory]
    [MemberData(nameof(BadFinished))]
    public void A_Finished_that_is_wrong_or_not_alone_in_its_record_is_refused(
        bool isTls13, string cause, byte[] behind, AlertCode alert)
    {
        using var handshake = new ServerHandshake(Policies.Default);
        var client = new BendableClient(Settings(isTls13), message =>
        {
            message[^1] ^= (byte)(cause == "verify" ? 1 : 0);
            return [.. message, .. behind];
        });
        TlsFatalAlertReceived received =
            Assert.Throws<TlsFatalAlertReceived>(() => LockStep.Run(handshake, client));
        Assert.Equal((short)alert, received.AlertDescription);
        Assert.Equal(alert, handshake.Refusal!.Alert);
        Assert.Contains(cause, handshake.Refusal.Reason, StringComparison.OrdinalIgnoreCase);
        Assert.Null(handshake.Result);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_tampered_Finished_record_is_refused(bool isTls13)
    {
        using var handshake = new ServerHandshake(Policies.Default);
        var client = new BendableClient(Settings(isTls13));
        byte protectedType = (byte)(isTls13 ? 23 : 22);
        int seen = 0;
        byte[] Tamper(byte[] record)
        {
            seen += record[0] == 20 ? 1 : 0;
            record[^1] ^= (byte)(record[0] == protectedType && seen > 0 ? 1 : 0);
            return record;
        }

        TlsFatalAlertReceived received =
            Assert.Throws<TlsFatalAlertReceived>(() => LockStep.Run(handshake, client, Tamper));
        Assert.Equal(20, received.AlertDescription);
        Assert.Equal(AlertCode.BadRecordMac, handshake.Refusal!.Alert);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void After_hand_over_BouncyCastle_can_encrypt_nothing(bool isTls13)
    {
        using var handshake = new ServerHandshake(Policies.Default);
        var protocol = (TlsServerProtocol)ProtocolField.GetValue(handshake)!;
        var client = new BendableClient(Settings(isTls13));
        Assert.Equal(HandshakeStatus.Established, LockStep.Run(handshake, client));
        Assert.Null(ProtocolField.GetValue(handshake));
        Assert.ThrowsAny<Exception>(protocol.Close);
        Assert.ThrowsAny<Exception>(() => protocol.WriteApplicationData([1, 2, 3]));
        Assert.Equal(0, protocol.GetAvailableOutputBytes());
        SessionParameters session = ((TlsContext)ContextOf(protocol)).Session.ExportSessionParameters();
        Assert.False(session.MasterSecret.IsAlive());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_client_that_does_not_trust_us_says_so_in_the_log(bool isTls13)
    {
        using var handshake = new ServerHandshake(Policies.Default);
        var client = new BendableClient(Settings(isTls13) with { TrustsAnyServer = false });
        Assert.Throws<TlsFatalAlert>(() => LockStep.Run(handshake, client));
        Assert.Equal(HandshakeStatus.Refused, LockStep.Run(handshake, client));
        Assert.Equal("The client sent the fatal alert unknown_ca.", handshake.Refusal!.Reason);
        Assert.Equal(0, handshake.TakeOutput().Length);
    }

    [Fact]
    public void Nothing_of_BouncyCastle_outlives_the_handshake()
    {
        (WeakReference protocol, ServerHandshake handshake, HandshakeResult result) = Establish();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.False(protocol.IsAlive);
        handshake.Dispose();
        Assert.Equal(0UL, result.ServerKeys.SequenceNumber);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static (WeakReference, ServerHandshake, HandshakeResult) Establish()
        {
            var handshake = new ServerHandshake(Policies.Default);
            var protocol = new WeakReference(ProtocolField.GetValue(handshake));
            LockStep.Run(handshake, new BendableClient(new ClientSettings()));
            return (protocol, handshake, handshake.Result!);
        }
    }

    [Fact]
    public void A_handshake_that_is_over_takes_nothing_more()
    {
        using var handshake = new ServerHandshake(Policies.Default);
        LockStep.Run(handshake, new BendableClient(new ClientSettings()));
        Assert.Throws<InvalidOperationException>(() => handshake.AcceptHeader([22, 3, 3, 0, 1], out _));
        Assert.Throws<InvalidOperationException>(() => handshake.Offer(new byte[6], 6));
        var late = new HandshakeRefusal(AlertCode.UserCanceled, "Late.");
        Assert.Throws<InvalidOperationException>(() => handshake.Refuse(late));
    }

    [Fact]
    public void Giving_up_halfway_sends_nothing_and_refusing_from_outside_sends_the_alert_encrypted()
    {
        var client = new BendableClient(new ClientSettings());
        var handshake = new ServerHandshake(Policies.Default);
        Wire.Feed(handshake, Wire.Split(client.TakeOutput()).Single());
        client.OfferInput(handshake.TakeOutput().ToArray());
        handshake.Refuse(new HandshakeRefusal(AlertCode.UserCanceled, "The listener closes."));
        byte[] alert = handshake.TakeOutput().ToArray();
        Assert.Equal(23, alert[0]);
        TlsFatalAlertReceived received = Assert.Throws<TlsFatalAlertReceived>(() => client.OfferInput(alert));
        Assert.Equal((short)AlertCode.UserCanceled, received.AlertDescription);
        handshake.Dispose();
        Assert.Equal(0, handshake.TakeOutput().Length);
    }

    private static ClientSettings Settings(bool isTls13) =>
        new() { Version = isTls13 ? ProtocolVersion.TLSv13 : ProtocolVersion.TLSv12 };

    private static readonly ServerIdentity BothEcdsa =
        TestIdentities.Create(global::Aead.CertificateKind.Ecdsa, "both.example");

    private static readonly ServerIdentity BothRsa =
        TestIdentities.Create(global::Aead.CertificateKind.Rsa, "both.example");

    private static object ContextOf(TlsServerProtocol protocol) => typeof(TlsServerProtocol)
        .GetProperty("Context", BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(protocol)!;

    private static readonly FieldInfo ProtocolField =
        typeof(ServerHandshake).GetField("_protocol", BindingFlags.NonPublic | BindingFlags.Instance)!;
}
