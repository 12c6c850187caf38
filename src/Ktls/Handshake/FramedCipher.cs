using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;

namespace Ktls.Handshake;

/// <summary>
/// A cipher of BouncyCastle's that shows each decrypted handshake fragment to the framing first.
/// </summary>
internal sealed class FramedCipher(TlsCipher cipher, HandshakeFraming framing) : TlsCipher
{
    public bool UsesOpaqueRecordType => cipher.UsesOpaqueRecordType;

    public TlsDecodeResult DecodeCiphertext(long seqNo, short recordType, ProtocolVersion recordVersion,
        byte[] ciphertext, int offset, int len)
    {
        TlsDecodeResult plain =
            cipher.DecodeCiphertext(seqNo, recordType, recordVersion, ciphertext, offset, len);
        if (plain.contentType == ContentType.handshake)
        {
            framing.Judge(plain.buf.AsSpan(plain.off, plain.len), isEncrypted: true);
        }

        return plain;
    }

    public TlsEncodeResult EncodePlaintext(long seqNo, short contentType, ProtocolVersion recordVersion,
        int headerAllocation, byte[] plaintext, int offset, int len) =>
        cipher.EncodePlaintext(seqNo, contentType, recordVersion, headerAllocation, plaintext, offset, len);

    public TlsEncodeResult EncodePlaintext(long seqNo, short contentType, ProtocolVersion recordVersion,
        int headerAllocation, ReadOnlySpan<byte> plaintext) =>
        cipher.EncodePlaintext(seqNo, contentType, recordVersion, headerAllocation, plaintext);

    public int GetCiphertextDecodeLimit(int plaintextLimit) =>
        cipher.GetCiphertextDecodeLimit(plaintextLimit);

    public int GetCiphertextEncodeLimit(int plaintextLength, int plaintextLimit) =>
        cipher.GetCiphertextEncodeLimit(plaintextLength, plaintextLimit);

    public int GetPlaintextLimit(int ciphertextLimit) => cipher.GetPlaintextLimit(ciphertextLimit);

    public void RekeyDecoder() => cipher.RekeyDecoder();

    public void RekeyEncoder() => cipher.RekeyEncoder();
}
