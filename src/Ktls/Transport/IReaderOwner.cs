namespace Ktls.Transport;

/// <summary>What a reader tells its connection, outside the reader's gate.</summary>
internal interface IReaderOwner
{
    /// <summary>Nothing more will be read. Told once, unless the owner ended it itself.</summary>
    void OnReadEnd(ReadEnd end);

    /// <summary>The peer's FIN arrived behind a clean end: it is gone. Told once.</summary>
    void OnPeerGone();

    /// <summary>A direction needs keys that the kernel does not take: what is under way may end, nothing more may begin. Told once.</summary>
    /// <param name="reason">A word for metrics.</param>
    /// <param name="unreadable">What the client still sends cannot be read.</param>
    void OnOutOfKeys(string reason, bool unreadable);

    /// <summary>A read is wanted that this thread cannot do: call <see cref="RecordPipeReader.OnPosted"/> on the loop.</summary>
    void PostRead();
}
