using System.Text.Encodings.Web;
using System.Text.Json;
using Bench.Compare.Machine;

namespace Bench.Compare.Results;

/// <summary>Everything a run found.</summary>
/// <param name="Machine">Where.</param>
/// <param name="Tls">What every peer spoke.</param>
/// <param name="Rows">Every round of every peer and workload.</param>
internal sealed record ResultFile(MachineFacts Machine, string Tls, IReadOnlyList<Measurement> Rows)
{
    public void Save(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, Format));

    /// <summary>
    /// Several files as one: a long comparison may be made in pieces. Rounds of different files stay different
    /// rounds.
    /// </summary>
    public static ResultFile Read(IReadOnlyList<string> paths)
    {
        List<Measurement> rows = [];
        ResultFile? last = null;
        foreach (string path in paths)
        {
            last = ReadOne(path);
            int roundsBefore = rows.Count == 0 ? 0 : rows.Max(row => row.Round) + 1;
            rows.AddRange(last.Rows.Select(row => row with { Round = row.Round + roundsBefore }));
        }

        return last! with { Rows = rows };
    }

    private static ResultFile ReadOne(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<ResultFile>(File.ReadAllText(path), Format)
                ?? throw new BenchException($"{path} is empty; name a file that bench/run --json wrote.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new BenchException($"{path} cannot be read ({e.Message}); name a file that bench/run --json wrote.");
        }
    }

    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
