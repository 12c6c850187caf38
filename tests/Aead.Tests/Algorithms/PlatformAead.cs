using System.Security.Cryptography;
using Aead.Algorithms;

namespace Aead.Tests.Algorithms;

/// <summary>.NET's AEADs: another way to the same library, for comparison.</summary>
internal sealed class PlatformAead : IDisposable
{
    private readonly AesGcm? _aes;
    private readonly ChaCha20Poly1305? _chaCha;

    public PlatformAead(AeadAlgorithm algorithm, byte[] key)
    {
        _chaCha = algorithm == AeadAlgorithm.ChaCha20Poly1305 ? new ChaCha20Poly1305(key) : null;
        _aes = _chaCha is null ? new AesGcm(key, AeadAlgorithm.TagLength) : null;
    }

    /// <summary>The product's rows, each once.</summary>
    public static IEnumerable<AeadAlgorithm> Rows => CipherSuite.All.Select(suite => suite.Aead).Distinct();

    public static AeadAlgorithm Find(string name) => Rows.Single(row => row.Name == name);

    public (byte[] Ciphertext, byte[] Tag) Encrypt(byte[] nonce, byte[] associatedData, byte[] plaintext)
    {
        byte[] ciphertext = new byte[plaintext.Length];
        byte[] tag = new byte[AeadAlgorithm.TagLength];
        _aes?.Encrypt(nonce, plaintext, ciphertext, tag, associatedData);
        _chaCha?.Encrypt(nonce, plaintext, ciphertext, tag, associatedData);
        return (ciphertext, tag);
    }

    public void Dispose()
    {
        _aes?.Dispose();
        _chaCha?.Dispose();
    }
}
