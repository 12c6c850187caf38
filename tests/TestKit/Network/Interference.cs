using Aead;

namespace TestKit.Network;

/// <summary>What a man in the middle does to one record.</summary>
public enum InterferenceKind
{
    /// <summary>Inverts one bit of the ciphertext.</summary>
    FlipBit,

    /// <summary>Leaves the record out.</summary>
    Drop,

    /// <summary>Sends the record twice.</summary>
    Repeat,

    /// <summary>Sends the next record first.</summary>
    Swap,

    /// <summary>Sends half of the record, then FIN.</summary>
    Truncate,

    /// <summary>Sends FIN in place of the record: an end without close_notify.</summary>
    Finish,

    /// <summary>Resets in place of the record.</summary>
    Reset,
}

/// <summary>Which record of which direction is interfered with, and how.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="ToServer">The direction.</param>
/// <param name="ApplicationRecord">1 is the first record with application data.</param>
/// <param name="Version">
/// In TLS 1.3 the client's Finished looks like application data (RFC 8446 §5.2) and is not counted. So do
/// the server's handshake messages, whose number is open: there the first record is the first one after the
/// client's Finished has passed.
/// </param>
public sealed record Interference(
    InterferenceKind Kind, bool ToServer, int ApplicationRecord, TlsVersion Version);
