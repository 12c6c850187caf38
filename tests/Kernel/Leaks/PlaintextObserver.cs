using Ktls.Tests.ReceivePath;
using TestKit.Pages;

namespace Kernel.Tests.Leaks;

/// <summary>
/// A thread that looks at memory of this process again and again, as any other thread could, and survives where it may not look. Counts what
/// it saw.
/// </summary>
internal sealed class PlaintextObserver : IDisposable
{
    private readonly (nint Address, int Bytes)[] _ranges;
    private readonly Thread _thread;
    private volatile bool _stopped;

    public PlaintextObserver(params IEnumerable<(nint Address, int Bytes)> ranges)
    {
        _ranges = [.. ranges];
        _thread = new Thread(Watch) { IsBackground = true, Name = "observer" };
        _thread.Start();
    }

    /// <summary>Looks that were refused: the page was hidden.</summary>
    public long Hidden { get; private set; }

    /// <summary>Looks that found only zeros or verified bytes.</summary>
    public long Harmless { get; private set; }

    /// <summary>Looks that found a byte no verified record has.</summary>
    public long Unverified { get; private set; }

    /// <summary>Ends the watch; the counts are then final.</summary>
    public void Dispose()
    {
        _stopped = true;
        _thread.Join();
    }

    private void Watch()
    {
        byte[] seen = new byte[LookBytes];
        while (!_stopped)
        {
            foreach ((nint address, int bytes) in _ranges)
            {
                // The first look of a range is where a decryptor starts; the others follow it through the record.
                for (int offset = 0; offset < bytes; offset += StepBytes)
                {
                    Look(address + offset, seen.AsSpan(0, Math.Min(LookBytes, bytes - offset)));
                }
            }
        }
    }

    private void Look(nint address, Span<byte> seen)
    {
        if (!PageProbe.TryRead(address, seen))
        {
            Hidden++;
        }
        else if (ClientRecords.ShowsUnverified(seen))
        {
            Unverified++;
        }
        else
        {
            Harmless++;
        }
    }

    private const int LookBytes = 256;
    private const int StepBytes = 4096;
}
