using Org.BouncyCastle.Tls;

namespace Ktls.Handshake;

/// <summary>
/// A refusal of ours on its way through BouncyCastle, which sends the alert: a reason for the log travels
/// along.
/// </summary>
/// <param name="alert">The alert's code.</param>
/// <param name="reason">One sentence, without any byte of the peer's.</param>
internal sealed class HandshakeException(short alert, string reason) : TlsFatalAlert(alert, reason)
{
    /// <summary>One sentence.</summary>
    public string Reason { get; } = reason;
}
