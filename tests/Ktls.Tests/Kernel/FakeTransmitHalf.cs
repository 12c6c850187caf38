using Aead.Records;
using Ktls.Kernel;
using Tmds.Linux;

namespace Ktls.Tests.Kernel;

/// <summary>The sending half of a fake kTLS socket: the records it made and the room it has for more.</summary>
internal sealed class FakeTransmitHalf(FakeDirection direction)
{
    private readonly Queue<int> _accepts = new();

    /// <summary>Bytes of plaintext the socket still takes.</summary>
    public long Room { get; set; } = long.MaxValue;

    /// <summary>The peer is gone.</summary>
    public bool IsBroken { get; set; }

    public List<FakeRecord> Sent { get; } = [];

    /// <summary>Each of the next sends takes so many bytes at most; 0 is a full socket.</summary>
    public void Accept(IEnumerable<int> bytes)
    {
        foreach (int next in bytes)
        {
            _accepts.Enqueue(next);
        }
    }

    public SyscallResult Send(ReadOnlySpan<ArraySegment<byte>> pieces)
    {
        byte[] all = [.. pieces.ToArray().SelectMany(piece => piece)];
        int room = NextRoom();
        if (IsBroken || (room == 0 && all.Length > 0))
        {
            return SyscallResult.FromError(IsBroken ? LibC.EPIPE : LibC.EAGAIN);
        }

        int taken = Math.Min(all.Length, room);
        Room -= taken;
        foreach (byte[] content in all.Take(taken).Chunk(RecordHeader.PlaintextLengthMax))
        {
            Add(ContentType.ApplicationData, content);
        }

        return SyscallResult.FromCompletion(taken);
    }

    public SyscallResult SendControl(ContentType type, ReadOnlySpan<byte> fragment)
    {
        if (IsBroken || NextRoom() < fragment.Length)
        {
            return SyscallResult.FromError(IsBroken ? LibC.EPIPE : LibC.EAGAIN);
        }

        Room -= fragment.Length;
        Add(type, fragment.ToArray());
        return SyscallResult.FromCompletion(fragment.Length);
    }

    private int NextRoom() => (int)Math.Min(_accepts.TryDequeue(out int accepts) ? accepts : int.MaxValue, Room);

    private void Add(ContentType type, byte[] content)
    {
        Sent.Add(new FakeRecord(type, content) { KeyGeneration = direction.KeyGeneration });
        direction.SequenceNumber++;
    }
}
