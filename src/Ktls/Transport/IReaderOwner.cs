namespace Ktls.Transport;

/// <summary>What a reader tells its connection, outside the reader's gate.</summary>
internal interface IReaderOwner
{
    /// <summary>Nothing more will be read. Told once, unless the owner ended it itself.</summary>
    void OnReadEnd(ReadEnd end);

    /// <summary>The peer's FIN arrived behind a clean end: it is gone. Told once.</summary>
    void OnPeerGone();

    /// <summary>A read is wanted that this thread cannot do: call <see cref="RecordPipeReader.OnPosted"/> on the loop.</summary>
    void PostRead();
}
