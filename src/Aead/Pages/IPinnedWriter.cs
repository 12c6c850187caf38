namespace Aead.Pages;

/// <summary>
/// Whatever can still write into pinned pages once nobody maps them writable: on Linux, an io_uring instance they are registered with.
/// This room knows only the question, so that it never learns how the kernel is asked. For one thread at a time.
/// </summary>
public interface IPinnedWriter
{
    /// <summary>
    /// Pins the pages. Called once, while they are mapped read-write; afterwards the address is a mere number, by which only this instance
    /// reaches them.
    /// </summary>
    /// <param name="address">Where they are mapped at this moment.</param>
    /// <param name="bytes">A multiple of the page size.</param>
    /// <exception cref="PagePoolException">The kernel refused; the message names the errno and the remedy.</exception>
    void Pin(nint address, long bytes);

    /// <summary>Overwrites with zeros, completely, before it returns.</summary>
    /// <param name="address">Within what was pinned.</param>
    /// <param name="bytes">Of any alignment; more than 0.</param>
    void Zero(nint address, int bytes);
}
