using System.Text.RegularExpressions;
using TestKit;
using Xunit;

namespace TlsProxy.Tests;

/// <summary>docs/threat-model.md and the tests agree: a claim is held by exactly the tests that carry its name.</summary>
public sealed partial class ThreatModelTests
{
    [Fact]
    public void EveryClaimNamesExactlyTheTestsThatHoldIt() => Assert.Equal(Named(Document), Held(Sources()));

    [Fact]
    public void EveryClaimHasATest() =>
        Assert.Equal([], Claim().Matches(Document)
            .Where(claim => !Test().IsMatch(claim.Groups["tests"].Value))
            .Select(claim => claim.Groups["id"].Value));

    [Fact]
    public void NoClaimIsMadeTwice()
    {
        string[] ids = [.. Claim().Matches(Document).Select(claim => claim.Groups["id"].Value)];
        Assert.NotEmpty(ids);
        Assert.Equal(ids.Distinct(), ids);
    }

    /// <summary>That the comparison can fail: any one of the tests by another name, and it is not the same any more.</summary>
    [Fact]
    public void ATestByAnotherNameIsNoticed()
    {
        (string Project, string Text)[] sources = [.. Sources()];
        foreach (string test in Held(sources).Select(pair => pair.Test).Distinct())
        {
            string name = test[(test.LastIndexOfAny(['/', '.']) + 1)..];
            var renamed = sources.Select(source => (source.Project, Regex.Replace(source.Text, $@"\b{name}\b", name + "2")));
            Assert.NotEqual(Named(Document), Held(renamed));
        }
    }

    private static string Document { get; } = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "threat-model.md"));

    // The table: | id | claim | ... | `Project/Class`, `Project/Class.Method` |
    private static SortedSet<(string Claim, string Test)> Named(string document) =>
    [
        .. from claim in Claim().Matches(document)
           from test in Test().Matches(claim.Groups["tests"].Value)
           select (claim.Groups["id"].Value, test.Groups["name"].Value),
    ];

    private static SortedSet<(string Claim, string Test)> Held(IEnumerable<(string Project, string Text)> sources) =>
    [
        .. from source in sources
           from trait in Trait().Matches(source.Text)
           select (trait.Groups["id"].Value, $"{source.Project}/{NameAt(source.Text, trait.Index)}"),
    ];

    private static string NameAt(string text, int index)
    {
        Match declaration = Declaration().Match(text, index);
        return declaration.Groups["class"].Success
            ? declaration.Groups["class"].Value
            : $"{Declaration().Matches(text[..index]).Last(d => d.Groups["class"].Success).Groups["class"].Value}.{declaration.Groups["method"].Value}";
    }

    private static IEnumerable<(string Project, string Text)> Sources() =>
        RepositoryFiles.Sources("tests").Select(source => (source.Path.Split('/')[1], source.Text));

    [GeneratedRegex(@"^\| (?<id>[IC]\d+) \|.*\| (?<tests>[^|]*) \|$", RegexOptions.Multiline)]
    private static partial Regex Claim();

    [GeneratedRegex("`(?<name>[^`]+)`")]
    private static partial Regex Test();

    [GeneratedRegex("""^ *\[Trait\("Claim", "(?<id>\w+)"\)\]""", RegexOptions.Multiline)]
    private static partial Regex Trait();

    [GeneratedRegex(@"\bclass (?<class>\w+)|^    public [\w<> ]*?\b(?<method>\w+)(<\w+>)?\(", RegexOptions.Multiline)]
    private static partial Regex Declaration();
}
