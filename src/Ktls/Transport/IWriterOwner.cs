namespace Ktls.Transport;

/// <summary>What a writer asks of its connection, from any thread.</summary>
internal interface IWriterOwner
{
    /// <summary>The loop is in the middle of a turn: what is posted now costs no system call and waits for what else is flushed meanwhile.</summary>
    bool IsLoopAwake { get; }

    /// <summary>Sends are due: call <see cref="RecordPipeWriter.OnPosted"/> on the loop.</summary>
    void PostSend();
}
