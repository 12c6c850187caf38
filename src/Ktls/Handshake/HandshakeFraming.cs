using Org.BouncyCastle.Tls;

namespace Ktls.Handshake;

// BouncyCastle queues what lies behind a message in the same record, and would lose it at hand-over; it also
// lets a message begin under one key and end under the next. RFC 8446 §5.1 forbids both. So every handshake
// fragment, plaintext or decrypted, passes here before BouncyCastle sees it.

/// <summary>Follows the boundaries of handshake messages through the records.</summary>
internal sealed class HandshakeFraming
{
    private int _headerLength;
    private int _type;
    private int _left;
    private bool _isEncrypted;

    /// <summary>Judges the next fragment of handshake messages.</summary>
    /// <exception cref="HandshakeException">
    /// A message is too long, straddles a change of keys, or has bytes behind it where the keys change.
    /// </exception>
    public void Judge(ReadOnlySpan<byte> fragment, bool isEncrypted)
    {
        if (isEncrypted != _isEncrypted && (_headerLength > 0 || _left > 0))
        {
            throw new HandshakeException(AlertDescription.unexpected_message,
                "A handshake message of the client straddles a change of keys.");
        }

        _isEncrypted = isEncrypted;
        while (!fragment.IsEmpty)
        {
            fragment = _headerLength < HeaderLength ? ReadHeader(fragment) : SkipBody(fragment);
            if (_headerLength == HeaderLength && _left == 0)
            {
                EndMessage(fragment);
            }
        }
    }

    private ReadOnlySpan<byte> ReadHeader(ReadOnlySpan<byte> fragment)
    {
        if (_headerLength == 0)
        {
            _type = fragment[0];
            RequireEncryptedFinished();
        }
        else
        {
            _left = (_left << 8) | fragment[0];
        }

        _headerLength++;
        if (_headerLength == HeaderLength && _left > MessageLengthMax)
        {
            throw new HandshakeException(AlertDescription.decode_error,
                $"A handshake message of the client is longer than {MessageLengthMax} bytes.");
        }

        return fragment[1..];
    }

    // BouncyCastle would read a Finished in plaintext and fail inside only afterwards.
    private void RequireEncryptedFinished()
    {
        if (_type == HandshakeType.finished && !_isEncrypted)
        {
            throw new HandshakeException(AlertDescription.unexpected_message,
                "The client's Finished is not encrypted.");
        }
    }

    private ReadOnlySpan<byte> SkipBody(ReadOnlySpan<byte> fragment)
    {
        int skipped = Math.Min(_left, fragment.Length);
        _left -= skipped;
        return fragment[skipped..];
    }

    // RFC 8446 §5.1: messages that immediately precede a key change must align with a record boundary. After
    // a ClientHello the server speaks; after a Finished the keys change.
    private void EndMessage(ReadOnlySpan<byte> behind)
    {
        _headerLength = 0;
        if (!behind.IsEmpty && (_type is HandshakeType.client_hello or HandshakeType.finished))
        {
            throw new HandshakeException(AlertDescription.unexpected_message,
                $"The client sent bytes behind its {HandshakeType.GetName((short)_type)} in one record.");
        }
    }

    /// <summary>
    /// Bytes of one handshake message's body at most; a ClientHello with its key shares needs about 2 KiB.
    /// </summary>
    public const int MessageLengthMax = 32 * 1024;

    // RFC 8446 §4: msg_type and a length of three bytes.
    private const int HeaderLength = 4;
}
