namespace Ktls.Transport;

/// <summary>What a reader tells its connection, outside the reader's gate.</summary>
internal interface IReaderOwner
{
    /// <summary>Nothing more will be read. Told once, unless the owner ended it itself.</summary>
    void OnReadEnd(ReadEnd end);

    /// <summary>The peer's FIN arrived behind a clean end: it is gone. Told once.</summary>
    void OnPeerGone();

    /// <summary>The client changed keys where the kernel cannot: what is under way may end, nothing more may begin. Told once.</summary>
    void OnOutOfKeys();

    /// <summary>A read is wanted that this thread cannot do: call <see cref="RecordPipeReader.OnPosted"/> on the loop.</summary>
    void PostRead();
}
