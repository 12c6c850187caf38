using Aead.Keys;
using Aead.Pages;
using Aead.Records;
using Aead.Tests.Keys;
using Aead.Tests.Pages;
using TestKit.Pages;
using Xunit;

namespace Aead.Tests;

/// <summary>What a caller gets wrong is refused at once and by its name, before anything was touched.</summary>
public sealed class ArgumentTests : IDisposable
{
    private readonly PagePool _pool = TestPool.Create(Delivery.Copy);
    private readonly DecryptStage _stage;
    private readonly PinnedAlias _kernel = new();
    private readonly PinnedPages _pinned;

    public ArgumentTests()
    {
        _stage = _pool.CreateStage();
        _pinned = PinnedPages.Create(_pool, _kernel, slots: 2, () => { });
    }

    public void Dispose()
    {
        _pinned.Dispose();
        _kernel.Dispose();
        _stage.Dispose();
        _pool.Dispose();
    }

    [Fact]
    public void Pools_need_a_policy_that_can_be()
    {
        Refuses<ArgumentNullException>("policy", () => PagePool.Create(null!, stages: 1));
        Refuses<ArgumentOutOfRangeException>("policy", () => PagePool.Create(new PagePolicy { FlipThreshold = -1 }, stages: 1));
    }

    [Fact]
    public void Pinned_pages_need_a_pool_a_writer_and_two_slots()
    {
        using PinnedAlias other = new();
        Refuses<ArgumentNullException>("pool", () => PinnedPages.Create(null!, other, slots: 2, () => { }));
        Refuses<ArgumentNullException>("writer", () => PinnedPages.Create(_pool, null!, slots: 2, () => { }));
        Refuses<ArgumentOutOfRangeException>("slots", () => PinnedPages.Create(_pool, other, slots: 1, () => { }));
    }

    [Fact]
    public void Nothing_is_settled_that_was_not_read()
    {
        Assert.True(_pinned.TryRent(out PinnedSlot? slot));
        Refuses<ArgumentNullException>("slot", () => _pinned.Settle(null!, 0, 0));
        Refuses<ArgumentOutOfRangeException>("verifiedLength", () => _pinned.Settle(slot, -1, 10));
        _pinned.Settle(slot, 0, slot.Bytes);
    }

    [Fact]
    public void Nothing_is_exposed_that_was_not_written()
    {
        Refuses<ArgumentOutOfRangeException>("verifiedLength", () => _stage.Expose(-1, 5));
        Refuses<ArgumentOutOfRangeException>("verifiedLength", () => _stage.Expose(6, 5));
    }

    [Fact]
    public void Joined_are_leases_and_no_more_than_fit_a_copy()
    {
        Refuses<ArgumentNullException>("leases", () => ExposedPages.Join(null!, 0));
        int count = (PagePool.JoinedBytesMax / _stage.Capacity) + 1;
        List<ExposedPages> leases = [.. Enumerable.Range(0, count).Select(seed => _stage.Fill(seed, _stage.Capacity))];
        Refuses<ArgumentOutOfRangeException>("leases", () => ExposedPages.Join(leases, 0));
        leases.ForEach(lease => lease.Dispose());
    }

    [Fact]
    public void Records_need_keys_and_a_stage()
    {
        CipherSuite suite = CipherSuite.All[0];
        Refuses<ArgumentNullException>("keys", () => _ = new RecordEncryptor(null!));
        Refuses<ArgumentNullException>("keys", () => _ = new RecordDecryptor(null!));
        using RecordDecryptor decryptor = new(RecordKeys.Create(suite, seed: 1));
        Refuses<ArgumentNullException>("stage", () => decryptor.Decrypt([], null!));
    }

    [Fact]
    public void A_suite_of_TLS_13_has_no_key_block()
    {
        CipherSuite suite = CipherSuite.All.First(row => row.Version == TlsVersion.Tls13);
        Refuses<ArgumentException>(
            "suite", () => DirectionKeys.FromKeyBlock(suite, new byte[suite.Aead.KeyLength], new byte[suite.IvLength], sequenceNumber: 0));
    }

    [Fact]
    public void There_is_no_slot_behind_the_last()
    {
        using PageMap map = PageMap.Create(slotCount: 1, PagePool.SlotBytes);
        Refuses<ArgumentOutOfRangeException>("(uint)slot", () => map.Expose(1));
        Refuses<ArgumentOutOfRangeException>("(uint)slot", () => map.Expose(-1));
    }

    [Fact]
    public void A_length_that_two_bytes_cannot_say_is_not_written()
    {
        RecordHeader header = new(ContentType.ApplicationData, 0x0303, 65_536);
        Assert.Throws<OverflowException>(() => header.Write(new byte[RecordHeader.Length]));
        Assert.Throws<OverflowException>(() => HkdfLabel.Expand(CipherSuite.All[0].Hash, new byte[48], "key"u8, new byte[65_536]));
    }

    private static void Refuses<T>(string parameter, Action call)
        where T : ArgumentException => Assert.Equal(parameter, Assert.Throws<T>(call).ParamName);
}
