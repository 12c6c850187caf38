using System.Globalization;
using TestKit;

namespace TlsProxy.Tests.Attacks;

/// <summary>Attacks that send one payload after another, each on a connection of its own and in each round.</summary>
internal static class SmugglingGroup
{
    /// <summary>Builds one; in what its payloads send and declare, "/00" becomes the number of the payload.</summary>
    public static Attack Create(string name, IReadOnlyList<SmugglingPayload> payloads) => new(name, async scene =>
    {
        for (int round = 0; round < Rounds; round++)
        {
            for (int index = 0; index < payloads.Count; index++)
            {
                // It tells which payload it was that reached the backend.
                string number = "/" + index.ToString("00", CultureInfo.InvariantCulture);
                foreach (Arrival arrival in payloads[index].MayArrive)
                {
                    scene.Sent.Declare(Numbered(arrival.Line), Numbered(arrival.Body), arrival.Fields);
                }

                scene.Sent.DeclareBegun("POST /front" + number, Numbered(payloads[index].Content));
                await payloads[index].SendAsync(scene, Numbered);

                string Numbered(string text) => text.Replace("/00", number);
            }
        }

        return $"{payloads.Count} payloads, {Rounds} times";
    })
    {
        // One after another; the next may come before the end of the last was seen.
        DescriptorGrowthMax = Attack.Descriptors(Math.Max(2, payloads.Count * Rounds / 8), each: 2),
    };

    private static int Rounds => TestScale.Choose(1, 20);

    /// <summary>The end of a chunked body.</summary>
    public const string Zero = "0\r\n\r\n";

    /// <summary>The request that must not arrive.</summary>
    public const string Smuggled = "GET /smuggled/00 HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

/// <summary>What a client sends, and what of it may reach a backend.</summary>
internal abstract record SmugglingPayload(Arrival[] MayArrive)
{
    /// <summary>What the body of a request that was begun may be a part of.</summary>
    public abstract string Content { get; }

    /// <summary>Sends it with its number, and reads to the end of the connection.</summary>
    public abstract Task SendAsync(AttackScene scene, Func<string, string> numbered);
}

/// <summary>A request that may reach a backend.</summary>
/// <param name="Line">Method and target.</param>
/// <param name="Body">Decoded.</param>
/// <param name="Fields">Its field lines, each with CR LF.</param>
internal sealed record Arrival(string Line, string Body = "", string Fields = "")
{
    public static implicit operator Arrival(string line) => new(line);
}
