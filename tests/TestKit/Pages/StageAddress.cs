using Aead.Pages;

namespace TestKit.Pages;

/// <summary>Where consumers would read what a decrypt stage is writing, if anything were readable there.</summary>
public static class StageAddress
{
    /// <summary>Bytes of a slot.</summary>
    public const int SlotBytes = PagePool.SlotBytes;

    /// <summary>The first address of the stage's present slot.</summary>
    public static nint Of(DecryptStage stage) => stage.ReaderAddress;
}
