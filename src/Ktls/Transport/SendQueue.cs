using Ktls.Kernel;

namespace Ktls.Transport;

/// <summary>Finished records on their way to a socket that passes bytes as they are.</summary>
internal sealed class SendQueue(int descriptor) : IPendingSend
{
    private readonly OutgoingPieces _pieces = new();

    public int QueuedBytes => _pieces.Bytes;

    public bool MayBeHeldBack => false;

    /// <summary>Queues a range of a block; the queue takes a reference of its own.</summary>
    public void Enqueue(OutgoingBlock block, int start, int length) => _pieces.Enqueue(block, start, length);

    public SendStatus Send()
    {
        while (QueuedBytes > 0)
        {
            ReadOnlySpan<ArraySegment<byte>> pieces = _pieces.Gather(long.MaxValue, out int asked);
            SyscallResult sent = SocketCalls.Send(descriptor, pieces);
            if (sent.RefusesRecord)
            {
                // The kernel receives, and met a bad record; telling that took the error (net/ipv4/tcp.c, sk_stream_error), so the reader has
                // to find its direction closed instead. The alert must still go out.
                SocketCalls.ShutdownRead(descriptor);
                sent = SocketCalls.Send(descriptor, pieces);
            }

            if (sent.Failed)
            {
                return sent.WouldBlock ? SendStatus.Blocked : SendStatus.Broken;
            }

            _pieces.Remove(sent.Value);
            if (sent.Value < asked)
            {
                return SendStatus.Blocked;
            }
        }

        return SendStatus.Sent;
    }

    public void Clear() => _pieces.Remove(QueuedBytes);
}
