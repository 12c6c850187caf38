using Aead.Records;
using Ktls.Transport;

namespace Ktls.Tests.Transport;

/// <summary>A record layer that sends nowhere and writes down what it was asked; how a flush ends is the test's to say.</summary>
internal sealed class FakeRecordSink : IRecordSink
{
    private readonly byte[] _memory = new byte[70_000];

    /// <summary>What the next flushes answer.</summary>
    public FlushStatus Status { get; set; }

    public int Flushes { get; private set; }

    public long UnflushedBytes { get; private set; }

    public bool CanUpdateKeys => true;

    public List<string> Controls { get; } = [];

    public Memory<byte> GetMemory(int sizeHint) => _memory;

    public void Advance(int bytes) => UnflushedBytes += bytes;

    public FlushStatus Flush()
    {
        Flushes++;
        UnflushedBytes = 0;
        return Status;
    }

    public void WriteControl(ContentType type, ReadOnlySpan<byte> fragment) => Controls.Add($"{type} {Convert.ToHexString(fragment)}");

    public void UpdateKeys(bool requestPeer) => Controls.Add(requestPeer ? "KeyUpdate, requested" : "KeyUpdate");

    public FlushStatus OnWritable() => Status;

    public IPendingSend? End(AlertDescription? alert) => null;

    public void Dispose()
    {
    }
}
