using System.Security.Cryptography;
using Aead;
using Aead.Keys;
using Aead.Pages;
using Aead.Records;

namespace Ktls.Tests.Transport;

/// <summary>Keys and bytes that follow from a number, so that both ends of a test have the same.</summary>
internal static class TestRecords
{
    public static CipherSuite Tls13 { get; } = CipherSuite.Find(0x1301)!;

    public static CipherSuite Tls12 { get; } = CipherSuite.Find(0xC02B)!;

    public static DirectionKeys Keys(CipherSuite suite, int seed = 1) => suite.Version == TlsVersion.Tls13
        ? DirectionKeys.FromTrafficSecret(suite, Bytes(suite.Hash == HashAlgorithmName.SHA384 ? 48 : 32, seed))
        : DirectionKeys.FromKeyBlock(suite, Bytes(suite.Aead.KeyLength, seed), Bytes(suite.IvLength, seed + 1), 1);

    public static byte[] Bytes(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>One whole record.</summary>
    public static byte[] Seal(this RecordEncryptor encryptor, ContentType type, ReadOnlySpan<byte> content)
    {
        byte[] record = new byte[encryptor.PrefixLength + content.Length + encryptor.SuffixLength];
        content.CopyTo(record.AsSpan(encryptor.PrefixLength));
        int length = encryptor.Encrypt(type, record, content.Length);
        return record[..length];
    }

    /// <summary>The one record's type and content.</summary>
    public static (ContentType Type, byte[] Content) Open(this RecordDecryptor decryptor, ReadOnlySpan<byte> record, DecryptStage stage)
    {
        DecryptedBatch batch = decryptor.Decrypt(record, stage);
        using ExposedPages? data = batch.ApplicationData;
        return batch.End switch
        {
            BatchEnd.Control => (batch.ControlType, batch.Control.ToArray()),
            BatchEnd.Rejected => throw new InvalidDataException($"A record was rejected with {batch.Alert}."),
            _ => (ContentType.ApplicationData, data?.GetSpan().ToArray() ?? []),
        };
    }

    public static Task<T> Within<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(TestKit.Timeouts.Exchange);

    public static Task Within(this ValueTask task) => task.AsTask().WaitAsync(TestKit.Timeouts.Exchange);

    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(TestKit.Timeouts.Exchange);

    public static Task Within(this Task task) => task.WaitAsync(TestKit.Timeouts.Exchange);

    /// <summary>Waits until something becomes true that nobody announces.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        for (long end = Environment.TickCount64 + (long)TestKit.Timeouts.Exchange.TotalMilliseconds; !condition();)
        {
            if (Environment.TickCount64 > end)
            {
                throw new TimeoutException($"Not in time: {what}.");
            }

            await Task.Delay(5);
        }
    }
}
