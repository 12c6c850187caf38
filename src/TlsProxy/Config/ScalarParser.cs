using System.Globalization;

namespace TlsProxy.Config;

/// <summary>The values a setting can have, each with its one spelling and the words to ask for it.</summary>
internal static class ScalarParser
{
    public static bool CanParse(Type type) => type.IsEnum || Parsers.ContainsKey(type);

    public static bool TryParse(Type type, string text, out object? value)
    {
        value = type.IsEnum ? ParseEnum(type, text) : Parsers[type].Parse(text);
        return value is not null;
    }

    /// <summary>"a whole number", "one of Http, Tcp, Passthrough", …</summary>
    public static string Describe(Type type) =>
        type.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(type))}" : Parsers[type].Description;

    // Enum.Parse would take numbers and comma lists as well.
    private static object? ParseEnum(Type type, string text)
    {
        string? name = Array.Find(Enum.GetNames(type), n => n.Equals(text, StringComparison.OrdinalIgnoreCase));
        return name is null ? null : Enum.Parse(type, name);
    }

    // TimeSpan.Parse would read "10" as ten days.
    private static TimeSpan? ParseTimeSpan(string text) =>
        text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan span)
            ? span
            : null;

    private static readonly Dictionary<Type, (Func<string, object?> Parse, string Description)> Parsers = new()
    {
        [typeof(string)] = (text => text, "a text"),
        [typeof(bool)] = (text => bool.TryParse(text, out bool value) ? value : null, "true or false"),
        [typeof(int)] = (text => int.TryParse(text, CultureInfo.InvariantCulture, out int value) ? value : null,
            $"a whole number up to {int.MaxValue}"),
        [typeof(long)] = (text => long.TryParse(text, CultureInfo.InvariantCulture, out long value) ? value : null, "a whole number"),
        [typeof(TimeSpan)] = (text => ParseTimeSpan(text), "a time span such as 00:00:10 (hours:minutes:seconds)"),
        [typeof(Version)] = (text => Version.TryParse(text.Contains('.', StringComparison.Ordinal) ? text : text + ".0", out Version? value) ? value : null, "a version such as 1.1 or 2"),
        [typeof(Uri)] = (text => Uri.TryCreate(text, UriKind.Absolute, out Uri? value) ? value : null, "an absolute URL"),
    };
}
