using Aead.Pages;
using Ktls;
using Microsoft.AspNetCore.Connections;

namespace TlsProxy.Proxy;

/// <summary>Why this machine did not let the program start, as a sentence with the remedy.</summary>
internal static class StartFailure
{
    /// <summary>Null when the exception is a fault of this program and no refusal of the machine.</summary>
    public static string? Explain(Exception exception)
    {
        // Kestrel wraps what the transport throws in exceptions of its own.
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            if (e is PagePoolException or AddressInUseException or ListenException or KernelUnavailableException)
            {
                return e.Message;
            }
        }

        return null;
    }
}
