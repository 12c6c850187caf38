using Aead.Algorithms;
using Aead.Pages;
using Aead.Records;
using BenchmarkDotNet.Attributes;

namespace Bench.Micro;

/// <summary>One record of TLS 1.3: encrypted in place, or decrypted in hidden pages and copied out, sixteen to a batch.</summary>
public class RecordBenchmarks
{
    private PagePool _pool = null!;
    private DecryptStage _stage = null!;
    private RecordEncryptor _encryptor = null!;
    private byte[] _record = null!;
    private byte[] _ciphertext = null!;

    /// <summary>The suites that differ in how they protect a record.</summary>
    [Params("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")]
    public string Suite { get; set; } = "";

    /// <summary>Bytes of application data in a record.</summary>
    [Params(64, 1024, 16384)]
    public int Bytes { get; set; }

    /// <summary>Records enough for one call of <see cref="Decrypt"/>.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _pool = PagePool.Create(new PagePolicy(), stages: 1);
        _stage = _pool.CreateStage();
        _encryptor = CreateEncryptor();
        _record = new byte[_encryptor.PrefixLength + Bytes + _encryptor.SuffixLength];
        _ciphertext = [.. Enumerable.Range(0, Records).SelectMany(_ => EncryptOne())];
    }

    /// <summary>Gives everything back.</summary>
    [GlobalCleanup]
    public void CleanUp()
    {
        _encryptor.Dispose();
        _stage.Dispose();
        _pool.Dispose();
    }

    /// <summary>One record.</summary>
    [Benchmark]
    public int Encrypt()
    {
        if (_encryptor.Usage != UsageAction.None)
        {
            _encryptor.UpdateKeys();
        }

        return _encryptor.Encrypt(ContentType.ApplicationData, _record, Bytes);
    }

    /// <summary>One of <see cref="Records"/>, which share what <see cref="KeyBenchmarks.CreateDecryptor"/> costs.</summary>
    [Benchmark(OperationsPerInvoke = Records)]
    public int Decrypt()
    {
        using var decryptor = new RecordDecryptor(KeyBenchmarks.NewKeys(Suite));
        int decrypted = 0;
        for (int start = 0; start < _ciphertext.Length;)
        {
            int length = Math.Min(_record.Length * RecordsPerBatch, _ciphertext.Length - start);
            DecryptedBatch batch = decryptor.Decrypt(_ciphertext.AsSpan(start, length), _stage);
            decrypted += batch.ApplicationData!.Length;
            batch.ApplicationData.Dispose();
            start += batch.Consumed;
        }

        return decrypted == Records * Bytes ? decrypted : throw new InvalidOperationException("Records were lost.");
    }

    private RecordEncryptor CreateEncryptor() => new(KeyBenchmarks.NewKeys(Suite));

    private byte[] EncryptOne()
    {
        Encrypt();
        return [.. _record];
    }

    private const int Records = 256;

    // What one receive of the proxy brings at most, and what fits a slot.
    private const int RecordsPerBatch = 15;
}
