using System.Runtime.InteropServices;
using Aead.Pages;

namespace TestKit.Pages;

/// <summary>
/// Plays the kernel for pinned pages: before they are sealed it takes a second, writable mapping of its own, through which it writes where the
/// process under test has no way to. Says which part of them was zeroed, and when.
/// </summary>
public sealed unsafe partial class PinnedAlias : IPinnedWriter, IDisposable
{
    private nint _pinned;
    private nint _alias;
    private long _bytes;

    /// <summary>Called before each zeroing, with the address and the length.</summary>
    public Action<nint, int>? BeforeZero { get; set; }

    /// <summary>What <see cref="Pin"/> throws instead of pinning; null pins.</summary>
    public string? Refusal { get; set; }

    /// <summary>Bytes pinned.</summary>
    public long PinnedBytes => _bytes;

    public void Pin(nint address, long bytes)
    {
        if (Refusal != null)
        {
            throw new PagePoolException(Refusal);
        }

        // mremap(2): an old size of 0 makes a second mapping of shared pages.
        nint alias = Remap(address, 0, (nuint)bytes, MayMove, 0);
        if (alias == -1)
        {
            throw new InvalidOperationException($"mremap failed with errno {Marshal.GetLastPInvokeError()}.");
        }

        (_pinned, _alias, _bytes) = (address, alias, bytes);
    }

    public void Zero(nint address, int bytes)
    {
        BeforeZero?.Invoke(address, bytes);
        At(address, bytes).Clear();
    }

    /// <summary>Writes as the kernel does: whatever the process may see of it.</summary>
    public void Write(nint address, ReadOnlySpan<byte> bytes) => bytes.CopyTo(At(address, bytes.Length));

    /// <summary>What is really there.</summary>
    public byte[] Read(nint address, int bytes) => At(address, bytes).ToArray();

    public void Dispose()
    {
        if (_alias != 0)
        {
            _ = Unmap(_alias, (nuint)_bytes);
            _alias = 0;
        }
    }

    private Span<byte> At(nint address, int bytes)
    {
        long offset = address - _pinned;
        ObjectDisposedException.ThrowIf(_alias == 0, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset, nameof(address));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + bytes, _bytes, nameof(bytes));
        return new Span<byte>((byte*)_alias + offset, bytes);
    }

    [LibraryImport("libc", EntryPoint = "mremap", SetLastError = true)]
    private static partial nint Remap(nint address, nuint oldSize, nuint newSize, int flags, nint newAddress);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint bytes);

    // include/uapi/linux/mman.h: MREMAP_MAYMOVE.
    private const int MayMove = 1;
}
