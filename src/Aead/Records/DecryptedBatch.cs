using Aead.Pages;

namespace Aead.Records;

/// <summary>Why a batch ended where it did.</summary>
public enum BatchEnd
{
    /// <summary>Not yet: what is left of the ciphertext is no whole record.</summary>
    NeedMoreData,

    /// <summary>The slot is full; call again with the rest.</summary>
    SlotFull,

    /// <summary>
    /// A verified record that is not application data; its content is <see cref="DecryptedBatch.Control"/>.
    /// </summary>
    Control,

    /// <summary>The peer is wrong; the alert to send is in <see cref="DecryptedBatch.Alert"/>.</summary>
    Rejected,
}

/// <summary>
/// The outcome of one call of the decryptor. The application data (if any) comes before whatever ended the
/// batch. The receiver owns <see cref="ApplicationData"/> and must dispose it.
/// </summary>
public readonly struct DecryptedBatch
{
    /// <summary>Verified application data, exposed; null when there was none.</summary>
    public ExposedPages? ApplicationData { get; init; }

    /// <summary>Bytes of ciphertext used up.</summary>
    public int Consumed { get; init; }

    /// <summary>Why the batch ended.</summary>
    public BatchEnd End { get; init; }

    /// <summary>With <see cref="BatchEnd.Control"/>: the true content type.</summary>
    public ContentType ControlType { get; init; }

    /// <summary>
    /// With <see cref="BatchEnd.Control"/>: the verified fragment, copied to ordinary memory.
    /// </summary>
    public ReadOnlyMemory<byte> Control { get; init; }

    /// <summary>With <see cref="BatchEnd.Rejected"/>: the alert the RFC demands.</summary>
    public AlertDescription Alert { get; init; }
}
