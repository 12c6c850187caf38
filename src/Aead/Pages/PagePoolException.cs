namespace Aead.Pages;

/// <summary>The policy cannot be met on this machine; the message names the remedy.</summary>
public sealed class PagePoolException : Exception
{
    /// <summary>With the sentence for the operator.</summary>
    public PagePoolException(string message) : base(message) { }

    /// <summary>With the sentence for the operator and what the kernel refused.</summary>
    public PagePoolException(string message, Exception innerException) : base(message, innerException) { }

    /// <summary>The kernel keeps no more pages in place for this user; with the limit in force and how to raise it.</summary>
    /// <param name="bytes">What was asked for.</param>
    /// <param name="error">What the kernel answered, by name.</param>
    public static PagePoolException NotPinned(long bytes, string error) => new(
        $"{LockPlan.Size(bytes)} of pages cannot be pinned: {error}; {LockPlan.LimitInForce()}, and whatever this user has pinned " +
        $"already counts. {LockPlan.Remedy(bytes)}")
    {
        IsPinLimit = true,
    };

    /// <summary>The limit of pinned memory is what was in the way.</summary>
    public bool IsPinLimit { get; private init; }
}
