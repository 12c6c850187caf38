using System.IO.MemoryMappedFiles;
using Aead;
using Aead.Keys;
using Aead.Records;
using Ktls.Kernel;
using Ktls.Tests.Transport;
using Xunit;
using static Ktls.Tests.Kernel.FakeRecord;

namespace Ktls.Tests.Kernel;

// What other tests rely on: that the fake kernel answers as Linux was seen to.
public class FakeKernelTests
{
    [Fact]
    public void Data_merges_and_a_control_record_waits_for_whoever_asks_for_its_type()
    {
        FakeKernel kernel = Create(TestRecords.Tls13).Arrive(
            Data("ab"), Empty(ContentType.ApplicationData), Data("c"), Alert(AlertDescription.CloseNotify), Data("d"));
        byte[] room = new byte[20];
        Assert.Equal(3, kernel.ReadHidden(room).Value);
        Assert.Equal("abc"u8, room.AsSpan(0, 3));
        Assert.True(kernel.ReadHidden(room).ControlRecordWaits);
        Assert.True(kernel.ReadHidden(room).ControlRecordWaits);
        Assert.Equal(1, kernel.ReceiveControl(room.AsSpan(0, 1), out ContentType? type, out bool whole).Value);
        Assert.Equal((ContentType.Alert, false), (type, whole));
        Assert.Equal(1, kernel.ReceiveControl(room, out type, out whole).Value);
        Assert.Equal((ContentType.Alert, true), (type, whole));
        Assert.Equal(1, kernel.ReadHidden(room).Value);
        Assert.True(kernel.ReadHidden(room).WouldBlock);
        Assert.True(kernel.IsDrained);
        Assert.Throws<InvalidOperationException>(() => kernel.Arrive(Data("e")).ReceiveControl(room, out _, out _));
    }

    [Fact]
    public void An_empty_control_record_is_no_end_and_the_end_has_no_type()
    {
        FakeKernel kernel = Create(TestRecords.Tls13).Arrive(Empty(ContentType.Handshake)).Fin();
        byte[] room = new byte[16_384];
        Assert.Equal(0, kernel.ReceiveVerified(room, out ContentType? type).Value);
        Assert.Equal(ContentType.Handshake, type);
        SyscallResult end = kernel.ReceiveVerified(room, out type);
        Assert.True(end is { Failed: false, Value: 0 } && type == null);
        end = kernel.ReadHidden(room);
        Assert.True(end is { Failed: false, Value: 0 });
    }

    [Fact]
    public void Empty_data_in_front_of_a_control_record_reads_like_the_end_but_only_once()
    {
        FakeKernel kernel = Create(TestRecords.Tls12).Arrive(Empty(ContentType.ApplicationData), Alert(AlertDescription.CloseNotify));
        byte[] room = new byte[20];
        Assert.True(kernel.ReadHidden(room).MovedNothing);
        Assert.True(kernel.ReadHidden(room).ControlRecordWaits);
    }

    [Theory]
    [InlineData(TlsVersion.Tls12, true)]
    [InlineData(TlsVersion.Tls13, false)]
    public void A_bad_record_is_final_and_its_plaintext_is_left_behind_where_kernels_leave_it(TlsVersion version, bool leaks)
    {
        CipherSuite suite = version == TlsVersion.Tls12 ? TestRecords.Tls12 : TestRecords.Tls13;
        FakeKernel kernel = Create(suite).Arrive(Data("good")).ArriveBad(7, 7, 7);
        byte[] room = new byte[20];
        Assert.Equal(4, kernel.ReadHidden(room).Value);
        Assert.Equal(leaks ? [7, 7, 7] : new byte[3], room[4..7]);
        room = new byte[20];
        Assert.True(kernel.ReadHidden(room).BadRecord);
        Assert.Equal(leaks ? [7, 7, 7] : new byte[3], room[..3]);
        Assert.Equal([0, 0], Read(kernel, 2));
        Assert.True(kernel.ReadHidden(room).BadRecord);

        Assert.True(kernel.SendControl(ContentType.Alert, [2, 20]).BadRecord);
        Assert.True(kernel.TakeError().BadRecord);
        Assert.False(kernel.TakeError().Failed);
        Assert.Equal(2, kernel.SendControl(ContentType.Alert, [2, 20]).Value);
    }

    [Fact]
    public void Behind_a_key_update_nothing_is_read_until_the_next_keys_are_installed()
    {
        FakeKernel kernel = Create(TestRecords.Tls13, out DirectionKeys keys).Arrive(KeyUpdate(), Data("next"));
        byte[] room = new byte[16_384];
        Assert.Equal(5, kernel.ReceiveControl(room, out _, out _).Value);
        Assert.True(kernel.ReadHidden(room).KeyExpired);
        Assert.True(kernel.ReceiveVerified(room, out _).KeyExpired);
        keys.Update();
        Assert.False(kernel.Install(KernelDirection.Receive, keys).Failed);
        Assert.Equal(4, kernel.ReadHidden(room).Value);
        kernel.ReadSequenceNumber(KernelDirection.Receive, out ulong number);
        Assert.Equal(1UL, number);

        // Nothing was announced, and the kernel does not mind.
        keys.Update();
        Assert.False(kernel.Install(KernelDirection.Receive, keys).Failed);
        Assert.True(kernel.Arrive(Data("x")).ReadHidden(room).BadRecord);
    }

    [Fact]
    public void An_older_kernel_keeps_its_keys_and_tries_them_on_whatever_comes()
    {
        FakeKernel kernel = Create(TestRecords.Tls13, out DirectionKeys keys, supportsRekey: false).Arrive(KeyUpdate(), Data("next"));
        byte[] room = new byte[16_384];
        Assert.Equal(5, kernel.ReceiveControl(room, out _, out _).Value);
        keys.Update();
        Assert.True(kernel.Install(KernelDirection.Receive, keys).Busy);
        Assert.True(kernel.ReadHidden(room).BadRecord);
    }

    [Fact]
    public void Some_errors_are_told_once()
    {
        byte[] room = new byte[10];
        FakeKernel kernel = Create(TestRecords.Tls13).Arrive(Data("a")).ArriveTooLong();
        Assert.Equal(1, kernel.ReadHidden(room).Value);
        Assert.True(kernel.ReadHidden(room).RecordTooLong);
        Assert.True(kernel.ReadHidden(room).WouldBlock);
        Assert.True(Create(TestRecords.Tls13).ArriveWrongVersion().ReadHidden(room).Invalid);
        kernel = Create(TestRecords.Tls13).Reset();
        Assert.Contains("ECONNRESET", kernel.ReadHidden(room).ErrorName, StringComparison.Ordinal);
        Assert.True(kernel.ReadHidden(room) is { Failed: false, Value: 0 });
    }

    [Fact]
    public void A_send_takes_what_fits_in_records_of_full_size_and_a_control_record_whole_or_not_at_all()
    {
        FakeKernel kernel = Create(TestRecords.Tls13).MakeRoom(20_000);
        byte[] bytes = TestRecords.Bytes(30_000, 1);
        Assert.Equal(20_000, kernel.Send([bytes]).Value);
        Assert.True(kernel.Send([bytes]).WouldBlock);
        Assert.True(kernel.MakeRoom(1).SendControl(ContentType.Alert, [1, 0]).WouldBlock);
        Assert.Equal(2, kernel.MakeRoom(2).SendControl(ContentType.Alert, [1, 0]).Value);
        Assert.Equal([16_384, 3616, 2], kernel.Sent.Select(record => record.Content.Length));
        kernel.ReadSequenceNumber(KernelDirection.Transmit, out ulong number);
        Assert.Equal(3UL, number);
        Assert.Equal(
            ["Attach -> 0", "Install Transmit -> 0", "Install Receive -> 0", "Send 30000 -> 20000"], kernel.Calls.Take(4));
        Assert.Equal("SendControl Alert 0100 -> 2", kernel.Calls[^2]);
    }

    [Fact]
    public unsafe void Hidden_reads_reach_shared_pages_by_an_address_of_their_own()
    {
        using MemoryMappedFile file = MemoryMappedFile.CreateNew(null, 8192);
        using MemoryMappedViewAccessor view = file.CreateViewAccessor();
        byte* pages = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref pages);
        using FakeHiddenReads reads = new(Create(TestRecords.Tls13).Arrive(Data("abc")));
        reads.Pin((nint)pages, 8192);
        HiddenRead[] read = [new() { Descriptor = 1, Address = (nint)pages + 4096, Length = 4096 }];
        reads.Submit(read);
        Assert.Equal(3, read[0].Result.Value);
        Assert.Equal("abc"u8, new ReadOnlySpan<byte>(pages + 4096, 3));
        Assert.Equal("abc"u8, reads.Peek((nint)pages + 4096, 3));
        reads.Zero((nint)pages + 4097, 2);
        Assert.Equal([(byte)'a', 0, 0], new ReadOnlySpan<byte>(pages + 4096, 3).ToArray());
        reads.Submit(read);
        Assert.True(read[0].Result.WouldBlock);
        Assert.Throws<ArgumentOutOfRangeException>(() => reads.Zero((nint)pages + 8191, 2));
        view.SafeMemoryMappedViewHandle.ReleasePointer();
    }

    private static byte[] Read(FakeKernel kernel, int bytes)
    {
        byte[] room = new byte[bytes];
        _ = kernel.ReadHidden(room);
        return room;
    }

    private static FakeKernel Create(CipherSuite suite) => Create(suite, out _);

    private static FakeKernel Create(CipherSuite suite, out DirectionKeys receiveKeys, bool supportsRekey = true)
    {
        FakeKernel kernel = new(supportsRekey);
        receiveKeys = TestRecords.Keys(suite, 2);
        using DirectionKeys transmitKeys = TestRecords.Keys(TestRecords.Tls13);
        kernel.Attach();
        kernel.Install(KernelDirection.Transmit, transmitKeys);
        kernel.Install(KernelDirection.Receive, receiveKeys);
        return kernel;
    }
}
