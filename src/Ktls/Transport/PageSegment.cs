using System.Buffers;
using Aead.Pages;

namespace Ktls.Transport;

/// <summary>One lease in the chain a reader shows its consumer. Made per batch and never reused, so that a stale sequence stays stale.</summary>
internal sealed class PageSegment : ReadOnlySequenceSegment<byte>
{
    public PageSegment(ExposedPages pages, long runningIndex, long sinceTick)
    {
        SinceTick = sinceTick;
        Pages = pages;
        Memory = pages.Memory;
        RunningIndex = runningIndex;
    }

    /// <summary>The lease; the chain owns it.</summary>
    public ExposedPages Pages { get; }

    /// <summary>When its bytes verified, in <see cref="Environment.TickCount64"/>.</summary>
    public long SinceTick { get; }

    /// <summary>The next one.</summary>
    public PageSegment? Following
    {
        get => (PageSegment?)Next;
        set => Next = value;
    }

    /// <summary>Index behind the last byte, counted from the start of the connection.</summary>
    public long EndIndex => RunningIndex + Memory.Length;
}
