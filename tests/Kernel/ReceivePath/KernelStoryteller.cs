using Aead.Pages;
using Aead.Records;
using Ktls;
using Ktls.Kernel;
using Ktls.Tests.ReceivePath;
using Ktls.Tests.Transport;
using Ktls.Transport;
using Xunit;

namespace Kernel.Tests.ReceivePath;

/// <summary>The kernel's record layer in both directions, with few hidden slots.</summary>
internal sealed class KernelStoryteller : Storyteller
{
    private int _judged;
    private int _exact;

    public KernelStoryteller(Delivery delivery, KernelSupport support)
        : base(new KeyedServer(Policy(delivery), support, Everything), new Witness(PinnedPages.SlotBytes, watches: false))
    {
        foreach (EventLoop loop in Server.Transport.Loops)
        {
            HiddenReadRing ring = HiddenReadRing.TryCreate(SlotsPerLoop, out SyscallResult refusal)
                ?? throw new InvalidOperationException($"io_uring: {refusal.ErrorName}");
            WatchedRing watched = new(ring, Witness);
            PinnedPages pages = PinnedPages.Create(Server.Pages, watched, SlotsPerLoop, loop.Nudge);
            watched.Learn(pages);
            loop.Hidden = new HiddenReceive(watched, pages);
        }
    }

    public override string Remark => $", {_exact} of {_judged} prefixes as long as can be";

    protected override bool IsRight(RecordLayers layers) => layers == new RecordLayers(null, null);

    protected override bool HasEverythingBack =>
        base.HasEverythingBack && Server.Transport.Loops.ToArray().All(loop => loop.Hidden!.Pages.SlotsOut == 0);

    /// <summary>
    /// An authentic prefix; whether it is the longest is the kernel's business. Which alert a refused client is sent differs from kernel to
    /// kernel, but it is sent one. It looks at no header before the explicit nonce has come, too (tls_rx_msg_size in net/tls/tls_sw.c): a FIN
    /// before that is a truncation, whatever the header says.
    /// </summary>
    protected override void Judge(Story story, Expectation expected, Consumer consumer, End end, AlertDescription? alert)
    {
        byte[] seen = consumer.Seen;
        Assert.True(expected.Data.AsSpan().StartsWith(seen), $"The consumer saw {seen.Length} bytes that are no authentic prefix; {end}.");
        if (end == End.Left)
        {
            return;
        }

        _judged++;
        _exact += seen.Length == expected.Data.Length ? 1 : 0;
        if (!(end == End.Truncated && expected.RestLength < RecordHeader.Length + story.Suite.ExplicitNonceLength))
        {
            Assert.Equal(expected.End, end);
        }

        Assert.True(end == End.Refused || seen.Length == expected.Data.Length, $"Only {seen.Length} bytes came, although nothing was wrong with the rest.");
        Assert.Equal(end == End.Truncated, alert == null);
    }

    private static readonly KernelPolicy Everything =
        new() { Transmit = KernelUse.On, Receive = KernelUse.On, Accept = [KernelRelease.Read().Name] };

    private const int SlotsPerLoop = 4;
}
