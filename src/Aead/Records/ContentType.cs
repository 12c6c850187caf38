namespace Aead.Records;

/// <summary>RFC 8446 §5.1.</summary>
public enum ContentType : byte
{
    /// <summary>change_cipher_spec.</summary>
    ChangeCipherSpec = 20,

    /// <summary>alert.</summary>
    Alert = 21,

    /// <summary>handshake.</summary>
    Handshake = 22,

    /// <summary>application_data.</summary>
    ApplicationData = 23,
}
