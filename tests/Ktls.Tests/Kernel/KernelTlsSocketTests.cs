using System.Net.Sockets;
using Aead;
using Aead.Records;
using Ktls.Kernel;
using Ktls.Tests.Transport;
using Xunit;

namespace Ktls.Tests.Kernel;

/// <summary>What holds on any kernel; what takes kTLS is in Kernel.Tests.</summary>
public class KernelTlsSocketTests
{
    [Fact]
    public void Nothing_is_received_into_readable_memory_without_keys_of_TLS_13()
    {
        using SocketPair pair = new();
        KernelTlsSocket socket = new(pair.Descriptor);
        byte[] room = new byte[RecordHeader.PlaintextLengthMax];
        pair.Peer.Send([1, 2, 3]);
        Assert.Throws<InvalidOperationException>(() => socket.ReceiveVerified(room, out _));
        Assert.Equal(3, SocketCalls.Receive(pair.Descriptor, room).Value);
    }

    [Fact]
    public void Room_for_less_than_a_record_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new KernelTlsSocket(-1).ReceiveVerified(new byte[RecordHeader.PlaintextLengthMax - 1], out _));

    [Fact]
    public void A_control_record_is_neither_empty_nor_longer_than_a_record()
    {
        KernelTlsSocket socket = new(-1);
        Assert.Throws<ArgumentOutOfRangeException>(() => socket.SendControl(ContentType.Alert, []));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => socket.SendControl(ContentType.Handshake, new byte[RecordHeader.PlaintextLengthMax + 1]));
    }

    [Fact]
    public void Without_keys_there_is_no_sequence_number() =>
        Assert.Throws<InvalidOperationException>(
            () => new KernelTlsSocket(-1).ReadSequenceNumber(KernelDirection.Transmit, out _));

    [Fact]
    public void A_descriptor_that_is_no_socket_is_an_error_by_name()
    {
        using FileStream file = File.OpenRead("/dev/zero");
        KernelTlsSocket socket = new((int)file.SafeFileHandle.DangerousGetHandle());
        Assert.True(socket.Attach().Failed);
        Assert.True(socket.Install(KernelDirection.Receive, TestRecords.Keys(CipherSuite.All[0])).Failed);
        Assert.True(socket.SendControl(ContentType.Alert, [1, 0]).Failed);
        Assert.True(socket.ReceiveControl(new byte[2], out ContentType? type, out bool whole).Failed);
        Assert.True(socket.TakeError().Failed);
        Assert.Null(type);
        Assert.False(whole);
    }

    [Fact]
    public void A_pending_error_is_taken_once()
    {
        using SocketPair pair = new();
        KernelTlsSocket socket = new(pair.Descriptor);
        Assert.False(socket.TakeError().Failed);
        pair.Peer.LingerState = new LingerOption(true, 0);
        pair.Peer.Dispose();
        Assert.True(SpinWait.SpinUntil(() => socket.TakeError().Failed, TestKit.Timeouts.Exchange));
        Assert.False(socket.TakeError().Failed);
    }

    [Fact]
    public void A_file_is_sent_from_where_it_is_asked_for()
    {
        using SocketPair pair = new();
        using TestKit.TemporaryDirectory directory = new();
        string path = directory.File("bytes");
        File.WriteAllBytes(path, [0, 1, 2, 3, 4, 5, 6, 7]);
        using FileStream file = File.OpenRead(path);
        long offset = 2;
        int descriptor = (int)file.SafeFileHandle.DangerousGetHandle();
        KernelTlsSocket socket = new(pair.Descriptor);
        Assert.Equal(3, socket.SendFile(descriptor, ref offset, 3).Value);
        Assert.Equal(5, offset);
        Assert.Equal(3, socket.SendFile(descriptor, ref offset, 100).Value);
        byte[] received = new byte[20];
        int count = 0;
        while (count < 6)
        {
            count += pair.Peer.Receive(received.AsSpan(count));
        }

        Assert.Equal([2, 3, 4, 5, 6, 7], received[..count]);
        Assert.Equal(0, socket.SendFile(descriptor, ref offset, 1).Value);
        Assert.True(socket.SendFile(-1, ref offset, 1).Failed);
        Assert.Equal(8, offset);
    }
}
