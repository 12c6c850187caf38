using System.Security.Cryptography;
using Org.BouncyCastle.Tls.Crypto;

namespace Ktls.Handshake;

// BouncyCastle clones the transcript's hash before each reading, and .NET cannot clone a hash. The transcript
// is a few kilobytes, so it is kept and hashed in one call when asked. A clone shares the bytes until it
// writes; the original goes on behind those that a clone has.

/// <summary>A hash that can be cloned.</summary>
internal sealed class PlatformHash(HashAlgorithmName name) : TlsHash
{
    private byte[] _bytes = [];
    private int _length;
    private bool _isShared;

    public void Update(byte[] input, int inOff, int length) => Update(input.AsSpan(inOff, length));

    public void Update(ReadOnlySpan<byte> input)
    {
        int needed = _length + input.Length;
        if (_isShared || needed > _bytes.Length)
        {
            byte[] larger = new byte[Math.Max(needed, Math.Max(CapacityMin, 2 * _length))];
            _bytes.AsSpan(0, _length).CopyTo(larger);
            _bytes = larger;
            _isShared = false;
        }

        input.CopyTo(_bytes.AsSpan(_length));
        _length = needed;
    }

    public byte[] CalculateHash()
    {
        byte[] hash = CryptographicOperations.HashData(name, _bytes.AsSpan(0, _length));
        Reset();
        return hash;
    }

    public TlsHash CloneHash() => new PlatformHash(name) { _bytes = _bytes, _length = _length, _isShared = true };

    // Not to be written over: clones may have these bytes.
    public void Reset() => (_bytes, _length) = ([], 0);

    // Holds a handshake with a short chain, in bytes.
    private const int CapacityMin = 2048;
}
