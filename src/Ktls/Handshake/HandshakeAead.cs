using System.Security.Cryptography;
using Aead.Algorithms;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto.Impl;

namespace Ktls.Handshake;

/// <summary>
/// One direction of one of BouncyCastle's ciphers, by the AEAD that also protects our own records.
/// </summary>
internal sealed class HandshakeAead(AeadAlgorithm algorithm, bool encrypts) : TlsAeadCipherImpl, IDisposable
{
    private IAead? _aead;
    private byte[] _nonce = [];
    private bool _disposed;

    /// <summary>Zeroes the array: TLS 1.3 hands over a key derived for this call alone.</summary>
    public void SetKey(byte[] key, int keyOff, int keyLen)
    {
        Span<byte> bytes = key.AsSpan(keyOff, keyLen);
        SetKey(bytes);
        CryptographicOperations.ZeroMemory(bytes);
    }

    public void SetKey(ReadOnlySpan<byte> key)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _aead?.Dispose();
        _aead = algorithm.Create(key);
    }

    // In TLS 1.3 the first nonce is the IV itself, so none is left behind.
    public void Init(byte[] nonce, int macSize, byte[] additionalData)
    {
        CryptographicOperations.ZeroMemory(_nonce);
        _nonce = nonce;
    }

    public int GetOutputSize(int inputLength) =>
        encrypts ? inputLength + AeadAlgorithm.TagLength : inputLength - AeadAlgorithm.TagLength;

    public int DoFinal(byte[] input, int inputOffset, int inputLength, byte[] output, int outputOffset) =>
        DoFinal([], input, inputOffset, inputLength, output, outputOffset);

    public int DoFinal(byte[] additionalData, byte[] input, int inputOffset, int inputLength, byte[] output,
        int outputOffset)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        IAead aead = _aead ?? throw new InvalidOperationException("The cipher has no key yet.");
        int length = GetOutputSize(inputLength);
        Span<byte> result = output.AsSpan(outputOffset, length);
        if (encrypts)
        {
            aead.Encrypt(_nonce, additionalData, input.AsSpan(inputOffset, inputLength),
                result[..inputLength], result[inputLength..]);
        }
        else if (!aead.TryDecrypt(_nonce, additionalData, input.AsSpan(inputOffset, length),
                     input.AsSpan(inputOffset + length, AeadAlgorithm.TagLength), result))
        {
            throw new TlsFatalAlert(AlertDescription.bad_record_mac);
        }

        return length;
    }

    public void Reset()
    {
    }

    public void Dispose()
    {
        _disposed = true;
        CryptographicOperations.ZeroMemory(_nonce);
        _aead?.Dispose();
    }
}
