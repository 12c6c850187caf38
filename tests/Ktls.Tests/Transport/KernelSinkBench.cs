using Aead;
using Aead.Keys;
using Ktls.Kernel;
using Ktls.Tests.Kernel;
using Ktls.Transport;

namespace Ktls.Tests.Transport;

/// <summary>The kernel's record layer, sending through a fake kernel.</summary>
internal sealed class KernelSinkBench : IDisposable
{
    public KernelSinkBench(CipherSuite? suite = null, bool supportsRekey = true, FakeKernel? kernel = null)
    {
        Kernel = kernel ?? new FakeKernel(supportsRekey);
        DirectionKeys keys = TestRecords.Keys(suite ?? TestRecords.Tls13);
        Kernel.Attach();
        Kernel.Install(KernelDirection.Transmit, keys);
        Sink = new KernelRecordSink(Kernel, keys, supportsRekey, Blocks);
        Keys = keys;
    }

    public FakeKernel Kernel { get; }

    public OutgoingBlockPool Blocks { get; } = new();

    /// <summary>The sink's own; disposed when it has no more use for them.</summary>
    public DirectionKeys Keys { get; }

    public KernelRecordSink Sink { get; }

    /// <summary>What the peer got, one word a record.</summary>
    public string Records => string.Join(' ', Kernel.Sent.Select(Name));

    /// <summary>What the kernel was asked since the sink was made, without the answers.</summary>
    public string Calls => string.Join(", ", Kernel.Calls.Skip(2).Select(call => call[..call.IndexOf(" ->", StringComparison.Ordinal)]));

    public bool HasKeys
    {
        get
        {
            try
            {
                return Keys.Iv.Length > 0;
            }
            catch (ObjectDisposedException)
            {
                return false;
            }
        }
    }

    public void Write(params ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Sink.GetMemory(bytes.Length).Span);
        Sink.Advance(bytes.Length);
    }

    public FlushStatus Send(params ReadOnlySpan<byte> bytes)
    {
        Write(bytes);
        return Sink.Flush();
    }

    /// <summary>The socket has room without end.</summary>
    public FlushStatus MakeRoom()
    {
        Kernel.MakeRoom(long.MaxValue);
        return Sink.OnWritable();
    }

    public void Dispose() => Sink.Dispose();

    private static string Name(FakeRecord record) => record switch
    {
        { IsData: true, Content.Length: 1 } => $"{record.Content[0]}",
        { IsData: true } => $"data({record.Content.Length})",
        { IsKeyUpdate: true } => record.Content[4] == 1 ? "update!" : "update",
        _ => $"{record.Type}{record.Content[^1]}",
    } + (record.KeyGeneration > 0 ? $"@{record.KeyGeneration}" : "");
}
