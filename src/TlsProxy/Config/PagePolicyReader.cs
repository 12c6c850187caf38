using Aead.Pages;

namespace TlsProxy.Config;

/// <summary>Parses "TlsProxy:Pages" into a <see cref="PagePolicy"/>.</summary>
internal static class PagePolicyReader
{
    public static PagePolicy Read(PageOptions options, ConfigReport report)
    {
        if (options.MaxMegabytes is < MegabytesMin or > MegabytesMax)
        {
            report.Error(
                $"{Path}:MaxMegabytes",
                $"{options.MaxMegabytes} is out of range; write {MegabytesMin} to {MegabytesMax}.");
        }

        if (options.FlipThreshold is < 1)
        {
            report.Error(
                $"{Path}:FlipThreshold",
                $"{options.FlipThreshold} is not a number of bytes; write 1 or more, or null for never ('TlsProxy doctor' measures it).");
        }

        if (options.FlipThreshold is not null && options.Delivery != Delivery.Auto)
        {
            report.Error(
                $"{Path}:FlipThreshold",
                $"has a meaning with Delivery Auto only, but Delivery is {options.Delivery}; remove one of the two.");
        }

        return new PagePolicy
        {
            Delivery = options.Delivery,
            FlipThreshold = options.FlipThreshold ?? PagePolicy.NeverFlip,
            BytesMax = (long)options.MaxMegabytes << 20,
            Locking = options.Locking,
        };
    }

    private const string Path = "TlsProxy:Pages";

    // Below 4 MiB not even the loops of a small machine find a slot each.
    private const int MegabytesMin = 4;

    // 1 TiB: beyond it the number is a mistake of units.
    private const int MegabytesMax = 1 << 20;
}
