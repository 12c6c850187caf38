namespace TestKit.Origins;

/// <summary>How an upload looked from the origin.</summary>
public enum UploadOutcome
{
    /// <summary>The body ended where its framing says it ends: the origin would act on it.</summary>
    Complete,

    /// <summary>The connection or stream was cut inside the body.</summary>
    Aborted,
}

/// <summary>One upload as the origin saw it.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Length">Body bytes received.</param>
/// <param name="Sha256">Their hash in lower-case hex.</param>
/// <param name="IsPattern">
/// Whether they are the first bytes of <see cref="PatternBody"/>, that is: authentic.
/// </param>
public sealed record Upload(UploadOutcome Outcome, long Length, string Sha256, bool IsPattern)
{
    /// <summary>What the whole pattern of this length looks like.</summary>
    public static Upload Whole(long length) =>
        new(UploadOutcome.Complete, length, PatternBody.Sha256(length), IsPattern: true);
}
