using Ktls.Kernel;

namespace Ktls.Transport;

/// <summary>Finished records on their way to a socket that passes bytes as they are.</summary>
internal sealed class SendQueue(int descriptor) : IPendingSend
{
    private readonly OutgoingPieces _pieces = new();

    public int QueuedBytes => _pieces.Bytes;

    public bool MayBeHeldBack => false;

    /// <summary>
    /// What is queued last is the alert. Where the kernel receives, a send can be the one that hears of a bad record: it is the receiver's to
    /// hear, which then closes, and until then nothing goes. After that the alert that says so must still go out.
    /// </summary>
    public bool IsClosing { get; set; }

    /// <summary>Queues a range of a block; the queue takes a reference of its own.</summary>
    public void Enqueue(OutgoingBlock block, int start, int length) => _pieces.Enqueue(block, start, length);

    /// <summary>What a send that failed means for what is queued: a record the other direction refuses only keeps it waiting.</summary>
    public static SendStatus StatusOf(SyscallResult failure) =>
        failure.WouldBlock || failure.RefusesRecord ? SendStatus.Blocked : SendStatus.Broken;

    public SendStatus Send()
    {
        while (QueuedBytes > 0)
        {
            ReadOnlySpan<ArraySegment<byte>> pieces = _pieces.Gather(long.MaxValue, out int asked);
            SyscallResult sent = SocketCalls.Send(descriptor, pieces);
            if (sent.RefusesRecord && IsClosing)
            {
                // Telling it took the error (net/ipv4/tcp.c, sk_stream_error).
                sent = SocketCalls.Send(descriptor, pieces);
            }

            if (sent.Failed)
            {
                return StatusOf(sent);
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
