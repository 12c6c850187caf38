namespace TlsProxy.Config;

/// <summary>What somebody who typed an unknown name probably meant.</summary>
internal static class NearestName
{
    /// <summary>The candidate with the least edit distance to <paramref name="name"/>, or null when none is close.</summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        (string? nearest, int distance) = (null, Math.Max(2, name.Length / 3) + 1);
        foreach (string candidate in candidates)
        {
            int candidateDistance = Distance(name.ToUpperInvariant(), candidate.ToUpperInvariant());
            if (candidateDistance < distance)
            {
                (nearest, distance) = (candidate, candidateDistance);
            }
        }

        return nearest;
    }

    /// <summary>"did you mean 'x'?" or "known are a, b, c."</summary>
    public static string Suggest(string name, IReadOnlyCollection<string> candidates) =>
        Find(name, candidates) is { } nearest
            ? $"did you mean '{nearest}'?"
            : $"known are {string.Join(", ", candidates)}.";

    // Levenshtein's distance, one row at a time.
    private static int Distance(string left, string right)
    {
        int[] row = [.. Enumerable.Range(0, right.Length + 1)];
        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int substituted = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[right.Length];
    }
}
