using Org.BouncyCastle.Tls;

namespace Ktls.Handshake;

/// <summary>BouncyCastle's state machine, with the doors this project needs.</summary>
internal sealed class BouncyProtocol(BouncyServer server) : TlsServerProtocol
{
    /// <summary>
    /// TLS 1.2: the client has switched to encryption. (TLS 1.3 tells by the content type.)
    /// </summary>
    public bool IsPastChangeCipherSpec => m_receivedChangeCipherSpec;

    /// <summary>Whether BouncyCastle wrote a fatal alert; before a ClientHello it writes none.</summary>
    public bool WroteAlert { get; private set; }

    /// <summary>Ends the handshake with an alert, protected as the state demands.</summary>
    public void Abort(short alert)
    {
        if (!IsClosed)
        {
            HandleException(alert, message: null, e: null);
        }
    }

    /// <summary>Ends the handshake without a word.</summary>
    public void Abandon()
    {
        if (!IsClosed)
        {
            HandleFailure();
        }
    }

    /// <summary>Takes the bytes to send.</summary>
    public byte[] TakeOutput()
    {
        byte[] output = new byte[GetAvailableOutputBytes()];
        ReadOutput(output, 0, output.Length);
        return output;
    }

    /// <inheritdoc/>
    protected override ClientHello ReceiveClientHelloMessage(MemoryStream buf)
    {
        buf.TryGetBuffer(out ArraySegment<byte> message);
        ClientHelloRules.RequireKnownVersion(message);
        ClientHello hello = base.ReceiveClientHelloMessage(buf);
        ClientHelloRules.RequireKnownVersions(hello);
        server.ReceiveClientHello(hello, ClientHelloRules.OffersCompression(message));
        return hello;
    }

    // BouncyCastle takes it for a fault of its own when a vector of a message claims more than the message has.
    /// <inheritdoc/>
    protected override void HandleException(short alertDescription, string? message, Exception? e) =>
        base.HandleException(RefusalReason.IsMalformed(e) ? AlertDescription.decode_error : alertDescription, message, e);

    /// <inheritdoc/>
    protected override void RaiseAlertFatal(short alertDescription, string? message, Exception? cause)
    {
        int before = GetAvailableOutputBytes();
        base.RaiseAlertFatal(alertDescription, message, cause);
        WroteAlert = GetAvailableOutputBytes() > before;
    }
}
