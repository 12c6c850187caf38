using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Aead.Algorithms;
using Aead.Keys;

namespace Ktls.Kernel;

/// <summary>What include/uapi/linux/tls.h says and Tmds.LibC does not: options, control messages, and how keys are handed over.</summary>
internal static class TlsUapi
{
    /// <summary>The value of TCP_ULP.</summary>
    public static ReadOnlySpan<byte> UpperLayerProtocol => "tls"u8;

    /// <summary>TLS_TX: the option of level SOL_TLS that holds the keys for sending.</summary>
    public const int TransmitKeys = 1;

    /// <summary>TLS_RX: the option of level SOL_TLS that holds the keys for receiving.</summary>
    public const int ReceiveKeys = 2;

    /// <summary>TLS_SET_RECORD_TYPE: the control message, of one byte, that gives what is sent its content type.</summary>
    public const int SetRecordType = 1;

    /// <summary>TLS_GET_RECORD_TYPE: the control message, of one byte, that tells the content type of what was received.</summary>
    public const int GetRecordType = 2;
}

/// <summary>
/// How the kernel wants the keys of one AEAD: one row per struct tls12_crypto_info_*, of which TLS 1.3 uses the same. The fields follow one
/// another without gaps, in the machine's byte order where they are numbers:
/// <code>| version 2 | cipher 2 | iv | key | salt | rec_seq 8 |</code>
/// Salt and iv together are the nonce's 12 bytes, the salt in front.
/// </summary>
internal sealed class CryptoInfoLayout
{
    private readonly string _aeadName;
    private readonly ushort _cipher;

    private CryptoInfoLayout(AeadAlgorithm aead, ushort cipher, int saltLength)
    {
        _aeadName = aead.Name;
        _cipher = cipher;
        int ivLength = AeadAlgorithm.NonceLength - saltLength;
        Iv = (sizeof(ushort) * 2)..(sizeof(ushort) * 2 + ivLength);
        Key = Iv.End.Value..(Iv.End.Value + aead.KeyLength);
        Salt = Key.End.Value..(Key.End.Value + saltLength);
        SequenceNumber = Salt.End.Value..(Salt.End.Value + sizeof(ulong));
    }

    /// <summary>The AEAD's row.</summary>
    public static CryptoInfoLayout Of(AeadAlgorithm aead)
    {
        foreach (CryptoInfoLayout layout in All)
        {
            // An AEAD is its RFC 5116 name; how long its keys may live is not the kernel's business.
            if (layout._aeadName == aead.Name)
            {
                return layout;
            }
        }

        throw new ArgumentException($"The kernel's interface has no {aead}.", nameof(aead));
    }

    /// <summary>Bytes of the struct; the kernel takes no other length.</summary>
    public int Size => SequenceNumber.End.Value;

    /// <summary>Where the rest of the nonce is, or, for TLS 1.2 GCM, the first explicit nonce.</summary>
    public Range Iv { get; }

    /// <summary>Where the key is.</summary>
    public Range Key { get; }

    /// <summary>Where the front of the nonce is; empty for ChaCha20.</summary>
    public Range Salt { get; }

    /// <summary>Where the number of the next record is, big-endian.</summary>
    public Range SequenceNumber { get; }

    /// <summary>Writes the struct.</summary>
    /// <param name="info">Exactly <see cref="Size"/> bytes; secret from here on.</param>
    /// <param name="keys">Of this row's AEAD.</param>
    public void Write(Span<byte> info, DirectionKeys keys)
    {
        MemoryMarshal.Write(info, (ushort)keys.Suite.Version);
        MemoryMarshal.Write(info[sizeof(ushort)..], _cipher);
        ReadOnlySpan<byte> iv = keys.Iv;
        int saltLength = info[Salt].Length;
        iv[..saltLength].CopyTo(info[Salt]);
        if (keys.Suite.ExplicitNonceLength > 0)
        {
            // The kernel counts explicit nonces up from here, in step with the sequence number. Starting both alike continues what
            // RecordEncryptor does, so that no nonce comes twice under one key, whoever protected the records before.
            BinaryPrimitives.WriteUInt64BigEndian(info[Iv], keys.SequenceNumber);
        }
        else
        {
            iv[saltLength..].CopyTo(info[Iv]);
        }

        keys.Key.CopyTo(info[Key]);
        BinaryPrimitives.WriteUInt64BigEndian(info[SequenceNumber], keys.SequenceNumber);
    }

    /// <summary>Reads the number of the next record.</summary>
    public ulong ReadSequenceNumber(ReadOnlySpan<byte> info) => BinaryPrimitives.ReadUInt64BigEndian(info[SequenceNumber]);

    private static readonly ImmutableArray<CryptoInfoLayout> All =
    [
        new(AeadAlgorithm.Aes128Gcm, cipher: 51, saltLength: 4),        // TLS_CIPHER_AES_GCM_128
        new(AeadAlgorithm.Aes256Gcm, cipher: 52, saltLength: 4),        // TLS_CIPHER_AES_GCM_256
        new(AeadAlgorithm.ChaCha20Poly1305, cipher: 54, saltLength: 0), // TLS_CIPHER_CHACHA20_POLY1305
    ];
}
