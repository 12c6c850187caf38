namespace Aead.Algorithms;

/// <summary>What an AEAD usage limit demands of the owner of a key.</summary>
public enum UsageAction
{
    /// <summary>Nothing yet.</summary>
    None,

    /// <summary>TLS 1.3: send a KeyUpdate before more data.</summary>
    UpdateKeys,

    /// <summary>
    /// The key may protect no more data: send the alert that ends the connection, then close.
    /// </summary>
    Close,
}

/// <summary>How many records one key may protect, as data.</summary>
/// <param name="UpdateKeysRecords">From here on, TLS 1.3 should update its keys.</param>
/// <param name="CloseRecords">
/// From here on, no further record may be protected but <see cref="AlertRecords"/> alerts.
/// </param>
public readonly record struct UsageLimit(ulong UpdateKeysRecords, ulong CloseRecords)
{
    /// <summary>
    /// Records kept back for alerts, or a connection at its limit could not even say that it closes.
    /// </summary>
    public const int AlertRecords = 2;

    /// <summary>
    /// AES-GCM: 2^24.5 full-size records keep a safety margin of about 2^-57 (RFC 8446 §5.5). Updating at
    /// 2^24 leaves seven million records for a KeyUpdate to get through.
    /// </summary>
    internal static UsageLimit AesGcm => new(1UL << 24, 23_726_566 - AlertRecords);

    /// <summary>
    /// ChaCha20-Poly1305: the sequence number would wrap before the AEAD is worn out (RFC 8446 §5.5), so its
    /// last value is the limit.
    /// </summary>
    internal static UsageLimit SequenceNumber => new(1UL << 63, ulong.MaxValue - AlertRecords);

    /// <summary>
    /// What the limit demands of a key that has protected <paramref name="records"/> records.
    /// </summary>
    /// <param name="version">TLS 1.2 has no key update: it goes on until it must close.</param>
    /// <param name="records">Records protected so far, which is the sequence number of the next.</param>
    public UsageAction ActionAt(TlsVersion version, ulong records)
    {
        if (records >= CloseRecords)
        {
            return UsageAction.Close;
        }

        bool canUpdate = version == TlsVersion.Tls13;
        return canUpdate && records >= UpdateKeysRecords ? UsageAction.UpdateKeys : UsageAction.None;
    }

    /// <summary>
    /// Whether a key that has protected <paramref name="records"/> records may protect one alert more.
    /// </summary>
    internal bool AllowsAlert(ulong records) => records < CloseRecords + AlertRecords;
}
