using Aead.Algorithms;
using Aead.Pages;
using Aead.Records;

namespace Ktls.Transport;

/// <summary>What one read of a record source came to. Application data, if any, comes before it.</summary>
internal enum ReadStatus
{
    /// <summary>Nothing more than the data: ask again, or wait for readability when drained.</summary>
    Data,

    /// <summary>A verified record that is not application data.</summary>
    Control,

    /// <summary>The peer's FIN. Clean only if its close_notify came before.</summary>
    EndOfStream,

    /// <summary>The peer is wrong: the alert says how.</summary>
    Rejected,

    /// <summary>The socket failed.</summary>
    Broken,
}

/// <summary>The outcome of one read. The receiver owns <see cref="Data"/>.</summary>
internal readonly struct ReadOutcome
{
    /// <summary>What comes behind the data.</summary>
    public ReadStatus Status { get; init; }

    /// <summary>Verified application data, or null.</summary>
    public ExposedPages? Data { get; init; }

    /// <summary>True when the socket held no more at this moment: wait for its next edge.</summary>
    public bool Drained { get; init; }

    /// <summary>True when the socket held nothing at all, not even part of a record or the peer's FIN.</summary>
    public bool FoundNothing { get; init; }

    /// <summary>With Control: the content type.</summary>
    public ContentType ControlType { get; init; }

    /// <summary>With Control: the fragment.</summary>
    public ReadOnlyMemory<byte> Control { get; init; }

    /// <summary>With Rejected: what to tell the peer.</summary>
    public AlertDescription Alert { get; init; }

    /// <summary>With Broken: the error by name.</summary>
    public string? Failure { get; init; }
}

/// <summary>
/// The receiving half of a record layer, one of two answers to the same question: "give me the next batch of application data". Never waits.
/// Not thread-safe: the reader's lock guards it.
/// </summary>
internal interface IRecordSource : IDisposable
{
    /// <summary>True when received records wait to be decrypted, whatever the socket says.</summary>
    bool HasBufferedRecords { get; }

    /// <summary>Its next read must be made by the loop's thread, which alone may use the loop's hidden pages.</summary>
    bool NeedsLoop => false;

    /// <summary>A read that joined the loop's turn has completed and is taken by the next <see cref="Read"/>, within the turn.</summary>
    bool HasReadAhead => false;

    /// <summary>False: a KeyUpdate ends this direction, because the kernel that decrypts it cannot change keys.</summary>
    bool CanUpdateKeys => true;

    /// <summary>What the usage limit demands of the peer's key.</summary>
    UsageAction Usage { get; }

    /// <summary>The socket is ready and a consumer waits: lets the read be made together with those of the turn's other sockets.</summary>
    void JoinTurn(HiddenReceive hidden)
    {
    }

    /// <summary>Reads one batch of as many records as are there.</summary>
    /// <param name="scratch">What to read with.</param>
    /// <param name="receive">False: only what is buffered; the socket is known to be empty.</param>
    ReadOutcome Read(ReceiveScratch scratch, bool receive);

    /// <summary>The peer announced its next keys: they protect the next record.</summary>
    void UpdateKeys();

    /// <summary>How to throw away what the peer still sends. Also after the end and after Dispose.</summary>
    /// <param name="loop">The loop that reports the socket.</param>
    /// <param name="peerClosed">The peer's FIN was reported.</param>
    IUnreadBytes Unread(EventLoop loop, bool peerClosed);
}
