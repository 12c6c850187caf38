using System.Globalization;
using Bench.Compare.Peers;
using Bench.Compare.Work;

namespace Bench.Compare;

/// <summary>What a run was asked for.</summary>
internal sealed record CommandLine
{
    public static readonly string Usage = $"""
        bench/run [OPTION]...
          --rounds N                         every round runs every peer; defaults to 3
          --seconds N                        of one load; defaults to 5
          --only PEER,...                    {string.Join(", ", PeerCatalogue.Usual)}; on request {string.Join(", ", PeerCatalogue.OnRequest)}
          --work NAME,...                    {string.Join(", ", WorkCatalogue.Usual)}; on request {ConnectionsWork.GroupName}
          --variant NAME=KEY:VALUE,...       one more copy of our proxy with these environment variables, such as
                                             flip=TlsProxy__Pages__Delivery:Flip; may be given again
          --json FILE                        keep every number
          --quick                            1 round of 2 s and hardly any warm-up: does it work?
        bench/plot RESULTS.json... FOLDER    the tables again, and pictures
        """;

    public required string Published { get; init; }

    public int Rounds { get; init; } = 3;

    public required Pace Pace { get; init; }

    public IReadOnlyCollection<string> Peers { get; init; } = PeerCatalogue.Usual;

    public IReadOnlyList<Workload> Work { get; init; } = [];

    public IReadOnlyList<Variant> Variants { get; init; } = [];

    public string? JsonFile { get; init; }

    /// <exception cref="BenchException">Something is not understood.</exception>
    public static CommandLine Parse(string[] args)
    {
        bool quick = args.Contains("--quick");
        int rounds = quick ? 1 : 3;
        int seconds = quick ? 2 : 5;
        (string published, string? json) = ("", null);
        IReadOnlyCollection<string> peers = PeerCatalogue.Usual;
        IReadOnlyCollection<string> work = WorkCatalogue.Usual;
        List<Variant> variants = [];
        Queue<string> left = new(args.Where(arg => arg != "--quick"));
        while (left.TryDequeue(out string? option))
        {
            string value = left.TryDequeue(out string? next) ? next : throw new BenchException($"{option} takes a value.\n{Usage}");
            switch (option)
            {
                case "--published": published = value; break;
                case "--rounds": rounds = Count(option, value); break;
                case "--seconds": seconds = Count(option, value); break;
                case "--only": peers = Names(option, value, [.. PeerCatalogue.Usual, .. PeerCatalogue.OnRequest]); break;
                case "--work": work = Names(option, value, WorkCatalogue.Groups); break;
                case "--variant": variants.Add(ParseVariant(value)); break;
                case "--json": json = Path.GetFullPath(value); break;
                default: throw new BenchException($"'{option}' is not understood.\n{Usage}");
            }
        }

        return new CommandLine
        {
            Published = Path.GetFullPath(published),
            Rounds = rounds,
            Pace = quick ? Pace.Quick(seconds) : Pace.Usual(seconds),
            Peers = peers,
            Work = [.. WorkCatalogue.All.Where(w => work.Contains(w.Group))],
            Variants = variants,
            JsonFile = json,
        };
    }

    private static int Count(string option, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is >= 1 and <= 1000
            ? count
            : throw new BenchException($"{option} {value}: write a number from 1 to 1000.");

    private static string[] Names(string option, string value, string[] known)
    {
        string[] names = value.Split(',');
        string? unknown = Array.Find(names, name => !known.Contains(name));
        return unknown is null ? names : throw new BenchException($"{option}: there is no '{unknown}'; there are {string.Join(", ", known)}.");
    }

    private static Variant ParseVariant(string text)
    {
        string[] nameAndRest = text.Split('=', 2);
        string[][] pairs = [.. nameAndRest[^1].Split(',').Select(pair => pair.Split(':', 2))];
        bool isNew = !PeerCatalogue.Usual.Concat(PeerCatalogue.OnRequest).Contains(nameAndRest[0]);
        return isNew && nameAndRest.Length == 2 && nameAndRest[0].All(c => char.IsAsciiLetterOrDigit(c) || c == '-') && pairs.All(p => p.Length == 2)
            ? new Variant(nameAndRest[0], pairs.ToDictionary(pair => pair[0], pair => pair[1]))
            : throw new BenchException(
                $"--variant {text}: write NAME=KEY:VALUE,... with a new name of letters, digits and dashes, "
                + "such as flip=TlsProxy__Pages__Delivery:Flip.");
    }
}
