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

    /// <summary>Takes a libc return value; on -1 reads errno at once.</summary>
    public static SyscallResult From(long returned) => new(returned >= 0 ? returned : -LibC.errno);

    /// <summary>True when the call failed.</summary>
    public bool Failed => _value < 0;

    /// <summary>The value of a call that succeeded: bytes or a descriptor.</summary>
    public int Value => (int)_value;

    /// <summary>Not yet: wait for readiness.</summary>
    public bool WouldBlock => _value == -LibC.EAGAIN;

    /// <summary>Interrupted by a signal: call again. Only the wrappers in this folder look at it.</summary>
    public bool Interrupted => _value == -LibC.EINTR;

    /// <summary>The address is taken.</summary>
    public bool AddressInUse => _value == -LibC.EADDRINUSE;

    /// <summary>The process or the machine ran out of descriptors or memory: shed or wait, then try again.</summary>
    public bool OutOfResources =>
        _value == -LibC.EMFILE || _value == -LibC.ENFILE || _value == -LibC.ENOBUFS || _value == -LibC.ENOMEM;

    /// <summary>The error's name and meaning, for operators.</summary>
    public string ErrorName => Failed ? Describe(-_value) : "no error";

    private static string Describe(long errno) => errno switch
    {
        _ when errno == LibC.EADDRINUSE => "EADDRINUSE (the address is in use)",
        _ when errno == LibC.EADDRNOTAVAIL => "EADDRNOTAVAIL (no such address on this machine)",
        _ when errno == LibC.EACCES => "EACCES (not permitted: ports below 1024 need CAP_NET_BIND_SERVICE)",
        _ when errno == LibC.EPERM => "EPERM (not permitted)",
        _ when errno == LibC.EMFILE => "EMFILE (this process has no descriptors left: raise LimitNOFILE)",
        _ when errno == LibC.ENFILE => "ENFILE (this machine has no descriptors left)",
        _ when errno == LibC.ENOMEM => "ENOMEM (out of memory)",
        _ when errno == LibC.ENOBUFS => "ENOBUFS (out of socket buffers)",
        _ when errno == LibC.ECONNRESET => "ECONNRESET (the peer reset the connection)",
        _ when errno == LibC.EPIPE => "EPIPE (the peer closed the connection)",
        _ when errno == LibC.ETIMEDOUT => "ETIMEDOUT (the peer no longer answers)",
        _ when errno == LibC.ECONNABORTED => "ECONNABORTED (the peer gave up before accept)",
        _ when errno == LibC.EHOSTUNREACH => "EHOSTUNREACH (no route to the peer)",
        _ when errno == LibC.EAFNOSUPPORT => "EAFNOSUPPORT (this machine has no such address family)",
        _ => new System.ComponentModel.Win32Exception((int)errno).Message,
    };
}
