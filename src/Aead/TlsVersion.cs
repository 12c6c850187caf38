namespace Aead;

/// <summary>
/// The protocol versions whose records this project protects; the value is the wire's ProtocolVersion.
/// </summary>
public enum TlsVersion : ushort
{
    /// <summary>TLS 1.2 (RFC 5246).</summary>
    Tls12 = 0x0303,

    /// <summary>TLS 1.3 (RFC 8446).</summary>
    Tls13 = 0x0304,
}
