using System.Globalization;
using System.Text.RegularExpressions;
using TestKit;
using Xunit;

namespace TlsProxy.Tests;

/// <summary>How many cases the properties draw, all together: <see cref="CasesAttribute"/> is the only way to draw any.</summary>
public sealed partial class PropertyCasesTests
{
    [Fact]
    public void TheCheapOnesDrawAHundredThousand()
    {
        var cases = (from source in RepositoryFiles.Sources("tests")
                     from Match property in Cases().Matches(source.Text)
                     group Number(property) by source.Path.Split('/')[1]).ToDictionary(group => group.Key, group => group.Sum());
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", cases.Select(pair => $"{pair.Key} {pair.Value}")));
        Assert.InRange(cases.Values.Sum(), 100_000, int.MaxValue);
    }

    [Fact]
    public void NobodyDrawsAnUncountedNumber() =>
        Assert.Equal([], RepositoryFiles.Sources("tests").Where(source => Uncounted().IsMatch(source.Text)).Select(source => source.Path));

    private static int Number(Match property) => int.Parse(property.Groups[1].Value.Replace("_", ""), CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^ *\[Cases\(([0-9_]+)\)\]", RegexOptions.Multiline)]
    private static partial Regex Cases();

    [GeneratedRegex(@"^ *\[(Property\b|Properties\(.*MaxTest)", RegexOptions.Multiline)]
    private static partial Regex Uncounted();
}
