namespace TlsProxy.Tests.Attacks;

/// <summary>All attacks, by name.</summary>
internal static class AttackCatalogue
{
    public static IReadOnlyList<Attack> All { get; } =
    [
        .. HandshakeAttacks.All, .. StormAttacks.All, .. SlowAttacks.All, .. RecordAttacks.All, .. HeaderAttacks.All, .. Http2Floods.All,
        .. SmugglingAttacks.All, .. Http2SmugglingAttacks.All, .. ExhaustionAttacks.All, .. EndAttacks.All,
    ];
}
