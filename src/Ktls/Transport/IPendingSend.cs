namespace Ktls.Transport;

/// <summary>How far a send came.</summary>
internal enum SendStatus
{
    /// <summary>Everything queued is with the kernel.</summary>
    Sent,

    /// <summary>The socket is full: wait for writability.</summary>
    Blocked,

    /// <summary>The connection is gone.</summary>
    Broken,
}

/// <summary>What is finished and waits for the socket, in order. Not thread-safe: its owner's lock guards it.</summary>
internal interface IPendingSend
{
    /// <summary>Bytes not yet taken by the kernel.</summary>
    int QueuedBytes { get; }

    /// <summary>
    /// True: what the kernel has taken need not be with TCP yet. kTLS keeps what a full socket had no room for, passes on what it can with
    /// every later send, and forgets the rest when the FIN is sent.
    /// </summary>
    bool MayBeHeldBack { get; }

    /// <summary>Sends until nothing is left or the socket is full.</summary>
    SendStatus Send();

    /// <summary>
    /// Drops what is left and gives blocks and keys back. Whoever owns it calls this at last, also when everything was sent.
    /// </summary>
    void Clear();
}
