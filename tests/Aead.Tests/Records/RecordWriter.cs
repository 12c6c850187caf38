using Aead.Records;

namespace Aead.Tests.Records;

/// <summary>
/// Makes records of given contents with the product's encryptor, each in a buffer of exactly its size.
/// </summary>
internal static class RecordWriter
{
    public static byte[] Write(RecordEncryptor encryptor, ContentType type, ReadOnlySpan<byte> content)
    {
        byte[] record = new byte[encryptor.PrefixLength + content.Length + encryptor.SuffixLength];
        content.CopyTo(record.AsSpan(encryptor.PrefixLength));
        int length = encryptor.Encrypt(type, record, content.Length);
        Xunit.Assert.Equal(record.Length, length);
        return record;
    }
}
