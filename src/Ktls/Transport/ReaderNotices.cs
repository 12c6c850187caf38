namespace Ktls.Transport;

/// <summary>What a reader has to tell its owner once it has left its gate.</summary>
internal readonly record struct ReaderNotice(ReadEnd? End, bool Gone, string? OutOfKeys, bool Post);

/// <summary>Turns what happened to an intake into notices, each told once. Its owner's gate guards it; telling happens outside.</summary>
internal sealed class ReaderNotices(RecordIntake intake, IReaderOwner owner)
{
    private bool _endTold;
    private bool _goneTold;
    private bool _outOfKeysTold;

    /// <summary>The owner ended it and need not be told.</summary>
    public void EndIsKnown() => _endTold = true;

    /// <summary>What is new since the last call.</summary>
    /// <param name="post">A read has to be made on the loop.</param>
    public ReaderNotice Take(bool post)
    {
        ReadEnd? end = _endTold ? null : intake.End;
        _endTold |= end != null;
        bool gone = !_goneTold && intake.PeerClosed && intake.End is { Kind: ReadEndKind.Clean };
        _goneTold |= gone;
        string? outOfKeys = _outOfKeysTold ? null : intake.OutOfKeys;
        _outOfKeysTold |= outOfKeys != null;
        return new ReaderNotice(end, gone, outOfKeys, post);
    }

    /// <summary>Tells it. Outside the gate.</summary>
    public void Tell(in ReaderNotice notice)
    {
        if (notice.Post)
        {
            owner.PostRead();
        }

        if (notice.End != null)
        {
            owner.OnReadEnd(notice.End);
        }

        if (notice.Gone)
        {
            owner.OnPeerGone();
        }

        if (notice.OutOfKeys is { } reason)
        {
            owner.OnOutOfKeys(reason, intake.IsUnreadable);
        }
    }
}
