using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Aead;
using Aead.Pages;
using Ktls;
using Ktls.Handshake;
using Ktls.Kernel;

namespace TlsProxy.Commands;

/// <summary>
/// What this machine offers, and which settings follow from it. Each line: subject, finding, and what to do
/// where something can be.
/// </summary>
internal static class DoctorCommand
{
    public static async Task<int> RunAsync(TextWriter output)
    {
        await PrintMachineAsync(output);
        await PrintKernelTlsAsync(output);
        await PrintLimitsAsync(output);
        await PrintTlsAsync(output);
        await PrintPagesAsync(output);
        return ExitCode.Ok;
    }

    private static async Task PrintMachineAsync(TextWriter output)
    {
        await LineAsync(output, "program", $"TlsProxy {CommandLine.Version}, {RuntimeInformation.FrameworkDescription}");
        await LineAsync(output, "processors", $"{Environment.ProcessorCount} ({RuntimeInformation.ProcessArchitecture}), one event loop each");
        await LineAsync(output, "page size", $"{Environment.SystemPageSize} bytes");
    }

    private static async Task PrintKernelTlsAsync(TextWriter output)
    {
        foreach (KernelTlsLine line in KernelTls.OfThisMachine().Lines())
        {
            await LineAsync(output, line.Subject, line.Finding);
        }
    }

    private static async Task PrintLimitsAsync(TextWriter output)
    {
        long? lockable = ReadLimit("Max locked memory");
        await LineAsync(
            output,
            "locked memory",
            lockable is null || Environment.IsPrivilegedProcess
                ? "unlimited (RLIMIT_MEMLOCK)"
                : $"{lockable >> 20} MiB (RLIMIT_MEMLOCK); the pool shrinks to it. More: LimitMEMLOCK=256M in a systemd unit");

        long? files = ReadLimit("Max open files");
        await LineAsync(
            output,
            "open files",
            files is null
                ? "unlimited (RLIMIT_NOFILE)"
                : $"{files} (RLIMIT_NOFILE), about {files / DescriptorsPerConnection} proxied connections. More: LimitNOFILE= in a systemd unit");
        await LineAsync(
            output,
            "core dumps",
            ProcessHardening.IsDumpable
                ? "possible, and they would hold keys: set LimitCORE=0 in a systemd unit"
                : $"off (not dumpable, RLIMIT_CORE {ReadLimit("Max core file size")?.ToString(CultureInfo.InvariantCulture) ?? "unlimited"})");
    }

    private static async Task PrintTlsAsync(TextWriter output)
    {
        await LineAsync(output, "OpenSSL", DescribeOpenSsl(SafeEvpPKeyHandle.OpenSslVersion));
        await LineAsync(
            output,
            "AES hardware",
            System.Runtime.Intrinsics.X86.Aes.IsSupported || System.Runtime.Intrinsics.Arm.Aes.IsSupported
                ? "yes"
                : "no; put TLS_CHACHA20_POLY1305_SHA256 first in CipherSuites");
        await LineAsync(output, "cipher suites", string.Join(", ", CipherSuite.All.Select(s => s.Name)));
        await LineAsync(output, "groups", string.Join(", ", KeyExchangeGroup.All.Select(g => g.Name)));
    }

    private static async Task PrintPagesAsync(TextWriter output)
    {
        try
        {
            using PagePool pool = PagePool.Create(new PagePolicy(), Environment.ProcessorCount);
            PagePoolStatus status = pool.Status;
            await LineAsync(output, "page pool", $"up to {status.SlotsMax} slots of {status.SlotBytes >> 10} KiB");
            if (status.Notice is not null)
            {
                await LineAsync(output, "", status.Notice);
            }

            FlipCostReport costs = FlipCost.Measure();
            foreach (FlipCostRow row in costs.Rows)
            {
                await LineAsync(
                    output,
                    "flip or copy",
                    $"{row.Bytes >> 10,4} KiB: flip {row.FlipNanoseconds / 1000:F1} us, copy {row.CopyNanoseconds / 1000:F1} us");
            }

            await LineAsync(
                output,
                "n*",
                costs.BreakEvenBytes is { } threshold
                    ? $"{threshold} bytes; to use it, write \"Pages\": {{ \"FlipThreshold\": {threshold} }}"
                    : "never: a copy is cheaper at every size, which is what \"FlipThreshold\": null (the default) means");
        }
        catch (PagePoolException e)
        {
            await LineAsync(output, "page pool", e.Message);
        }
    }

    private static Task LineAsync(TextWriter output, string subject, string finding) =>
        output.WriteLineAsync($"{subject,-14} {finding}");

    // OPENSSL_VERSION_NUMBER(3): 0xMNN00PP0 from 3.0 on.
    private static string DescribeOpenSsl(long version) => $"{version >> 28}.{(version >> 20) & 0xFF}.{(version >> 4) & 0xFF}";

    /// <summary>The soft limit in force, in the unit of proc_pid_limits(5); null when unlimited.</summary>
    private static long? ReadLimit(string name)
    {
        string line = File.ReadLines("/proc/self/limits").First(l => l.StartsWith(name, StringComparison.Ordinal));
        string soft = line[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return long.TryParse(soft, CultureInfo.InvariantCulture, out long limit) ? limit : null;
    }

    // The client's socket and the backend's.
    private const int DescriptorsPerConnection = 2;
}
