using Aead.Keys;
using Aead.Pages;
using Ktls.Tests.Kernel;
using Ktls.Tests.Transport;
using Ktls.Transport;
using TestKit.Pages;
using TestKit.Records;

namespace Ktls.Tests.ReceivePath;

/// <summary>
/// The user-space record layer. Its AEADs are the real ones but leave behind what did not verify, as decryptors do, and let the witness look
/// while it is there.
/// </summary>
internal sealed class GuardedStoryteller(Delivery delivery) : Storyteller(
    new KeyedServer(Policy(delivery), new NoKernelSupport(), KernelPolicy.Off), new Witness(StageAddress.SlotBytes, watches: true))
{
    protected override bool IsRight(RecordLayers layers) => layers.WhyNotReceive != null;

    protected override DirectionKeys ReceiveKeys(Story story) =>
        ClientRecords.ClientKeys(LeavingSuite.Create(story.Suite, LookWhileHidden), story.Seed);

    private void LookWhileHidden(string when)
    {
        if (EventLoop.Current is { } loop)
        {
            Witness.LookAtHidden(StageAddress.Of(loop.Scratch.Stage), when);
        }

        Witness.Look(when);
    }
}
