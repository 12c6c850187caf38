using System.Net.Sockets;
using TestKit.Processes;

namespace TlsProxy.Tests.Attacks;

/// <summary>The most that was seen during an attack, less what there was before.</summary>
internal sealed record AttackPeak(long ResidentGrowth, long DescriptorGrowth);

/// <summary>Looks at a proxy again and again while it is attacked.</summary>
internal sealed class AttackWatch : IDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly ProxyProcess _proxy;
    private readonly ProxyFigures _before;
    private readonly bool _mayEnd;
    private readonly Task<AttackPeak> _watching;

    public AttackWatch(ProxyProcess proxy, ProxyFigures before, bool mayEnd)
    {
        _mayEnd = mayEnd;
        _proxy = proxy;
        _before = before;
        _watching = WatchAsync();
    }

    public async Task<AttackPeak> EndAsync()
    {
        await _end.CancelAsync();
        return await _watching;
    }

    public void Dispose() => _end.Dispose();

    private async Task<AttackPeak> WatchAsync()
    {
        AttackPeak peak = new(0, 0);
        try
        {
            while (!_end.IsCancellationRequested)
            {
                ProxyFigures now = await _proxy.LookAsync();
                peak = new AttackPeak(
                    Math.Max(peak.ResidentGrowth, now.ResidentBytes - _before.ResidentBytes),
                    Math.Max(peak.DescriptorGrowth, now.Descriptors - _before.Descriptors));
                await Task.Delay(Interval);
            }
        }
        catch (Exception e) when (_mayEnd && (e is IOException or SocketException))
        {
            // The attack was to stop it.
        }

        return peak;
    }

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(40);
}
