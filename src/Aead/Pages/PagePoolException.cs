namespace Aead.Pages;

/// <summary>The policy cannot be met on this machine; the message names the remedy.</summary>
public sealed class PagePoolException : Exception
{
    /// <summary>With the sentence for the operator.</summary>
    public PagePoolException(string message) : base(message) { }

    /// <summary>With the sentence for the operator and what the kernel refused.</summary>
    public PagePoolException(string message, Exception innerException) : base(message, innerException) { }
}
