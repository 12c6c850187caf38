using Fuzz;
using TestKit;
using Xunit;

namespace TlsProxy.Tests;

/// <summary>Every input of the fuzzers' corpus, and every one that ever failed, through the same targets without a fuzzer.</summary>
[Trait("Claim", "C1")]
[Trait("Claim", "C3")]
[Trait("Claim", "C6")]
public sealed class FuzzReplayTests
{
    public static TheoryData<string, string> Inputs =>
    [
        .. from folder in Folders
           from place in Directory.EnumerateDirectories(Path.Combine(Root, folder))
           from file in Directory.EnumerateFiles(place)
           select (Path.GetFileName(place), Path.GetRelativePath(Root, file)),
    ];

    [Theory]
    [MemberData(nameof(Inputs))]
    public void WhatATargetPromisesHolds(string target, string input) =>
        FuzzTargets.Find(target)!.Run(File.ReadAllBytes(Path.Combine(Root, input)));

    [Fact]
    public void EveryTargetHasItsCorpus() => Assert.Equal(
        FuzzTargets.All.Select(target => target.Name).Order(),
        Directory.EnumerateDirectories(Path.Combine(Root, "Corpus")).Select(Path.GetFileName).Order());

    [Fact]
    public void TheCorpusIsWhatItsGeneratorMakes()
    {
        foreach (IFuzzTarget target in FuzzTargets.All)
        {
            Assert.All(target.Seeds(), seed => Assert.True(
                seed.Input.AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(Root, "Corpus", target.Name, seed.Name))),
                $"{target.Name}/{seed.Name} is another now. Remedy: tests/Fuzz/make-corpus --generated"));
        }
    }

    private static readonly string[] Folders = ["Corpus", "Findings"];

    private static string Root { get; } = Path.Combine(RepositoryFiles.Root, "tests", "Fuzz");
}
