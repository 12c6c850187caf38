using Aead;
using Aead.Keys;
using Aead.Records;

namespace Ktls.Handshake;

/// <summary>
/// A finished handshake. The two directions' keys move to whoever takes them; Dispose zeroes what was not
/// taken.
/// </summary>
public sealed class HandshakeResult : IDisposable
{
    /// <summary>The negotiated suite, which implies the version.</summary>
    public required CipherSuite Suite { get; init; }

    /// <summary>Keys of what the client sends.</summary>
    public required DirectionKeys ClientKeys { get; init; }

    /// <summary>Keys of what the server sends.</summary>
    public required DirectionKeys ServerKeys { get; init; }

    /// <summary>ALPN, or null when the client offered none.</summary>
    public string? ApplicationProtocol { get; init; }

    /// <summary>SNI, lower case, or null.</summary>
    public string? ServerName { get; init; }

    /// <summary>The key exchange group, or null when unknown.</summary>
    public KeyExchangeGroup? Group { get; init; }

    /// <inheritdoc/>
    public void Dispose()
    {
        ClientKeys.Dispose();
        ServerKeys.Dispose();
    }
}

/// <summary>A handshake that will not be: the alert for the peer, the sentence for the log.</summary>
/// <param name="Alert">
/// What the peer is sent; or, when the peer itself ended with a fatal alert, that alert, and nothing is sent.
/// </param>
/// <param name="Reason">One printable sentence that names the cause and holds no byte of the peer's.</param>
public sealed record HandshakeRefusal(AlertDescription Alert, string Reason);

/// <summary>What became of one record.</summary>
public enum HandshakeStatus
{
    /// <summary>Feed the next record.</summary>
    NeedMoreData,

    /// <summary>
    /// <see cref="ServerHandshake.Result"/> is set. Send the output, then the keys are yours.
    /// </summary>
    Established,

    /// <summary>
    /// <see cref="ServerHandshake.Refusal"/> is set. Send the output, which ends with the alert, then close.
    /// </summary>
    Refused,
}
