using System.Diagnostics;
using Aead;
using Ktls.Handshake;
using TlsProxy.Config;

namespace TlsProxy.Commands;

/// <summary>Has the runtime compile the handshake well before the first client needs it.</summary>
internal static class HandshakeWarmUp
{
    public static void Run(IReadOnlyList<ListenerSettings> listeners)
    {
        using SelfHandshake self = new();
        var pairs = listeners.SelectMany(listener => listener.Identities.Select(identity => (listener.EndPoint.Options.Handshake, identity)))
            .Where(pair => SelfHandshake.SuitesOf(pair.Handshake, pair.identity).Any()).ToList();
        long start = Stopwatch.GetTimestamp();
        double ms = double.Parse(Environment.GetEnvironmentVariable("WARM_MS") ?? "0");
        int n = 0;
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < ms)
        {
            var (policy, identity) = pairs[n++ % pairs.Count];
            self.Run(policy, identity, SelfHandshake.SuitesOf(policy, identity).First());
        }
        if (ms > 0) Console.Error.WriteLine($"warm {n} in {Stopwatch.GetElapsedTime(start).TotalMilliseconds}");
    }
}
