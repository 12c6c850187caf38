namespace Aead.Pages;

/// <summary>The kernel refused a call on the page map; the message names the call and the errno.</summary>
internal sealed class PageMapException : Exception
{
    internal PageMapException(string call, string errno)
        : base($"{call} failed: {errno}.")
    {
        Call = call;
        Errno = errno;
    }

    /// <summary>The call with the argument that matters, for example <c>mprotect(PROT_NONE)</c>.</summary>
    internal string Call { get; }

    /// <summary>The name of the errno, for example <c>ENOMEM</c>.</summary>
    internal string Errno { get; }
}
