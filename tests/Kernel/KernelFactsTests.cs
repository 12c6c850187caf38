using TestKit.Processes;
using Tmds.Linux;
using Xunit;

namespace Kernel.Tests;

/// <summary>What every other test here takes for granted: the kernel is the one that was meant, and it offers what is tested.</summary>
[Trait("Runs", "Everywhere")]
public sealed class KernelFactsTests
{
    [Fact]
    public void The_kernel_is_the_one_the_harness_meant() =>
        Assert.Equal(
            Environment.GetEnvironmentVariable("TLSPROXY_KERNEL_RELEASE"),
            File.ReadAllText("/proc/sys/kernel/osrelease").TrimEnd());

    [Fact]
    public void A_connection_accepts_kernel_TLS()
    {
        using KernelTlsPair pair = new();
        Assert.Equal(0, KernelTlsPair.AttachTls(pair.Sender));
        Assert.Equal(0, KernelTlsPair.AttachTls(pair.Receiver));
    }

    [Theory]
    [InlineData(KernelTlsPair.Tls12)]
    [InlineData(KernelTlsPair.Tls13)]
    public void The_kernel_encrypts_and_decrypts(ushort version)
    {
        using KernelTlsPair pair = new();
        KernelTlsPair.AttachTls(pair.Sender);
        Assert.Equal(0, KernelTlsPair.InstallKey(pair.Sender, KernelTlsPair.Transmit, version, keyByte: 1));
        pair.Sender.Send("through two kernels"u8);

        // Read before the kernel decrypts: these are records, not the text.
        byte[] wire = new byte[256];
        int peeked = pair.Receiver.Receive(wire, System.Net.Sockets.SocketFlags.Peek);
        Assert.Equal(23, wire[0]);
        Assert.Equal(-1, wire.AsSpan(0, peeked).IndexOf("through"u8));

        KernelTlsPair.AttachTls(pair.Receiver);
        Assert.Equal(0, KernelTlsPair.InstallKey(pair.Receiver, KernelTlsPair.Receive, version, keyByte: 1));
        byte[] plain = new byte[256];
        int received = pair.Receiver.Receive(plain);
        Assert.Equal("through two kernels"u8, plain.AsSpan(0, received));
    }

    /// <summary>
    /// The kernel authenticates a TLS 1.3 record with the type the RFC fixes and not with the one on the wire (tls_make_aad in
    /// net/tls/tls.h), so who changes that byte changes nothing: the content, and its own type, are what the client sealed.
    /// </summary>
    [Fact]
    public void The_outer_type_of_a_TLS_13_record_changes_nothing()
    {
        using KernelTlsPair sealing = new();
        KernelTlsPair.AttachTls(sealing.Sender);
        Assert.Equal(0, KernelTlsPair.InstallKey(sealing.Sender, KernelTlsPair.Transmit, KernelTlsPair.Tls13, keyByte: 1));
        sealing.Sender.Send("what was sent"u8);
        byte[] record = new byte[256];
        int length = sealing.Receiver.Receive(record);

        using KernelTlsPair opening = new();
        KernelTlsPair.AttachTls(opening.Receiver);
        Assert.Equal(0, KernelTlsPair.InstallKey(opening.Receiver, KernelTlsPair.Receive, KernelTlsPair.Tls13, keyByte: 1));
        record[0] ^= 1;
        opening.Sender.Send(record.AsSpan(0, length));
        byte[] plain = new byte[256];
        int received = opening.Receiver.Receive(plain);
        Assert.Equal("what was sent"u8, plain.AsSpan(0, received));
    }

    [Fact]
    public unsafe void An_io_uring_can_be_set_up()
    {
        // struct io_uring_params is 120 bytes; all zero asks for nothing special. io_uring_setup(2) has this number on every architecture.
        const int IoUringSetup = 425;
        byte* parameters = stackalloc byte[120];
        new Span<byte>(parameters, 120).Clear();
        int ring = (int)(long)LibC.syscall(IoUringSetup, 8, parameters);
        Assert.True(ring >= 0, $"io_uring_setup: errno {LibC.errno}");
        _ = LibC.close(ring);
    }

    [Fact]
    [Trait("Needs", "NoRekey")]
    public void A_transmit_key_is_installed_once_and_for_all()
    {
        using KernelTlsPair pair = new();
        KernelTlsPair.AttachTls(pair.Sender);
        Assert.Equal(0, KernelTlsPair.InstallKey(pair.Sender, KernelTlsPair.Transmit, KernelTlsPair.Tls13, keyByte: 1));
        Assert.Equal(LibC.EBUSY, KernelTlsPair.InstallKey(pair.Sender, KernelTlsPair.Transmit, KernelTlsPair.Tls13, keyByte: 2));
    }

    [Fact]
    [Trait("Needs", "Rekey")]
    public void A_transmit_key_can_be_replaced()
    {
        using KernelTlsPair pair = new();
        KernelTlsPair.AttachTls(pair.Sender);
        Assert.Equal(0, KernelTlsPair.InstallKey(pair.Sender, KernelTlsPair.Transmit, KernelTlsPair.Tls13, keyByte: 1));
        Assert.Equal(0, KernelTlsPair.InstallKey(pair.Sender, KernelTlsPair.Transmit, KernelTlsPair.Tls13, keyByte: 2));
    }

    [Fact]
    [Trait("Needs", "TwoCpus")]
    public void Two_threads_run_at_the_same_time() => Assert.Equal(2, Environment.ProcessorCount);

    [Theory]
    [Trait("Needs", "HostPrograms")]
    [InlineData("curl", "--version")]
    [InlineData("openssl", "version")]
    [InlineData("/usr/sbin/nginx", "-v")]
    public async Task Programs_of_the_host_run_here(string program, string argument)
    {
        CommandResult result = await CommandRunner.RunAsync(program, [argument], timeout: TestKit.Timeouts.Program);
        Assert.True(result.ExitCode == 0, result.Everything);
    }
}
