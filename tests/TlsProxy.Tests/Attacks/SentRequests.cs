using TestKit.Origins;

namespace TlsProxy.Tests.Attacks;

/// <summary>What an attack has sent, as far as a backend may see it.</summary>
public sealed class SentRequests
{
    private readonly Lock _gate = new();
    private readonly List<RecordedRequest> _whole = [];
    private readonly Dictionary<string, string> _begun = [];

    /// <summary>Declares a request that may be forwarded, once.</summary>
    /// <param name="line">Method and target.</param>
    /// <param name="body">Its body, decoded.</param>
    /// <param name="fields">Those of its field lines that may be forwarded, each with CR LF; what the proxy replaces or drops may not.</param>
    public void Declare(string line, string body = "", string fields = "")
    {
        lock (_gate)
        {
            _whole.Add(new RecordedRequest(line, fields, body, IsComplete: true));
        }
    }

    /// <summary>
    /// Declares a request that is not valid to its end: it may reach the backend as far as it is, without any field, and cut off. The text is what
    /// its body may be a part of.
    /// </summary>
    public void DeclareBegun(string line, string text)
    {
        lock (_gate)
        {
            _begun[line] = text;
        }
    }

    /// <summary>Whether this is what was sent: whole, and then only once; or cut off, on which nobody acts, but not invented either.</summary>
    public bool Covers(RecordedRequest arrived)
    {
        lock (_gate)
        {
            return arrived.IsComplete ? _whole.Remove(arrived) : IsPartOfOne(arrived);
        }
    }

    private bool IsPartOfOne(RecordedRequest arrived) =>
        _whole.Exists(sent => sent.Line == arrived.Line
            && sent.Fields.StartsWith(arrived.Fields, StringComparison.Ordinal) && sent.Body.StartsWith(arrived.Body, StringComparison.Ordinal))
        || (arrived.Fields.Length == 0 && _begun.TryGetValue(arrived.Line, out string? text) && text.Contains(arrived.Body, StringComparison.Ordinal));
}
