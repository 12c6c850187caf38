using Aead.Algorithms;
using Aead.Records;

namespace Ktls.Transport;

/// <summary>How a pull ended.</summary>
internal enum PullStatus
{
    /// <summary>As far as it could: data was added, or the end came, or the socket is empty.</summary>
    Done,

    /// <summary>This thread cannot read now: ask the loop.</summary>
    Postponed,
}

/// <summary>
/// Takes records from a source: data into the chain, control records to their consequences, and at last the reason why nothing more comes.
/// Not thread-safe: the reader's lock guards it.
/// </summary>
internal sealed class RecordIntake(
    IRecordSource source, IRecordSink sink, PostHandshake postHandshake, ScratchPool scratches, EventLoop loop) : IDisposable
{
    private bool _keysRequested;
    private bool _closed;
    private int _turn;
    private int _turnBytes;

    // A new owner of a descriptor must try first: the edge may have gone to the handshake.
    private bool _readable = true;

    /// <summary>Verified bytes not yet consumed.</summary>
    public PageChain Chain { get; } = new();

    /// <summary>Why nothing more will come; null while something may.</summary>
    public ReadEnd? End { get; private set; }

    /// <summary>The end was no clean one.</summary>
    public bool Failed => End is { Kind: not ReadEndKind.Clean };

    /// <summary>The peer's FIN was reported, perhaps with data before it.</summary>
    public bool PeerClosed { get; private set; }

    /// <summary>The socket reported something to read.</summary>
    public void MarkReadable(bool peerClosed)
    {
        _readable = true;
        PeerClosed |= peerClosed;
    }

    /// <summary>Ends it from outside, unless it has ended.</summary>
    public void EndWith(ReadEnd end) => End ??= end;

    /// <summary>Reads until there is data, an end, or nothing more on the socket.</summary>
    public PullStatus Pull()
    {
        if (!CanRead)
        {
            return PullStatus.Done;
        }

        if (IsTurnSpent())
        {
            return PullStatus.Postponed;
        }

        if (EventLoop.Current is { } current)
        {
            PullWith(current.Scratch);
            return PullStatus.Done;
        }

        if (!scratches.TryRent(out ReceiveScratch? rented))
        {
            return PullStatus.Postponed;
        }

        try
        {
            PullWith(rented);
        }
        finally
        {
            scratches.Return(rented);
        }

        return PullStatus.Done;
    }

    /// <summary>No receive happens after this: the descriptor gets another owner.</summary>
    public void Dispose()
    {
        if (!_closed)
        {
            _closed = true;
            source.Dispose();
        }
    }

    private bool CanRead => !_closed && End == null && (_readable || source.HasBufferedRecords);

    private void PullWith(ReceiveScratch scratch)
    {
        bool any = false;
        while (!any && CanRead)
        {
            any = ReadBatch(scratch);
        }
    }

    private bool ReadBatch(ReceiveScratch scratch)
    {
        ReadOutcome outcome = source.Read(scratch, _readable);
        if (outcome.Drained)
        {
            // A FIN gives no second edge: once it is known to be behind the data, keep reading up to it.
            _readable = PeerClosed;
        }

        if (outcome.Data is { } data)
        {
            _turnBytes += data.Length;
            Chain.Append(data);
        }

        switch (outcome.Status)
        {
            case ReadStatus.Control:
                Obey(outcome);
                break;
            case ReadStatus.EndOfStream:
                End = ReadEnd.Truncated;
                break;
            case ReadStatus.Rejected:
                End = new ReadEnd(ReadEndKind.Refused, outcome.Alert, "The client sent a record that does not verify or breaks the protocol");
                break;
            case ReadStatus.Broken:
                End = new ReadEnd(ReadEndKind.Broken, default, $"The connection failed: {outcome.Failure}");
                break;
        }

        if (Chain.Length > HeldBytesMax)
        {
            EndWith(new ReadEnd(ReadEndKind.Refused, AlertDescription.InternalError, "More of the client's message is held than may be"));
        }

        if (End != null)
        {
            // Nothing behind the end is ever looked at: what is kept of it can go.
            Dispose();
        }
        else if (source.Usage == UsageAction.UpdateKeys && !_keysRequested)
        {
            _keysRequested = true;
            sink.UpdateKeys(requestPeer: true);
        }

        return outcome.Data != null;
    }

    private void Obey(in ReadOutcome outcome)
    {
        switch (postHandshake.Judge(outcome.ControlType, outcome.Control.Span))
        {
            case PostHandshakeAction.UpdateReadKeys:
                UpdateReadKeys();
                break;
            case PostHandshakeAction.UpdateBothKeys:
                UpdateReadKeys();
                sink.UpdateKeys(requestPeer: false);
                break;
            case PostHandshakeAction.DeclineRenegotiation:
                sink.WriteControl(ContentType.Alert, PostHandshake.AlertMessage(AlertDescription.NoRenegotiation));
                break;
            case PostHandshakeAction.EndOfData:
                End = ReadEnd.Clean;
                break;
            case PostHandshakeAction.PeerAborted:
                End = new ReadEnd(ReadEndKind.PeerAborted, postHandshake.Alert, $"The client sent the fatal alert {postHandshake.Alert}");
                break;
            case PostHandshakeAction.Refuse:
                End = new ReadEnd(ReadEndKind.Refused, postHandshake.Alert, $"The client broke the protocol: {postHandshake.Reason}");
                break;
        }
    }

    private void UpdateReadKeys()
    {
        source.UpdateKeys();
        _keysRequested = false;
    }

    // One upload on a fast network always finds more to read; the other connections of the loop want their turn.
    private bool IsTurnSpent()
    {
        if (EventLoop.Current != loop)
        {
            return false;
        }

        if (_turn != loop.Turn)
        {
            (_turn, _turnBytes) = (loop.Turn, 0);
        }

        return _turnBytes >= TurnBytesMax;
    }

    // One dispatch of one connection; then the others.
    private const int TurnBytesMax = 1 << 20;

    // Kestrel's default bound of unconsumed request bytes; a consumer that lets more pile up is not consuming.
    private const int HeldBytesMax = 1 << 20;
}
