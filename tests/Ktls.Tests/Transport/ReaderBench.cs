using Aead;
using Aead.Pages;
using Ktls.Transport;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Ktls.Tests.Transport;

/// <summary>A reader over a fake record layer. Disposing it proves that every lease came back.</summary>
internal sealed class ReaderBench : IReaderOwner, IDisposable
{
    private readonly PageMint _mint;
    private readonly ScratchPool _scratches;
    private int _arrived;

    public ReaderBench(Delivery delivery = Delivery.Copy, TlsVersion version = TlsVersion.Tls13, int scratches = 1)
    {
        _mint = new PageMint(delivery, otherStages: 2);
        Loop = new EventLoop(0, new DescriptorTable(), new ReceiveScratch(_mint.Pool.CreateStage()), NullLogger.Instance);
        _scratches = new ScratchPool(_mint.Pool, scratches);
        Intake = new RecordIntake(Source, Sink, new PostHandshake(version), _scratches, Loop);
        Reader = new RecordPipeReader(Intake, _mint.Pool, this);
    }

    public FakeRecordSource Source { get; } = new();

    public FakeRecordSink Sink { get; } = new();

    /// <summary>The reader's loop; not started.</summary>
    public EventLoop Loop { get; }

    public RecordIntake Intake { get; }

    public RecordPipeReader Reader { get; }

    public PagePool Pool => _mint.Pool;

    public List<ReadEnd> Ends { get; } = [];

    public int PeerGone { get; private set; }

    public int Posts { get; private set; }

    public int OutOfKeys { get; private set; }

    /// <summary>Everything that arrived, from the first byte on.</summary>
    public static byte ByteAt(long index) => (byte)(index * 7);

    /// <summary>The next bytes of the stream arrive, in leases of these lengths.</summary>
    public void Arrive(params int[] lengths)
    {
        Deliver(lengths);
        Reader.OnReadable(peerClosed: false);
    }

    /// <summary>The same, but the loop has not said so yet.</summary>
    public void Deliver(params int[] lengths)
    {
        foreach (int length in lengths)
        {
            Source.Deliver(Next(length));
        }
    }

    public ExposedPages Next(int length)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = ByteAt(_arrived + i);
        }

        _arrived += length;
        return _mint.Expose(bytes);
    }

    void IReaderOwner.OnReadEnd(ReadEnd end) => Ends.Add(end);

    void IReaderOwner.OnPeerGone() => PeerGone++;

    void IReaderOwner.OnOutOfKeys(string reason, bool unreadable) => OutOfKeys++;

    void IReaderOwner.PostRead() => Posts++;

    public void Dispose()
    {
        Reader.Complete();
        Reader.Close();
        Source.Drain();
        _scratches.Dispose();
        Loop.Dispose();
        Assert.True(_mint.IsWhole(stages: 1), $"Leases are out: {_mint.Pool.Status}");
        _mint.Dispose();
    }
}
