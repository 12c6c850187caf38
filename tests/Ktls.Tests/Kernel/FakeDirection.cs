using Aead;
using Aead.Keys;
using Ktls.Kernel;
using Tmds.Linux;

namespace Ktls.Tests.Kernel;

/// <summary>What both halves of a fake kTLS socket do with keys.</summary>
internal sealed class FakeDirection(bool supportsRekey)
{
    private byte[] _key = [];

    /// <summary>The suite installed, null before the first keys.</summary>
    public CipherSuite? Suite { get; private set; }

    /// <summary>How many times other keys took the place of the first ones.</summary>
    public int KeyGeneration { get; private set; }

    public ulong SequenceNumber { get; set; }

    /// <summary>Installs never fail for want of a KeyUpdate: the kernel does not check that one was sent or read.</summary>
    public SyscallResult Install(DirectionKeys keys)
    {
        if (Suite != null)
        {
            if (!supportsRekey || Suite.Version == TlsVersion.Tls12)
            {
                return SyscallResult.FromError(LibC.EBUSY);
            }

            if (Suite.Id != keys.Suite.Id)
            {
                return SyscallResult.FromError(LibC.EINVAL);
            }

            KeyGeneration += keys.Key.SequenceEqual(_key) ? 0 : 1;
        }

        Suite = keys.Suite;
        _key = keys.Key.ToArray();
        SequenceNumber = keys.SequenceNumber;
        return SyscallResult.FromError(0);
    }
}
