using System.Globalization;
using System.Text.RegularExpressions;

namespace Ktls.Kernel;

/// <summary>A version of Linux as kernel.org numbers it.</summary>
/// <param name="Major">6 of 6.1.158.</param>
/// <param name="Minor">1 of 6.1.158; together with the major number it names the series.</param>
/// <param name="Patch">158 of 6.1.158.</param>
/// <param name="IsCandidate">A release candidate: older than the series' first release.</param>
internal readonly record struct KernelVersion(int Major, int Minor, int Patch, bool IsCandidate = false)
{
    /// <summary>True when both belong to one series, for example 6.1.</summary>
    public bool IsSameSeries(KernelVersion other) => Major == other.Major && Minor == other.Minor;

    /// <summary>True when this one came out at the same time as the other or later, as far as numbers of one series tell.</summary>
    public bool IsAtLeast(KernelVersion other) => Order.CompareTo(other.Order) >= 0;

    public override string ToString() => IsCandidate ? $"{Major}.{Minor}-rc" : $"{Major}.{Minor}.{Patch}";

    private (int, int, int) Order => (Major, Minor, IsCandidate ? -1 : Patch);
}

/// <summary>The kernel this process runs on, by its own name and by the upstream version it was made from.</summary>
/// <param name="Name">What "uname -r" prints; a setting Accept is compared with it.</param>
/// <param name="Upstream">Null when neither the kernel nor its vendor states one that can be read.</param>
internal sealed partial record KernelRelease(string Name, KernelVersion? Upstream)
{
    /// <summary>Asks /proc.</summary>
    public static KernelRelease Read() => Parse(
        File.ReadAllText("/proc/sys/kernel/osrelease"),
        File.ReadAllText("/proc/sys/kernel/version"),
        File.Exists(UbuntuSignature) ? File.ReadAllText(UbuntuSignature) : "");

    /// <summary>
    /// Debian and Ubuntu freeze the number in "uname -r" and state the upstream version elsewhere. A statement about another series than
    /// that of "uname -r" is not about this kernel and is ignored.
    /// </summary>
    /// <param name="release">"uname -r", for example 6.1.0-56-cloud-amd64.</param>
    /// <param name="build">"uname -v", for example #1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-01).</param>
    /// <param name="signature">/proc/version_signature, for example Ubuntu 6.8.0-45.45-generic 6.8.12; empty where there is none.</param>
    public static KernelRelease Parse(string release, string build, string signature)
    {
        string name = release.Trim();
        KernelVersion? own = ToVersion(LeadingVersion().Match(name)) is { } version
            ? version with { IsCandidate = version.IsCandidate || Candidate().IsMatch(name) }
            : null;
        KernelVersion? stated = ToVersion(UbuntuStatement().Match(signature)) ?? ToVersion(DebianStatement().Match(build));
        bool isAboutThis = stated is { } vendor && own is { } kernel && vendor.IsSameSeries(kernel);
        return new KernelRelease(name, isAboutThis ? stated : own);
    }

    /// <summary>The name, and the upstream version where the name does not say it.</summary>
    public override string ToString() => Upstream is { } version && !Name.StartsWith(version.ToString(), StringComparison.Ordinal)
        ? $"{Name} (upstream {version})"
        : Name;

    private static KernelVersion? ToVersion(Match match)
    {
        if (!match.Success || !TryNumber("major", out int major) || !TryNumber("minor", out int minor))
        {
            return null;
        }

        int patch = 0;
        bool isNumbered = !match.Groups["patch"].Success || TryNumber("patch", out patch);
        return isNumbered ? new KernelVersion(major, minor, patch, match.Groups["candidate"].Success) : null;

        bool TryNumber(string group, out int number) =>
            int.TryParse(match.Groups[group].Value, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    // 6.1.158, 6.18.0-rc3, 6.7-rc5, 5.15.167.4-microsoft-standard-WSL2, 6.6.51+rpt-rpi-v8.
    [GeneratedRegex(@"^(?<major>\d+)\.(?<minor>\d+)(\.(?<patch>\d+))?(?<candidate>-rc\d+)?(?![\d])")]
    private static partial Regex LeadingVersion();

    // Fedora's 7.0.0-0.rc1.123.fc44, Ubuntu mainline's 6.18.0-061800rc1-generic.
    [GeneratedRegex(@"rc\d")]
    private static partial Regex Candidate();

    // Debian 6.1.192-2, Debian 7.3~rc7-1~exp1, Raspberry Pi's Debian 1:6.6.51-1+rpt3. Not the compiler's "(Debian 12.2.0-14)" of
    // /proc/version, which "uname -v" does not have.
    [GeneratedRegex(@"\bDebian (\d+:)?(?<major>\d+)\.(?<minor>\d+)(\.(?<patch>\d+))?(?<candidate>~rc\d+)?-")]
    private static partial Regex DebianStatement();

    [GeneratedRegex(@"^Ubuntu \S+ (?<major>\d+)\.(?<minor>\d+)(\.(?<patch>\d+))?(?<candidate>-rc\d+)?\s*$")]
    private static partial Regex UbuntuStatement();

    private const string UbuntuSignature = "/proc/version_signature";
}
