using Aead.Algorithms;
using Aead.Pages;
using Aead.Records;
using Ktls.Transport;

namespace Ktls.Tests.Transport;

/// <summary>A record layer that receives what the test says, in order; then its socket is empty.</summary>
internal sealed class FakeRecordSource : IRecordSource
{
    private readonly Queue<ReadOutcome> _outcomes = new();

    public bool HasBufferedRecords => false;

    public UsageAction Usage { get; set; }

    /// <summary>Every read takes all its socket held, as a short receive does.</summary>
    public bool DrainsEachTime { get; set; }

    public int Reads { get; private set; }

    public int KeyUpdates { get; private set; }

    public bool IsDisposed { get; private set; }

    public void Deliver(ExposedPages pages) => _outcomes.Enqueue(new ReadOutcome { Data = pages });

    public void Deliver(ContentType type, params byte[] fragment) =>
        _outcomes.Enqueue(new ReadOutcome { Status = ReadStatus.Control, ControlType = type, Control = fragment });

    /// <summary>close_notify in the same batch as data.</summary>
    public void CloseBehind(ExposedPages data) => _outcomes.Enqueue(new ReadOutcome
    {
        Status = ReadStatus.Control,
        ControlType = ContentType.Alert,
        Control = new byte[] { 1, 0 },
        Data = data,
    });

    public void Finish() => _outcomes.Enqueue(new ReadOutcome { Status = ReadStatus.EndOfStream });

    public void Break() => _outcomes.Enqueue(new ReadOutcome { Status = ReadStatus.Broken, Failure = "ECONNRESET" });

    public void Reject(AlertDescription alert, ExposedPages? before = null) =>
        _outcomes.Enqueue(new ReadOutcome { Status = ReadStatus.Rejected, Alert = alert, Data = before });

    public ReadOutcome Read(ReceiveScratch scratch, bool receive)
    {
        Reads++;
        return _outcomes.TryDequeue(out ReadOutcome outcome) ? With(outcome, DrainsEachTime) : new ReadOutcome { Drained = true, FoundNothing = true };
    }

    /// <summary>Gives back what nobody asked for.</summary>
    public void Drain()
    {
        while (_outcomes.TryDequeue(out ReadOutcome outcome))
        {
            ((IDisposable?)outcome.Data)?.Dispose();
        }
    }

    private static ReadOutcome With(ReadOutcome outcome, bool drained) => new()
    {
        Status = outcome.Status,
        Data = outcome.Data,
        Drained = drained,
        ControlType = outcome.ControlType,
        Control = outcome.Control,
        Alert = outcome.Alert,
        Failure = outcome.Failure,
    };

    public bool NeedsLoop { get; set; }

    public bool CanUpdateKeys { get; set; } = true;

    public void UpdateKeys() => KeyUpdates++;

    /// <summary>What was last said about the peer's FIN when its unread bytes were asked for.</summary>
    public bool? UnreadBehindFin { get; private set; }

    public IUnreadBytes Unread(EventLoop loop, bool peerClosed)
    {
        UnreadBehindFin = peerClosed;
        return new PlainUnreadBytes(-1);
    }

    public void Dispose() => IsDisposed = true;
}
