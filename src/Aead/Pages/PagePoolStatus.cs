namespace Aead.Pages;

/// <summary>Numbers for start-up lines, metrics and doctor.</summary>
/// <param name="SlotBytes">Bytes of one slot.</param>
/// <param name="SlotsMax">The bound in force, after locking limits.</param>
/// <param name="SlotsMapped">Slots mapped so far.</param>
/// <param name="SlotsInUse">Slots that are out: stages and flipped leases.</param>
/// <param name="BytesLocked">Bytes mlocked.</param>
/// <param name="CopyBytesInUse">Bytes of verified copies that are out.</param>
/// <param name="CopyBytesMax">Their bound.</param>
/// <param name="Notice">What was shrunk or not locked and how to change it, as a sentence; null when all is
/// as asked.</param>
public sealed record PagePoolStatus(
    int SlotBytes,
    int SlotsMax,
    int SlotsMapped,
    int SlotsInUse,
    long BytesLocked,
    long CopyBytesInUse,
    long CopyBytesMax,
    string? Notice);
