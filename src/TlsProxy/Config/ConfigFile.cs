using System.Collections;
using System.Text.Json;

namespace TlsProxy.Config;

/// <summary>
/// The configuration as text: the file, and over it the environment. What was read once is what runs; nothing
/// is watched.
/// </summary>
/// <param name="Root">Both sections, overrides applied.</param>
/// <param name="Name">For messages: the absolute path, or "the built-in default".</param>
/// <param name="Folder">Absolute; relative paths inside are relative to it.</param>
internal sealed record ConfigFile(IConfigurationRoot Root, string Name, string Folder)
{
    /// <summary>
    /// Used when no --config is given and it exists; otherwise the copy of it that is built in.
    /// </summary>
    public const string DefaultFileName = "appsettings.json";

    /// <summary>The keys at the root of the file.</summary>
    public static readonly string[] Sections = ["TlsProxy", "ReverseProxy", "Logging"];

    /// <summary>Reads the file; null when that failed, which <paramref name="report"/> then explains.</summary>
    /// <param name="path">What --config names, or null.</param>
    /// <param name="workingFolder">Where a relative path starts.</param>
    /// <param name="environment">The process's variables.</param>
    /// <param name="report">Takes the errors.</param>
    public static ConfigFile? Read(string? path, string workingFolder, IDictionary environment, ConfigReport report)
    {
        string file = Path.GetFullPath(path ?? DefaultFileName, workingFolder);
        if (path is null && !File.Exists(file))
        {
            using Stream builtIn = typeof(ConfigFile).Assembly.GetManifestResourceStream(DefaultFileName)!;
            return Parse(builtIn, "the built-in default", workingFolder, environment, report);
        }

        try
        {
            using FileStream stream = File.OpenRead(file);
            return Parse(stream, file, Path.GetDirectoryName(file)!, environment, report);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            report.Error(file, "there is no such file; check the path given with --config.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.Error(file, $"cannot be read ({e.Message}); check its permissions.");
        }

        return null;
    }

    private static ConfigFile? Parse(
        Stream json, string name, string folder, IDictionary environment, ConfigReport report)
    {
        try
        {
            IConfigurationRoot file = new ConfigurationBuilder().AddJsonStream(json).Build();
            foreach (string key in file.GetChildren().Select(c => c.Key).Except(Sections, StringComparer.OrdinalIgnoreCase))
            {
                report.Error(key.Length > 0 ? key : $"{name}, key ''", $"there is no such section; {NearestName.Suggest(key, Sections)}");
            }

            IConfigurationRoot root = new ConfigurationBuilder()
                .AddConfiguration(file)
                .AddInMemoryCollection(Overrides(environment))
                .Build();
            return new ConfigFile(root, name, folder);
        }
        catch (JsonException e)
        {
            // The reader's message ends with its own, zero-based position.
            string reason = e.Message.Split(" LineNumber:")[0].Split(" Path:")[0];
            report.Error($"{name}({e.LineNumber + 1},{e.BytePositionInLine + 1})", $"is not valid JSON: {reason}");
        }
        catch (InvalidOperationException)
        {
            // The framework's reader finds out late, and says so as if the program had called it wrongly.
            report.Error(name, "is not valid JSON: a text has half of a surrogate pair; write \\uD83D\\uDE00, not \\uD83D alone.");
        }
        catch (FormatException e)
        {
            report.Error(name, $"{e.Message} Keys do not differ by case; merge the two entries.");
        }

        return null;
    }

    // TlsProxy__Listeners__https__Address=… replaces one value. Only names with the prefix of a section
    // count, so that the rest of the environment can never break a start.
    private static IEnumerable<KeyValuePair<string, string?>> Overrides(IDictionary environment) =>
        from DictionaryEntry variable in environment
        let name = (string)variable.Key
        where Sections.Any(s => name.StartsWith(s + "__", StringComparison.OrdinalIgnoreCase) && s != "Logging")
        select KeyValuePair.Create(name.Replace("__", ConfigurationPath.KeyDelimiter, StringComparison.Ordinal), (string?)variable.Value);
}
