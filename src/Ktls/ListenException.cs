namespace Ktls;

/// <summary>This machine does not let a listener listen; the message names listener, address, error and remedy.</summary>
public sealed class ListenException(string message) : IOException(message);
