using System.Text;
using Aead;
using Aead.Records;
using Ktls.Handshake;
using Xunit;

namespace Ktls.Tests.Handshake;

// Each row: what arrives, the alert the client gets in plaintext, and a word of the sentence for the log.
[Trait("Claim", "C3")]
public class RefusalTests
{
    [Theory]
    [InlineData("GET / HTTP/1.1\r\n", "plain HTTP")]
    [InlineData("POST /form HTTP/1.1\r\n", "plain HTTP")]
    [InlineData("PUT /x HTTP/1.1\r\n", "plain HTTP")]
    [InlineData("HTTP/1.1 200 OK\r\n", "plain HTTP")]
    [InlineData("PRI * HTTP/2.0\r\n", "HTTP/2")]
    [InlineData("PROXY TCP4 1.2.3.4", "PROXY protocol")]
    [InlineData("SSH-2.0-x", "SSH")]
    [InlineData("\u0016\u0002\u0000\u0000\u0005", "does not speak TLS")]
    [InlineData("\u0080\u0003\u0003\u0000\u0005", "does not speak TLS")]
    public void Other_protocols_are_told_apart(string text, string reason) =>
        AssertRefused(Encoding.Latin1.GetBytes(text), AlertDescription.UnexpectedMessage, reason);

    [Theory]
    [InlineData(new byte[] { 0x80, 0x2E, 1, 0, 2 })]
    [InlineData(new byte[] { 0x80, 0x67, 1, 3, 1 })]
    public void An_SSL_2_hello_is_named(byte[] hello) =>
        AssertRefused(hello, AlertDescription.ProtocolVersion, "SSL 2.0");

    [Theory]
    [InlineData(22, 16385)]
    [InlineData(21, 65535)]
    [InlineData(23, 16384 + 257)]
    public void A_record_that_is_too_long_is_refused_before_it_is_read(byte type, int length) =>
        AssertRefused([type, 3, 1, (byte)(length >> 8), (byte)length], AlertDescription.RecordOverflow,
            "bytes");

    [Fact]
    public void An_empty_record_is_refused() =>
        AssertRefused([22, 3, 1, 0, 0], AlertDescription.UnexpectedMessage, "empty");

    [Theory]
    [InlineData(20)]
    [InlineData(23)]
    public void Only_a_handshake_begins_a_handshake(byte type) =>
        AssertRefused(Wire.Record(type, 1), AlertDescription.UnexpectedMessage, "out of turn");

    [Fact]
    public void Garbage_in_a_handshake_record_is_refused() =>
        AssertRefused(Wire.Record(22, 1, 0, 0, 2, 3, 3), AlertDescription.DecodeError, "malformed");

    [Theory]
    [InlineData(0x0302, "TLS 1.1")]
    [InlineData(0x0301, "TLS 1.0")]
    public void Old_versions_are_refused_by_name(int version, string name) => AssertRefused(
        new ClientHelloBytes { Version = (ushort)version }.ToRecord(),
        AlertDescription.ProtocolVersion, name);

    [Fact]
    public void A_TLS_12_client_is_refused_where_13_is_the_minimum() => AssertRefused(
        new ClientHelloBytes().ToRecord(), AlertDescription.ProtocolVersion, "TLS 1.2",
        Policies.Default with { MinimumVersion = TlsVersion.Tls13 });

    [Fact]
    public void A_fallback_to_an_older_version_is_refused() => AssertRefused(
        new ClientHelloBytes { Suites = [0xC02B, 0x5600, 0x00FF] }.ToRecord(),
        AlertDescription.InappropriateFallback, "fell back");

    [Theory]
    [InlineData(0xC023)]
    [InlineData(0x002F)]
    [InlineData(0x009C)]
    public void CBC_and_static_RSA_are_refused(int suite) => AssertRefused(
        new ClientHelloBytes { Suites = [(ushort)suite, 0x00FF] }.ToRecord(),
        AlertDescription.HandshakeFailure, "cipher suite");

    [Fact]
    public void A_suite_whose_kind_of_key_is_missing_is_not_chosen() => AssertRefused(
        new ClientHelloBytes { Suites = [0xC02F, 0x00FF] }.ToRecord(), AlertDescription.HandshakeFailure,
        "certificate", Policies.For(TestIdentities.Ecdsa));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_common_group_is_refused(bool isTls13) => AssertRefused(
        (isTls13 ? Tls13 : new ClientHelloBytes()) with
        {
            Groups = [0x001E],
            Shares = [(0x001E, new byte[56])],
        },
        AlertDescription.HandshakeFailure, "group");

    [Fact]
    public void In_TLS_12_a_certificate_on_a_curve_the_client_does_not_support_is_not_sent() => AssertRefused(
        new ClientHelloBytes { Groups = [0x001D] }.ToRecord(), AlertDescription.HandshakeFailure, "curve",
        Policies.For(TestIdentities.P384));

    [Fact]
    public void SHA_1_signatures_are_not_made() => AssertRefused(
        new ClientHelloBytes { Schemes = [0x0203, 0x0201] }, AlertDescription.HandshakeFailure,
            "signature scheme");

    [Fact]
    public void A_client_without_secure_renegotiation_is_refused() => AssertRefused(
        new ClientHelloBytes { Suites = [0xC02B] }, AlertDescription.HandshakeFailure, "renegotiation");

    [Fact]
    public void Compression_is_refused()
    {
        AssertRefused(new ClientHelloBytes { Compression = [1] }, AlertDescription.HandshakeFailure,
            "handshake_failure");
        AssertRefused(Tls13 with { Compression = [0, 1] }, AlertDescription.IllegalParameter, "compression");
    }

    [Fact]
    public void Key_shares_must_be_well_formed()
    {
        AssertRefused(Tls13 with { Shares = [(0x001D, new byte[31])] }, AlertDescription.IllegalParameter,
            "length");
        AssertRefused(Tls13 with { Shares = [(0x001D, new byte[32]), (0x001D, new byte[32])] },
            AlertDescription.IllegalParameter, "repeat");
        AssertRefused(Tls13 with { Shares = [(0x0017, new byte[65])] }, AlertDescription.IllegalParameter,
            "support");
        AssertRefused(Tls13 with { Groups = [] }, AlertDescription.MissingExtension, "supported_groups");
        AssertRefused(Tls13 with { Schemes = [] }, AlertDescription.MissingExtension, "extension");
    }

    [Theory]
    [InlineData(0x001D, 32, 0)]
    [InlineData(0x0017, 65, 0)]
    [InlineData(0x0017, 65, 2)]
    [InlineData(0x0017, 65, 4)]
    [InlineData(0x0018, 97, 4)]
    [InlineData(0x11EC, 1216, 0)]
    [InlineData(0x11EC, 1216, 255)]
    public void A_key_share_that_is_no_public_key_is_refused(int group, int length, byte fill)
    {
        byte[] share = new byte[length];
        Array.Fill(share, group == 0x11EC ? fill : (byte)0);
        share[0] = fill;
        var hello = Tls13 with { Groups = [(ushort)group], Shares = [((ushort)group, share)] };
        foreach (bool useLibCrypto in new[] { true, false })
        {
            using var handshake = new ServerHandshake(Policies.Default, useLibCrypto);
            AssertRefused(handshake, hello.ToRecord(), AlertDescription.IllegalParameter, "not allowed");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData(".example")]
    [InlineData("a..b")]
    [InlineData("a\0b")]
    [InlineData("a b")]
    [InlineData("::1")]
    [InlineData("b\u00FCcher.example")]
    [InlineData("<script>")]
    [InlineData(null)]
    public void A_malformed_server_name_is_refused(string? name)
    {
        byte[] hostName = Encoding.Latin1.GetBytes(name ?? new string('a', 256));
        foreach (ClientHelloBytes hello in new[] { Tls13, new ClientHelloBytes() })
        {
            AssertRefused(hello with { HostName = hostName },
                name is "" ? AlertDescription.DecodeError : AlertDescription.IllegalParameter,
                name is "" ? "malformed" : "server_name");
        }
    }

    [Fact]
    public void No_common_application_protocol_is_refused()
    {
        using var handshake =
            new ServerHandshake(Policies.Default with { ApplicationProtocols = ["acme-tls/1"] });
        byte[] hello = Wire.Split(RealHello("h2", "http/1.1")).First();
        AssertRefused(handshake, hello, AlertDescription.NoApplicationProtocol, "application protocol");
    }

    [Theory]
    [InlineData(2, 48, "unknown_ca")]
    [InlineData(2, 250, "number 250")]
    public void A_fatal_alert_of_the_client_is_named_and_not_answered(byte level, byte code, string name)
    {
        using var handshake = new ServerHandshake(Policies.Default);
        Assert.Equal(HandshakeStatus.Refused, Wire.Feed(handshake, Wire.Record(21, level, code)));
        Assert.Equal((AlertDescription)code, handshake.Refusal!.Alert);
        Assert.Contains(name, handshake.Refusal.Reason, StringComparison.Ordinal);
        Assert.Equal(0, handshake.TakeOutput().Length);
    }

    [Fact]
    public void A_client_that_closes_during_the_handshake_is_told_apart() =>
        AssertRefused(Wire.Record(21, 1, 0), AlertDescription.HandshakeFailure, "closed");

    [Fact]
    public void A_Finished_in_plaintext_is_refused()
    {
        byte[] finished = Wire.Record(22, [20, 0, 0, 32, .. new byte[32]]);
        AssertRefused(finished, AlertDescription.UnexpectedMessage, "not encrypted");
        using var handshake = new ServerHandshake(Policies.Default);
        Assert.Equal(HandshakeStatus.NeedMoreData, Wire.Feed(handshake, Tls13.ToRecord()));
        Assert.Equal(HandshakeStatus.Refused, Wire.Feed(handshake, finished));
        Assert.Equal(AlertDescription.UnexpectedMessage, handshake.Refusal!.Alert);
    }

    [Fact]
    public void Early_data_is_never_accepted_and_its_hello_gets_a_full_handshake()
    {
        using var handshake = new ServerHandshake(Policies.Default);
        ClientHelloBytes hello = Tls13 with
        {
            Others =
            [
                (45, [1, 1]),
                (42, []),
                (41, [0, 7, 0, 1, 7, 0, 0, 0, 0, 0, 33, 32, .. new byte[32]]),
            ],
        };
        Assert.Equal(HandshakeStatus.NeedMoreData, Wire.Feed(handshake, hello.ToRecord()));
        Assert.Equal(HandshakeStatus.Refused, Wire.Feed(handshake, Wire.Record(23, new byte[100])));
        Assert.Equal(AlertDescription.BadRecordMac, handshake.Refusal!.Alert);
    }

    /// <summary>An extension and its data, in which a length claims more than there is.</summary>
    public static TheoryData<ushort, byte[], bool> CutVectors { get; } = new()
    {
        { 0, [0, 9, 0, 0, 3, (byte)'a'], false },
        { 0, [0, 9, 0, 0, 3, (byte)'a'], true },
        { 0, [0], false },
        { 10, [0, 4, 0, 0x1D], false },
        { 13, [0, 4, 4, 3], false },
        { 13, [0], true },
        { 16, [0, 9, 2, (byte)'h', (byte)'2'], false },
        { 50, [0, 4, 4, 3], true },
        { 51, [0, 9, 0, 0x1D, 0, 32, 1], true },
    };

    [Theory]
    [MemberData(nameof(CutVectors))]
    public void A_vector_that_claims_more_than_there_is_is_malformed(ushort extension, byte[] data, bool isTls13)
    {
        ClientHelloBytes hello = isTls13 ? Tls13 : new ClientHelloBytes();
        AssertRefused(hello with
        {
            Groups = extension == 10 ? [] : hello.Groups,
            Schemes = extension == 13 ? [] : hello.Schemes,
            Shares = extension == 51 ? [] : hello.Shares,
            Versions = extension == 51 ? [] : hello.Versions,
            Others = extension == 51 ? [(43, [2, 3, 4]), (extension, data)] : [(extension, data)],
        }, AlertDescription.DecodeError, "malformed");
    }

    [Fact]
    public void A_key_exchange_that_claims_more_than_there_is_is_malformed()
    {
        using var handshake = new ServerHandshake(Policies.Default);
        Assert.Equal(HandshakeStatus.NeedMoreData, Wire.Feed(handshake, new ClientHelloBytes { Groups = [0x001D, 0x0017] }.ToRecord()));
        handshake.TakeOutput();
        AssertRefused(handshake, Wire.Record(22, 16, 0, 0, 2, 32, 1), AlertDescription.DecodeError, "malformed");
    }

    // The number of DTLS 1.1, which never was; BouncyCastle has no place for it.
    [Fact]
    public void A_reserved_version_is_refused()
    {
        AssertRefused(new ClientHelloBytes { Version = 0xFEFE }, AlertDescription.IllegalParameter, "version");
        AssertRefused(Tls13 with { Versions = [0x0304, 0xFEFE] }, AlertDescription.IllegalParameter, "version");
    }

    [Fact]
    public void Bytes_behind_the_ClientHello_in_its_record_are_refused()
    {
        byte[] message = Tls13.ToMessage();
        AssertRefused(Wire.Record(22, [.. message, 20]), AlertDescription.UnexpectedMessage, "client_hello");
        AssertRefused(Wire.Record(22, [.. message, .. message]), AlertDescription.UnexpectedMessage,
            "client_hello");
    }

    [Fact]
    public void A_giant_message_is_refused_at_its_header() =>
        AssertRefused(Wire.Record(22, 1, 0, 0x80, 1), AlertDescription.DecodeError, "32768");

    [Fact]
    public void A_changed_second_ClientHello_is_refused()
    {
        using var handshake = new ServerHandshake(Policies.Default.With("P-256"));
        ClientHelloBytes first = Tls13 with
        {
            Groups = [0x001D, 0x0017],
            Shares = [(0x001D, new byte[32])],
            HostName = "a.example"u8.ToArray(),
        };
        Assert.Equal(HandshakeStatus.NeedMoreData, Wire.Feed(handshake, first.ToRecord()));
        handshake.TakeOutput();
        ClientHelloBytes second = first with
        {
            Shares = [(0x0017, new byte[65])],
            HostName = "b.example"u8.ToArray(),
        };
        AssertRefused(handshake, second.ToRecord(), AlertDescription.IllegalParameter, "changed");
    }

    internal static byte[] RealHello(params string[] protocols) =>
        new BendableClient(new ClientSettings { ApplicationProtocols = protocols }).TakeOutput();

    internal static readonly ClientHelloBytes Tls13 = new()
    {
        Suites = [0x1301],
        Versions = [0x0304],
        Shares = [(0x001D, [9, .. new byte[31]])],
    };

    private static void AssertRefused(ClientHelloBytes hello, AlertDescription alert, string reason) =>
        AssertRefused(hello.ToRecord(), alert, reason);

    private static void AssertRefused(byte[] bytes, AlertDescription alert, string reason,
        HandshakePolicy? policy = null)
    {
        using var handshake = new ServerHandshake(policy ?? Policies.Default);
        AssertRefused(handshake, bytes, alert, reason);
    }

    private static void AssertRefused(ServerHandshake handshake, byte[] bytes, AlertDescription alert,
        string reason)
    {
        Assert.Equal(HandshakeStatus.Refused, Wire.Feed(handshake, bytes));
        Assert.Equal(alert, handshake.Refusal!.Alert);
        Assert.Contains(reason, handshake.Refusal.Reason, StringComparison.Ordinal);
        byte[] output = handshake.TakeOutput().ToArray();
        Assert.Equal(7, output.Length);
        Assert.Equal([21, 3], output[..2]);
        Assert.Equal([0, 2, 2, (byte)alert], output[3..]);
        Assert.Null(handshake.Result);
    }
}
