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
    private bool _readsStopped;
    private bool _hadError;
    private bool _secondLook;
    private TurnBudget _budget;

    // A new owner of a descriptor must try first: the edge may have gone to the handshake.
    private bool _readable = true;
    private bool _finReported;

    /// <summary>Verified bytes not yet consumed.</summary>
    public PageChain Chain { get; } = new();

    /// <summary>Why nothing more will come; null while something may.</summary>
    public ReadEnd? End { get; private set; }

    /// <summary>The end was no clean one.</summary>
    public bool Failed => End is { Kind: not ReadEndKind.Clean };

    /// <summary>The peer's FIN was reported, perhaps with data before it, or an error, which is as final for who reads.</summary>
    public bool PeerClosed { get; private set; }

    /// <summary>
    /// Why no new request may begin, as a word for metrics: a direction that is the kernel's needs other keys, which this kernel does not
    /// take. Null: it goes on.
    /// </summary>
    public string? OutOfKeys { get; private set; }

    /// <summary>What the client sends from here on is under keys that nobody here can use.</summary>
    public bool IsUnreadable => _readsStopped;

    /// <summary>A read of the loop's turn waits to be taken, whether or not somebody waits for its data.</summary>
    public bool HasReadAhead => !_closed && End == null && source.HasReadAhead;

    /// <summary>The socket reported something to read.</summary>
    /// <param name="peerClosed">The peer's FIN came, perhaps behind data.</param>
    /// <param name="hasError">The socket has an error, which a read will tell unless a send has heard it before.</param>
    public void MarkReadable(bool peerClosed, bool hasError)
    {
        _readable = true;
        PeerClosed |= peerClosed || hasError;
        _finReported |= peerClosed;
        _hadError |= hasError;
        _secondLook = true;
    }

    /// <summary>Ends it from outside, unless it has ended.</summary>
    public void EndWith(ReadEnd end) => End ??= end;

    /// <summary>Somebody waits and the socket has something: lets the source read together with the turn's others. On the loop.</summary>
    public void JoinTurn(HiddenReceive hidden)
    {
        if (!_closed && End == null && !_readsStopped)
        {
            source.JoinTurn(hidden);
        }
    }

    /// <summary>Reads until there is data, an end, or nothing more on the socket.</summary>
    public PullStatus Pull()
    {
        if (!CanRead)
        {
            return PullStatus.Done;
        }

        if (_budget.IsSpent || (source.NeedsLoop && EventLoop.Current != loop))
        {
            return PullStatus.Postponed;
        }

        if (EventLoop.Current is { } current)
        {
            PullWith(current.Scratch);
            return PullStatus.Done;
        }

        EventLoop.Nearest = loop;
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

    /// <summary>How to throw away what the peer still sends. One whose record was refused may send for long: an error is no FIN.</summary>
    public IUnreadBytes Unread => source.Unread(loop, _finReported);

    /// <summary>No receive happens after this: the descriptor gets another owner.</summary>
    public void Dispose()
    {
        if (!_closed)
        {
            _closed = true;
            source.Dispose();
        }
    }

    private bool CanRead => !_closed && End == null && !_readsStopped && (_readable || source.HasBufferedRecords);

    private void PullWith(ReceiveScratch scratch)
    {
        bool any = false;
        while (!any && CanRead && !(source.NeedsLoop && EventLoop.Current != loop))
        {
            any = ReadBatch(scratch);
        }
    }

    private bool ReadBatch(ReceiveScratch scratch)
    {
        ReadOutcome outcome = source.Read(scratch, _readable);
        if (outcome.Drained)
        {
            // A FIN gives no second edge: once it is known to be behind the data, keep reading up to it. But a socket that has nothing, not
            // even that, is looked at once more and then left alone until it reports again.
            _readable = PeerClosed && (!outcome.FoundNothing || _secondLook);
            _secondLook &= !outcome.FoundNothing;
        }

        if (outcome.Data is { } data)
        {
            _budget.Spend(data.Length);
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

        if (outcome.FoundNothing && _hadError && !_readable)
        {
            // kTLS tells once what is wrong with a header, and a send may have been the one to hear it; the receive queue is dead all the same.
            EndWith(new ReadEnd(ReadEndKind.Refused, AlertDescription.DecodeError, "The client sent something that is no record"));
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
            RequestKeys();
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
                UpdateWriteKeys();
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
        if (!source.CanUpdateKeys)
        {
            // What follows is under keys that nobody here can use.
            _readsStopped = true;
            OutOfKeys = KeyUpdateWithoutRekey;
            return;
        }

        source.UpdateKeys();
        _keysRequested = false;
    }

    private void UpdateWriteKeys()
    {
        if (sink.CanUpdateKeys)
        {
            sink.UpdateKeys(requestPeer: false);
        }
        else
        {
            OutOfKeys = KeyUpdateWithoutRekey;
        }
    }

    // The key of the client's direction is worn out. Only its own KeyUpdate renews it, and ours has to ask for that.
    private void RequestKeys()
    {
        _keysRequested = true;
        if (source.CanUpdateKeys && sink.CanUpdateKeys)
        {
            sink.UpdateKeys(requestPeer: true);
        }
        else
        {
            // It still protects some millions of records, and ends the connection when it may not.
            OutOfKeys = KeyWornOut;
        }
    }

    private const string KeyUpdateWithoutRekey = "key_update_without_rekey";
    private const string KeyWornOut = "key_worn_out";

    // Kestrel's default bound of unconsumed request bytes; a consumer that lets more pile up is not consuming.
    private const int HeldBytesMax = 1 << 20;
}
