namespace Ktls;

/// <summary>
/// A listener's setting Kernel is On, and this machine's kernel cannot or may not have that direction; the message names listener,
/// direction, obstacle and remedy.
/// </summary>
public sealed class KernelUnavailableException(string message) : Exception(message);
