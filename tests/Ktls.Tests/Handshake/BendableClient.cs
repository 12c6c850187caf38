using Ktls.Handshake;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;

namespace Ktls.Tests.Handshake;

/// <summary>
/// A BouncyCastle client in memory whose groups, schemes, versions and messages a test can bend.
/// </summary>
internal sealed class BendableClient : TlsClientProtocol
{
    private readonly Func<short, byte[], IEnumerable<(short Type, byte[] Fragment)>> _bend;

    public BendableClient(ClientSettings settings, Func<byte[], byte[]>? bendFinished = null)
        : this(settings, (type, fragment) => [(type, IsFinished(type, fragment) && bendFinished is not null ? bendFinished(fragment) : fragment)])
    {
    }

    /// <summary>A client whose every record passes <paramref name="bend"/> before it is protected.</summary>
    public BendableClient(ClientSettings settings, Func<short, byte[], IEnumerable<(short Type, byte[] Fragment)>> bend)
    {
        _bend = bend;
        Connect(new Offer(settings, this));
    }

    public bool IsComplete { get; private set; }

    /// <summary>Whole records the client wants to send.</summary>
    public byte[] TakeOutput()
    {
        byte[] output = new byte[GetAvailableOutputBytes()];
        ReadOutput(output, 0, output.Length);
        return output;
    }

    protected override void WriteRecord(short type, ReadOnlySpan<byte> buffer)
    {
        foreach ((short bentType, byte[] fragment) in _bend(type, buffer.ToArray()))
        {
            base.WriteRecord(bentType, fragment);
        }
    }

    private static bool IsFinished(short type, byte[] fragment) =>
        type == ContentType.handshake && fragment[0] == HandshakeType.finished;

    private sealed class Offer(ClientSettings settings, BendableClient client)
        : DefaultTlsClient(new BcTlsCrypto(new SecureRandom()))
    {
        public override TlsAuthentication GetAuthentication() => new Trust(settings);

        public override void NotifyHandshakeComplete() => client.IsComplete = true;

        public override IList<int> GetEarlyKeyShareGroups() => settings.Shares ?? [settings.Groups[0]];

        public override IDictionary<int, byte[]> GetClientExtensions()
        {
            IDictionary<int, byte[]> extensions = base.GetClientExtensions();
            if (settings.MaxFragmentLength is { } code)
            {
                TlsExtensionsUtilities.AddMaxFragmentLengthExtension(extensions, code);
            }

            return extensions;
        }

        protected override IList<ProtocolName>? GetProtocolNames() =>
            settings.ApplicationProtocols.Length == 0
            ? null
            : [.. settings.ApplicationProtocols.Select(ProtocolName.AsUtf8Encoding)];

        protected override ProtocolVersion[] GetSupportedVersions() => [settings.Version];

        protected override IList<int> GetSupportedGroups(IList<int> namedGroupRoles) => settings.Groups;

        protected override IList<SignatureAndHashAlgorithm> GetSupportedSignatureAlgorithms() =>
            settings.Schemes?.Select(ToAlgorithm).ToList() ?? base.GetSupportedSignatureAlgorithms();

        private static SignatureAndHashAlgorithm ToAlgorithm(int scheme) =>
            SignatureAndHashAlgorithm.GetInstance((short)(scheme >> 8), (short)(scheme & 0xFF));

        protected override IList<Org.BouncyCastle.Tls.ServerName> GetSniServerNames() =>
            [new Org.BouncyCastle.Tls.ServerName(NameType.host_name, "bend.example"u8.ToArray())];
    }

    private sealed class Trust(ClientSettings settings) : TlsAuthentication
    {
        public void NotifyServerCertificate(TlsServerCertificate serverCertificate)
        {
            if (!settings.TrustsAnyServer)
            {
                throw new TlsFatalAlert(AlertDescription.unknown_ca);
            }
        }

        public TlsCredentials? GetClientCredentials(CertificateRequest certificateRequest) => null;
    }
}

/// <summary>What a <see cref="BendableClient"/> offers.</summary>
internal sealed record ClientSettings
{
    public ProtocolVersion Version { get; init; } = ProtocolVersion.TLSv13;

    public int[] Groups { get; init; } = [NamedGroup.x25519, NamedGroup.secp256r1, NamedGroup.secp384r1];

    public int[]? Shares { get; init; }

    public int[]? Schemes { get; init; }

    public short? MaxFragmentLength { get; init; }

    public bool TrustsAnyServer { get; init; } = true;

    public string[] ApplicationProtocols { get; init; } = [];
}

/// <summary>Runs a client against a handshake on one thread, record by record.</summary>
internal static class LockStep
{
    /// <summary>
    /// Until the server has decided or both wait. What the server sends reaches the client, which throws on
    /// an alert.
    /// </summary>
    public static HandshakeStatus Run(ServerHandshake handshake, BendableClient client,
        Func<byte[], byte[]>? bendRecord = null)
    {
        HandshakeStatus status = HandshakeStatus.NeedMoreData;
        while (status == HandshakeStatus.NeedMoreData && client.GetAvailableOutputBytes() > 0)
        {
            foreach (byte[] record in Wire.Split(client.TakeOutput()))
            {
                if (status == HandshakeStatus.NeedMoreData)
                {
                    status = Wire.Feed(handshake, bendRecord?.Invoke(record) ?? record);
                }
            }

            byte[] answer = handshake.TakeOutput().ToArray();
            if (answer.Length > 0)
            {
                client.OfferInput(answer);
            }
        }

        return status;
    }
}

/// <summary>Bytes on the wire.</summary>
internal static class Wire
{
    public static IEnumerable<byte[]> Split(byte[] bytes)
    {
        for (int start = 0; start < bytes.Length;)
        {
            int length = 5 + ((bytes[start + 3] << 8) | bytes[start + 4]);
            yield return bytes[start..(start + length)];
            start += length;
        }
    }

    /// <summary>One record; false headers end in Refused.</summary>
    public static HandshakeStatus Feed(ServerHandshake handshake, byte[] record)
    {
        if (!handshake.AcceptHeader(record.AsSpan(0, 5), out int length))
        {
            return HandshakeStatus.Refused;
        }

        byte[] whole = new byte[5 + length];
        record.AsSpan(0, Math.Min(record.Length, whole.Length)).CopyTo(whole);
        return handshake.Offer(whole, whole.Length);
    }

    public static byte[] Record(byte type, params byte[] fragment) =>
        [type, 3, 3, (byte)(fragment.Length >> 8), (byte)fragment.Length, .. fragment];
}
