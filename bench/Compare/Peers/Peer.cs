namespace Bench.Compare.Peers;

/// <summary>What a peer understands, which decides which work it can be given.</summary>
internal enum PeerKind
{
    /// <summary>Terminates TLS and forwards HTTP, choosing the origin by path; HTTP/1.1 and HTTP/2.</summary>
    HttpProxy,

    /// <summary>Terminates TLS and relays bytes to one origin.</summary>
    Relay,
}

/// <summary>One of the proxies side by side.</summary>
/// <param name="Name">As --only and the tables call it.</param>
/// <param name="Kind">What it understands.</param>
/// <param name="IsDotNet">Whether its code becomes fast by being used, so that it must be warmed up.</param>
/// <param name="Command">The program and its arguments.</param>
/// <param name="Environment">Variables beside the inherited ones.</param>
internal sealed record Peer(
    string Name, PeerKind Kind, bool IsDotNet, IReadOnlyList<string> Command, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>The peer all ratios are about.</summary>
    public const string Ours = "ours";
}
