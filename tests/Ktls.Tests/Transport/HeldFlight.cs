using TestKit.Network;

namespace Ktls.Tests.Transport;

/// <summary>
/// What a client writes after it first read is held back and leaves as one piece: its last flight, and what a test puts behind it.
/// </summary>
/// <param name="inner">The connection.</param>
/// <param name="releasesToRead">The client waits for an answer to its last flight, as in TLS 1.2.</param>
/// <param name="send">Sends what was held.</param>
internal sealed class HeldFlight(Stream inner, bool releasesToRead, Action<byte[]> send) : DirectStream
{
    private readonly MemoryStream _held = new();
    private bool _holding;

    public override int Read(byte[] buffer, int offset, int count)
    {
        if (releasesToRead)
        {
            Release();
        }

        _holding = true;
        return inner.Read(buffer, offset, count);
    }

    public override void Write(byte[] buffer, int offset, int count) => (_holding ? _held : inner).Write(buffer, offset, count);

    /// <summary>Sends what is held, if anything is.</summary>
    public void Release()
    {
        if (_held.Length > 0)
        {
            byte[] flight = _held.ToArray();
            _held.SetLength(0);
            send(flight);
        }
    }

    public override void Flush()
    {
    }

    protected override void Dispose(bool disposing)
    {
        _held.Dispose();
        base.Dispose(disposing);
    }
}
