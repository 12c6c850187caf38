using System.Collections.Concurrent;

namespace TlsProxy.Tests.EndToEnd.Soak;

/// <summary>What the clients of a soak did, and what should not have happened to them.</summary>
internal sealed class SoakLedger
{
    private readonly ConcurrentDictionary<string, long> _rounds = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private long _bytes;
    private long _uploads;

    public IReadOnlyDictionary<string, long> Rounds => _rounds;

    public IReadOnlyCollection<string> Errors => _errors;

    /// <summary>Bytes of bodies, every one of them compared.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Uploads whose origin said that it has them whole.</summary>
    public long Uploads => Interlocked.Read(ref _uploads);

    public void Finished(string client) => _rounds.AddOrUpdate(client, 1, (_, before) => before + 1);

    public void Failed(string client, Exception exception) => _errors.Enqueue($"{DateTime.UtcNow:HH:mm:ss} {client}: {exception}");

    public void Compared(long bytes) => Interlocked.Add(ref _bytes, bytes);

    public void Uploaded() => Interlocked.Increment(ref _uploads);
}
