using System.Security.Cryptography;
using Aead;
using Aead.Keys;
using Aead.Records;
using BenchmarkDotNet.Attributes;

namespace Bench.Micro;

/// <summary>Keys from a traffic secret, and what holds them: once for each direction of a connection.</summary>
public class KeyBenchmarks
{
    /// <summary>The suites that differ in how they protect a record.</summary>
    [Params("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")]
    public string Suite { get; set; } = "";

    /// <summary>Made and zeroed.</summary>
    [Benchmark]
    public void CreateDecryptor() => new RecordDecryptor(NewKeys(Suite)).Dispose();

    internal static DirectionKeys NewKeys(string name)
    {
        CipherSuite suite = CipherSuite.Find(name)!;
        return DirectionKeys.FromTrafficSecret(suite, new byte[suite.Hash == HashAlgorithmName.SHA384 ? SHA384.HashSizeInBytes : SHA256.HashSizeInBytes]);
    }
}
