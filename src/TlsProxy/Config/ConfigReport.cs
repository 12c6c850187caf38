namespace TlsProxy.Config;

/// <summary>
/// Everything that is wrong or doubtful in a configuration, each as one sentence that starts with the path of
/// the setting and names the remedy. Reading goes on after an error, so that one run shows them all.
/// </summary>
internal sealed class ConfigReport
{
    /// <summary>Faults: the program does not start.</summary>
    public List<string> Errors { get; } = [];

    /// <summary>Doubts: the program starts and says so.</summary>
    public List<string> Warnings { get; } = [];

    /// <summary>What could not be looked at. Nobody has to act.</summary>
    public List<string> Notes { get; } = [];

    public bool IsValid => Errors.Count == 0;

    public void Error(string path, string sentence) => Errors.Add($"{path}: {sentence}");

    public void Warning(string path, string sentence) => Warnings.Add($"{path}: {sentence}");

    public void Note(string path, string sentence) => Notes.Add($"{path}: {sentence}");
}
