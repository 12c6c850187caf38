using System.Net;
using System.Security.Cryptography;
using TestKit;

namespace TlsProxy.Tests.EndToEnd.Soak;

/// <summary>An upload of the pattern that hashes what it sends.</summary>
internal sealed class PatternContent(long length, bool isChunked) : HttpContent
{
    /// <summary>Of what was sent, once it is.</summary>
    public string? Sha256 { get; private set; }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] chunk = new byte[ChunkLength];
        for (long offset = 0; offset < length; offset += chunk.Length)
        {
            int count = (int)Math.Min(chunk.Length, length - offset);
            PatternBody.Fill(chunk.AsSpan(0, count), offset);
            hash.AppendData(chunk, 0, count);
            await stream.WriteAsync(chunk.AsMemory(0, count));
        }

        Sha256 = Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    protected override bool TryComputeLength(out long computed)
    {
        computed = length;
        return !isChunked;
    }

    private const int ChunkLength = 60_000;
}
