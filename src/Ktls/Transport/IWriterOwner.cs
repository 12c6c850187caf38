namespace Ktls.Transport;

/// <summary>What a writer asks of its connection, from any thread.</summary>
internal interface IWriterOwner
{
    /// <summary>
    /// The loop is in the middle of a turn, and this is another thread: what is posted now costs no system call and waits for what else is
    /// flushed meanwhile. A flush on the loop itself must not wait for the end of what called it.
    /// </summary>
    bool IsLoopBusy { get; }

    /// <summary>Sends are due: call <see cref="RecordPipeWriter.OnPosted"/> on the loop.</summary>
    void PostSend();
}
