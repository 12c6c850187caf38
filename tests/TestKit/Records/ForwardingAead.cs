using Aead.Algorithms;

namespace TestKit.Records;

/// <summary>Does what another AEAD does: for tests that watch one, or change one thing about it.</summary>
public abstract class ForwardingAead(IAead inner) : IAead
{
    public virtual void Encrypt(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag) =>
        inner.Encrypt(nonce, associatedData, plaintext, ciphertext, tag);

    public virtual bool TryDecrypt(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext) =>
        inner.TryDecrypt(nonce, associatedData, ciphertext, tag, plaintext);

    public virtual void Dispose()
    {
        inner.Dispose();
        GC.SuppressFinalize(this);
    }
}
