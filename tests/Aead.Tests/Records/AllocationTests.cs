using Aead.Pages;
using Aead.Records;
using Aead.Tests.Keys;
using Xunit;

namespace Aead.Tests.Records;

/// <summary>
/// No garbage per record, in either direction: what a batch allocates does not depend on how many records it
/// has.
/// </summary>
public sealed class AllocationTests
{
    private const int Records = 50;

    public static TheoryData<string> Suites => [.. CipherSuite.All.Select(suite => suite.Name)];

    public static TheoryData<string, Delivery> Cases
    {
        get
        {
            var cases = new TheoryData<string, Delivery>();
            foreach (CipherSuite suite in CipherSuite.All)
            {
                cases.Add(suite.Name, Delivery.Flip);
                cases.Add(suite.Name, Delivery.Copy);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Decrypt_FiftyRecords_AllocatesWhatOneRecordDoes(string name, Delivery delivery)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        using var stage = new TestStage(delivery);
        using var encryptor = new RecordEncryptor(RecordKeys.Create(suite, seed: 1));
        using var decryptor = new RecordDecryptor(RecordKeys.Create(suite, seed: 1));

        // Copies rest a while before they are lent again: until enough are about, each batch makes one.
        for (int warmUp = 0; warmUp < 70; warmUp++)
        {
            Batch(Records);
            Batch(1);
        }

        long one = Batch(1);
        long many = Batch(Records);

        Assert.Equal(one, many);
        Assert.InRange(one, 0, 200);

        long Batch(int records)
        {
            byte[] stream = [.. Enumerable.Range(0, records)
                .SelectMany(_ => RecordWriter.Write(encryptor, ContentType.ApplicationData, new byte[100]))];
            long before = GC.GetAllocatedBytesForCurrentThread();
            DecryptedBatch batch = decryptor.Decrypt(stream, stage.Stage);
            batch.ApplicationData!.Dispose();
            long after = GC.GetAllocatedBytesForCurrentThread();
            Assert.Equal(stream.Length, batch.Consumed);
            return after - before;
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Encrypt_FiftyRecords_AllocatesNothing(string name)
    {
        using var encryptor = new RecordEncryptor(RecordKeys.Create(CipherSuite.Find(name)!, seed: 1));
        byte[] buffer = new byte[1000];
        encryptor.Encrypt(ContentType.ApplicationData, buffer, 100);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Records; i++)
        {
            encryptor.Encrypt(ContentType.ApplicationData, buffer, 100);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
