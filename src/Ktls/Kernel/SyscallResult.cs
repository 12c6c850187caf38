using System.Net.Sockets;
using Tmds.Linux;

namespace Ktls.Kernel;

/// <summary>
/// What a system call answered: a value, or an error that is compared and printed by name. The number itself never leaves this file.
/// </summary>
internal readonly struct SyscallResult
{
    private readonly long _value;

    private SyscallResult(long value) => _value = value;

    /// <summary>The answer of a call that was not made: nothing to do now.</summary>
    public static SyscallResult NotYet => new(-LibC.EAGAIN);

    /// <summary>The answer that did not come: waiting for it has an end.</summary>
    public static SyscallResult TimedOut => new(-LibC.ETIMEDOUT);

    /// <summary>Takes a libc return value; on -1 reads errno at once.</summary>
    public static SyscallResult From(long returned) => new(returned >= 0 ? returned : -LibC.errno);

    /// <summary>Takes the result of an io_uring completion: a value, or an error as a negative number.</summary>
    public static SyscallResult FromCompletion(int result) => new(result == -RestartSystemCall ? -LibC.EINTR : result);

    /// <summary>Takes an error that the kernel reported as a value, as SO_ERROR does; 0 is none.</summary>
    public static SyscallResult FromError(int error) => new(-error);

    /// <summary>True when the call failed.</summary>
    public bool Failed => _value < 0;

    /// <summary>The value of a call that succeeded: bytes or a descriptor.</summary>
    public int Value => (int)_value;

    /// <summary>The call succeeded and moved no byte: of a read, mostly the end of the stream.</summary>
    public bool MovedNothing => _value == 0;

    /// <summary>Not yet: wait for readiness.</summary>
    public bool WouldBlock => _value == -LibC.EAGAIN;

    /// <summary>Interrupted by a signal: call again. Only the wrappers in this folder look at it.</summary>
    public bool Interrupted => _value == -LibC.EINTR;

    /// <summary>kTLS: a record did not verify. Final for the receiving direction (net/tls/tls_sw.c).</summary>
    public bool BadRecord => _value == -LibC.EBADMSG;

    /// <summary>kTLS: the next record is no application data; it is verified and waits for a read that asks for its type.</summary>
    public bool ControlRecordWaits => _value == -LibC.EIO;

    /// <summary>kTLS: a KeyUpdate was read, and the next keys are not installed yet (Linux 6.14).</summary>
    public bool KeyExpired => _value == -LibC.EKEYEXPIRED;

    /// <summary>
    /// kTLS, receiving: a header announced more than a record may hold. Reported once, so whoever sees it must remember it.
    /// </summary>
    public bool RecordTooLong => _value == -LibC.EMSGSIZE;

    /// <summary>A value the kernel does not take. kTLS, receiving: a record of the wrong version.</summary>
    public bool Invalid => _value == -LibC.EINVAL;

    /// <summary>kTLS, sending: not the send failed, but a record the other direction met was refused.</summary>
    public bool RefusesRecord => BadRecord || RecordTooLong || Invalid;

    /// <summary>The kernel lacks a module or an algorithm.</summary>
    public bool NoSuchModule => _value == -LibC.ENOENT;

    /// <summary>The kernel has no such system call.</summary>
    public bool NoSuchCall => _value == -LibC.ENOSYS;

    /// <summary>The kernel, a security module or a container refuses.</summary>
    public bool NotPermitted => _value == -LibC.EPERM || _value == -LibC.EACCES;

    /// <summary>kTLS: keys are installed already, and this kernel cannot change them.</summary>
    public bool Busy => _value == -LibC.EBUSY;

    /// <summary>The connection is not established (any more): the peer has closed its side.</summary>
    public bool NotConnected => _value == -LibC.ENOTCONN;

    /// <summary>The submitter took the read back before there was anything to read. Only the wrappers in this folder look at it.</summary>
    public bool Canceled => _value == -LibC.ECANCELED;

    /// <summary>The kernel knows the call, but cannot do this of it.</summary>
    public bool NotSupported => _value == -LibC.EOPNOTSUPP;

    /// <summary>io_uring: not everything completed in the time given. Only the wrappers in this folder look at it.</summary>
    public bool WaitExpired => _value == -LibC.ETIME;

    /// <summary>The address is taken.</summary>
    public bool AddressInUse => _value == -LibC.EADDRINUSE;

    /// <summary>The process or the machine ran out of descriptors or memory: shed or wait, then try again.</summary>
    public bool OutOfResources =>
        _value == -LibC.EMFILE || _value == -LibC.ENFILE || _value == -LibC.ENOBUFS || _value == -LibC.ENOMEM;

    /// <summary>The error's name and meaning, for operators.</summary>
    public string ErrorName => Failed ? Describe(-_value) : "no error";

    /// <summary>The failure as the runtime's own sockets report it, for whoever expects one of them.</summary>
    public SocketException ToException() => new((int)ToSocketError(-_value), ErrorName);

    private static SocketError ToSocketError(long errno) => errno switch
    {
        _ when errno == LibC.ECONNREFUSED => SocketError.ConnectionRefused,
        _ when errno == LibC.ECONNRESET => SocketError.ConnectionReset,
        _ when errno == LibC.EPIPE => SocketError.Shutdown,
        _ when errno == LibC.ETIMEDOUT => SocketError.TimedOut,
        _ when errno == LibC.EHOSTUNREACH => SocketError.HostUnreachable,
        _ when errno == LibC.ENETUNREACH => SocketError.NetworkUnreachable,
        _ when errno == LibC.EADDRNOTAVAIL => SocketError.AddressNotAvailable,
        _ when errno == LibC.EAFNOSUPPORT => SocketError.AddressFamilyNotSupported,
        _ when errno == LibC.EACCES || errno == LibC.EPERM => SocketError.AccessDenied,
        _ when errno == LibC.EMFILE || errno == LibC.ENFILE => SocketError.TooManyOpenSockets,
        _ when errno == LibC.ENOBUFS || errno == LibC.ENOMEM => SocketError.NoBufferSpaceAvailable,
        _ => SocketError.SocketError,
    };

    private static string Describe(long errno) => errno switch
    {
        _ when errno == LibC.EADDRINUSE => "EADDRINUSE (the address is in use)",
        _ when errno == LibC.EADDRNOTAVAIL => "EADDRNOTAVAIL (no such address on this machine)",
        _ when errno == LibC.EACCES => "EACCES (not permitted: ports below 1024 need CAP_NET_BIND_SERVICE)",
        _ when errno == LibC.EPERM => "EPERM (not permitted, by the kernel, a security module or a container)",
        _ when errno == LibC.EMFILE => "EMFILE (this process has no descriptors left: raise LimitNOFILE)",
        _ when errno == LibC.ENFILE => "ENFILE (this machine has no descriptors left)",
        _ when errno == LibC.ENOMEM => "ENOMEM (out of memory)",
        _ when errno == LibC.ENOBUFS => "ENOBUFS (out of socket buffers)",
        _ when errno == LibC.ECONNREFUSED => "ECONNREFUSED (nothing listens there)",
        _ when errno == LibC.ECONNRESET => "ECONNRESET (the peer reset the connection)",
        _ when errno == LibC.EPIPE => "EPIPE (the peer closed the connection)",
        _ when errno == LibC.ETIMEDOUT => "ETIMEDOUT (the peer no longer answers)",
        _ when errno == LibC.ECONNABORTED => "ECONNABORTED (the peer gave up before accept)",
        _ when errno == LibC.EHOSTUNREACH => "EHOSTUNREACH (no route to the peer)",
        _ when errno == LibC.EAFNOSUPPORT => "EAFNOSUPPORT (this machine has no such address family)",
        _ when errno == LibC.EBADMSG => "EBADMSG (a record did not verify)",
        _ when errno == LibC.EFAULT => "EFAULT (no such memory)",
        _ when errno == LibC.EMSGSIZE => "EMSGSIZE (a record is too long)",
        _ when errno == LibC.EKEYEXPIRED => "EKEYEXPIRED (the peer changed its keys)",
        _ when errno == LibC.EBUSY => "EBUSY (in use, or not to be changed any more)",
        _ when errno == LibC.ENOENT => "ENOENT (no such file, module or algorithm)",
        _ when errno == LibC.ENOSYS => "ENOSYS (this kernel has no such system call)",
        _ when errno == LibC.EOPNOTSUPP => "EOPNOTSUPP (this kernel does not support it)",
        _ => new System.ComponentModel.Win32Exception((int)errno).Message,
    };

    // include/linux/errno.h: ERESTARTSYS. The kernel's own word for EINTR, which io_uring of Linux 6.1 lets out.
    private const int RestartSystemCall = 512;
}
