using System.Collections.Immutable;

namespace Ktls.Kernel;

/// <summary>A defect of kernel TLS that a peer can reach by the way we use it, and the releases that are free of it.</summary>
/// <param name="Direction">Which direction it forbids.</param>
/// <param name="Defect">Its name, and a few words for an operator.</param>
/// <param name="FixedIn">The first fixed release of each series that got the fix.</param>
/// <param name="EverySeriesFrom">Series from this one on were fixed before their first release.</param>
internal sealed record KernelFloor(
    KernelDirection Direction, string Defect, ImmutableArray<KernelVersion> FixedIn, KernelVersion EverySeriesFrom)
{
    /// <summary>Null: free of the defect. Otherwise why that cannot be said.</summary>
    public LayerReason? Judge(KernelRelease release)
    {
        if (release.Upstream is not { } version)
        {
            return LayerReasons.SeriesNotListed(release, Defect);
        }

        if (version.IsAtLeast(EverySeriesFrom))
        {
            return null;
        }

        foreach (KernelVersion first in FixedIn)
        {
            if (version.IsSameSeries(first))
            {
                return version.IsAtLeast(first) ? null : LayerReasons.BelowFloor(release, Defect, first);
            }
        }

        return LayerReasons.SeriesNotListed(release, Defect);
    }
}

/// <summary>
/// Which releases a direction needs, as data. docs/decisions/0010-kernel-policy.md lists the defects that are no rows, and why. The
/// versions are those of the kernel's CVE records and of the stable lists.
/// </summary>
internal static class KernelFloors
{
    /// <summary>Every row; a direction needs all of its own.</summary>
    public static ImmutableArray<KernelFloor> Rows { get; } =
    [
        // Writes into the reader's memory after recv has returned. The receive defects before it (CVE-2025-39946, -39682, -38471,
        // CVE-2024-58240, -58239, -26800, -26584, -26583) are fixed below the same floors.
        new(KernelDirection.Receive, "CVE-2025-40176 (plaintext written after recv returned)",
            [new(6, 1, 158), new(6, 6, 114), new(6, 12, 55), new(6, 17, 5)], new(6, 18, 0)),

        new(KernelDirection.Transmit, "CVE-2024-0646 (writes out of bounds)",
            [new(5, 10, 208), new(5, 15, 147), new(6, 1, 69), new(6, 6, 7)], new(6, 7, 0)),

        // With CVE-2024-26584 and -26583, which are fixed below the same floors.
        new(KernelDirection.Transmit, "CVE-2024-26585 (use after free at close)",
            [new(5, 15, 165), new(6, 1, 84), new(6, 6, 18), new(6, 7, 6)], new(6, 8, 0)),

        // The peer chooses when a socket with records in flight is written to and acknowledged; the fix needs a function of 6.10 and so
        // never reached 6.6 and older.
        new(KernelDirection.Transmit, "CVE-2026-23240 (use after free at close)",
            [new(6, 12, 75), new(6, 18, 16), new(6, 19, 6)], new(7, 0, 0)),
    ];

    /// <summary>Null: no row forbids the direction. Otherwise the first that does.</summary>
    public static LayerReason? WhyNot(KernelRelease release, KernelDirection direction)
    {
        foreach (KernelFloor row in Rows)
        {
            if (row.Direction == direction && row.Judge(release) is { } reason)
            {
                return reason;
            }
        }

        return null;
    }
}
