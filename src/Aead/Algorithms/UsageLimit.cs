namespace Aead.Algorithms;

/// <summary>What an AEAD usage limit demands of the owner of a key.</summary>
public enum UsageAction
{
    /// <summary>Nothing yet.</summary>
    None,

    /// <summary>TLS 1.3: send a KeyUpdate before more data.</summary>
    UpdateKeys,

    /// <summary>The key may protect nothing more: close.</summary>
    Close,
}

/// <summary>How many records one key may protect, as data.</summary>
/// <param name="UpdateKeysRecords">From here on, TLS 1.3 should update its keys.</param>
/// <param name="CloseRecords">From here on, no further record may be protected.</param>
public readonly record struct UsageLimit(ulong UpdateKeysRecords, ulong CloseRecords);
