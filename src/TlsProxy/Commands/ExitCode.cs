namespace TlsProxy.Commands;

/// <summary>What scripts may rely on; docs/operations.md lists them.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The configuration is invalid; every error was printed.</summary>
    public const int Configuration = 1;

    /// <summary>Unknown command or option.</summary>
    public const int Usage = 2;

    /// <summary>
    /// The configuration is valid, but this machine does not allow it now: a port in use, pages that cannot
    /// be locked, kernel TLS that is On and cannot be had.
    /// </summary>
    public const int CouldNotStart = 3;

    /// <summary>EX_SOFTWARE of sysexits.h: a fault of this program.</summary>
    public const int Internal = 70;
}
