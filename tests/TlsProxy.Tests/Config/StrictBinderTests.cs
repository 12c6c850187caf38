using Microsoft.Extensions.Configuration;
using TlsProxy.Config;
using Xunit;

namespace TlsProxy.Tests.Config;

[Trait("Claim", "C6")]
public sealed class StrictBinderTests
{
    [Fact]
    public void SetsWhatIsThereAndKeepsTheDefaultsOfTheRest()
    {
        Sample sample = Bind(("count", "7"), ("Names:0", "a"), ("Names:1", "b"), ("Map:X:Count", "9"), ("Pause", "00:00:02"), ("Colour", "red"));
        Assert.Equal((7, "unset", TimeSpan.FromSeconds(2), Colour.Red), (sample.Count, sample.Text, sample.Pause, sample.Colour));
        Assert.Equal(["a", "b"], sample.Names);
        Assert.Equal(9, sample.Map["x"].Count);
    }

    [Theory]
    [InlineData("Coutn", "1", "S:Coutn: there is no such setting; did you mean 'Count'?")]
    [InlineData("Map:a:Coutn", "1", "S:Map:a:Coutn: there is no such setting; did you mean 'Count'?")]
    [InlineData("Count", "seven", "S:Count: 'seven' is not a whole number up to 2147483647.")]
    [InlineData("Count", "", "S:Count: '' is not a whole number up to 2147483647.")]
    [InlineData("Colour", "1", "S:Colour: '1' is not one of Blue, Red.")]
    [InlineData("Colour", "Red, Blue", "S:Colour: 'Red, Blue' is not one of Blue, Red.")]
    [InlineData("Pause", "5", "S:Pause: '5' is not a time span such as 00:00:10 (hours:minutes:seconds).")]
    [InlineData("Names", "a", "S:Names: expects a list [ … ], not the value 'a'.")]
    [InlineData("Map", "a", "S:Map: expects an object { \"name\": … }, not the value 'a'.")]
    [InlineData("Map:a", "b", "S:Map:a: expects an object { … }, not the value 'b'.")]
    [InlineData("Count:x", "1", "S:Count: expects a whole number up to 2147483647, not an object or a list.")]
    public void SaysWhatItCannotUse(string key, string value, string sentence)
    {
        var report = new ConfigReport();
        Bind(report, (key, value));
        Assert.Equal([sentence], report.Errors);
    }

    /// <summary>A new property of a type without a parser would only fail when somebody sets it.</summary>
    [Fact]
    public void KnowsEveryTypeOfTheOptions()
    {
        var report = new ConfigReport();
        var root = new ConfigurationBuilder().AddInMemoryCollection([new("S:Listeners:a:Nothing", "")]).Build();
        new StrictBinder(report).Bind<TlsProxyOptions>(root.GetSection("S"));
        Assert.Single(report.Errors);
        AssertKnown(typeof(TlsProxyOptions));
    }

    private static void AssertKnown(Type type)
    {
        foreach (Type property in type.GetProperties().Select(p => Nullable.GetUnderlyingType(p.PropertyType) ?? p.PropertyType))
        {
            Type leaf = property.IsGenericType ? property.GetGenericArguments()[^1] : property;
            if (!ScalarParser.CanParse(leaf))
            {
                Assert.NotNull(leaf.GetConstructor([]));
                AssertKnown(leaf);
            }
        }
    }

    private static Sample Bind(params (string Key, string? Value)[] pairs)
    {
        var report = new ConfigReport();
        Sample sample = Bind(report, pairs);
        Assert.Empty(report.Errors);
        return sample;
    }

    private static Sample Bind(ConfigReport report, params (string Key, string? Value)[] pairs)
    {
        IConfigurationRoot root = new ConfigurationBuilder()
            .AddInMemoryCollection(pairs.Select(p => KeyValuePair.Create($"S:{p.Key}", p.Value)))
            .Build();
        return new StrictBinder(report).Bind<Sample>(root.GetSection("S"));
    }

    internal sealed class Sample
    {
        public int Count { get; set; } = 1;

        public string Text { get; set; } = "unset";

        public TimeSpan? Pause { get; set; }

        public Colour Colour { get; set; }

        public List<string> Names { get; set; } = [];

        public Dictionary<string, Sample> Map { get; set; } = [];
    }

    internal enum Colour
    {
        Blue,
        Red,
    }
}
