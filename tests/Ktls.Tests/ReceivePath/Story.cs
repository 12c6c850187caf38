using Aead;
using Aead.Pages;

namespace Ktls.Tests.ReceivePath;

/// <summary>
/// One connection as a short story: what a client sends, what somebody on the way does to it, in which pieces it arrives, and how the consumer
/// behaves. It fixes everything but the timing.
/// </summary>
/// <param name="Suite">How the records are protected.</param>
/// <param name="Delivery">How verified bytes reach the consumer.</param>
/// <param name="Records">What the client sends, in order; then its FIN.</param>
/// <param name="Tampering">What happens to the records on the way.</param>
/// <param name="Chunking">How TCP cuts what is left.</param>
/// <param name="Habits">What the consumer does with what it is given.</param>
/// <param name="Seed">Which keys the connection has.</param>
internal sealed record Story(
    CipherSuite Suite, Delivery Delivery, IReadOnlyList<SentRecord> Records, Tampering Tampering, Chunking Chunking, Habits Habits, int Seed)
{
    /// <summary>False for what no client can send and nobody can do.</summary>
    public bool IsPossible =>
        Records.All(record => record.IsPossible(Suite.Version)) && Tampering.IsPossible(Suite, Records);

    /// <summary>
    /// How many records, from the first, may be shown to the consumer: none that was tampered with, none behind it, none behind close_notify.
    /// </summary>
    public int RecordsShown
    {
        get
        {
            int untouched = Tampering.FirstTouched(Records.Count);
            int closing = Records.TakeWhile(record => record.Kind != RecordKind.CloseNotify).Count() + 1;
            return Math.Min(untouched, closing);
        }
    }

    public override string ToString() => $"""

          {Suite}, {Delivery}, keys {Seed}
          client:   {(Records.Count == 0 ? "nothing" : string.Join(", ", Records))}
          attacker: {Tampering}
          TCP:      {Chunking}
          consumer: {Habits}

        """;
}

/// <summary>What a record is for.</summary>
internal enum RecordKind
{
    /// <summary>Application data, perhaps none.</summary>
    Data,

    /// <summary>The client's next keys (TLS 1.3).</summary>
    KeyUpdate,

    /// <summary>The same, and it wants the server's.</summary>
    KeyUpdateRequest,

    /// <summary>An alert that ends nothing: user_canceled in TLS 1.3, no_renegotiation in TLS 1.2.</summary>
    Warning,

    /// <summary>The only clean end.</summary>
    CloseNotify,
}

/// <summary>One record a client sends.</summary>
/// <param name="Kind">What it is for.</param>
/// <param name="Length">Bytes of application data; 0 with the other kinds.</param>
/// <param name="Padding">Zeros behind the content type (RFC 8446 §5.4), in bytes.</param>
internal sealed record SentRecord(RecordKind Kind, int Length = 0, int Padding = 0)
{
    public bool ChangesKeys => Kind is RecordKind.KeyUpdate or RecordKind.KeyUpdateRequest;

    public bool IsPossible(TlsVersion version) => version == TlsVersion.Tls13 || (!ChangesKeys && Padding == 0);

    public override string ToString() => (Kind switch
    {
        RecordKind.Data when Length == 0 => "empty",
        RecordKind.Data => $"data {Length}",
        RecordKind.CloseNotify => "close_notify",
        RecordKind.Warning => "warning",
        RecordKind.KeyUpdateRequest => "KeyUpdate (and yours)",
        _ => "KeyUpdate",
    }) + (Padding > 0 ? $" + {Padding} padding" : "");
}

/// <summary>How TCP cuts a stream.</summary>
/// <param name="Sizes">Bytes of one piece after the other, from the start again when they are used up; none: one piece.</param>
/// <param name="Unhurried">Pauses behind each piece, so that it is received alone if anybody receives.</param>
internal sealed record Chunking(IReadOnlyList<int> Sizes, bool Unhurried)
{
    public static Chunking Whole { get; } = new([], false);

    /// <summary>The pieces of a stream, as many as make a difference; the last takes what is left.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Cut(ReadOnlyMemory<byte> stream)
    {
        for (int piece = 0; piece < PiecesMax - 1 && Sizes.Count > 0 && stream.Length > 0; piece++)
        {
            int size = Math.Min(Sizes[piece % Sizes.Count], stream.Length);
            yield return stream[..size];
            stream = stream[size..];
        }

        if (stream.Length > 0)
        {
            yield return stream;
        }
    }

    public override string ToString() =>
        (Sizes.Count == 0 ? "whole" : $"pieces of {string.Join(", ", Sizes)}") + (Unhurried ? ", one by one" : "");

    private const int PiecesMax = 48;
}

/// <summary>What a consumer keeps of memory that it has consumed.</summary>
internal enum Keeping
{
    /// <summary>Nothing, as it should.</summary>
    Nothing,

    /// <summary>References, which must have become useless.</summary>
    Memory,

    /// <summary>Pins, which must hold the bytes where they are until the end.</summary>
    Pins,
}

/// <summary>Where a consumer's code runs.</summary>
internal enum Place
{
    /// <summary>Where its read completes: mostly on the event loop.</summary>
    Inline,

    /// <summary>On the thread pool, for each step anew.</summary>
    Pool,

    /// <summary>On a thread of its own for each step.</summary>
    NewThreads,
}

/// <summary>How a consumer behaves.</summary>
/// <param name="Late">Reads only when everything has been sent.</param>
/// <param name="Tries">Asks with TryRead before it waits.</param>
/// <param name="TakesPercent">How much of what it is shown it consumes at once.</param>
/// <param name="ExaminesAll">Has looked at the rest, too, and waits for more.</param>
/// <param name="Keeps">What it keeps against the rules.</param>
/// <param name="Runs">On which thread.</param>
/// <param name="LeavesAfter">After how many reads it has had enough; 0: never.</param>
/// <param name="EndsTwice">Completes and disposes everything twice.</param>
internal sealed record Habits(
    bool Late, bool Tries, int TakesPercent, bool ExaminesAll, Keeping Keeps, Place Runs, int LeavesAfter, bool EndsTwice)
{
    public static Habits Plain { get; } = new(false, false, 100, false, Keeping.Nothing, Place.Inline, 0, false);

    public override string ToString()
    {
        List<string> words = [Late ? "late" : "at once", $"takes {TakesPercent} %", Runs switch
        {
            Place.Inline => "inline",
            Place.Pool => "on the pool",
            _ => "on new threads",
        }];
        words.AddRange(ExaminesAll ? ["examines the rest"] : []);
        words.AddRange(Tries ? ["tries first"] : []);
        words.AddRange(Keeps == Keeping.Nothing ? [] : [$"keeps {Keeps}"]);
        words.AddRange(LeavesAfter > 0 ? [$"leaves after {LeavesAfter} reads"] : []);
        words.AddRange(EndsTwice ? ["ends twice"] : []);
        return string.Join(", ", words);
    }
}
