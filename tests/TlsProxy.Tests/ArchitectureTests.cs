using System.Reflection;
using System.Text.RegularExpressions;
using TestKit;
using Xunit;

namespace TlsProxy.Tests;

/// <summary>The rules of the house that a compiler does not know, read from assemblies and from source text.</summary>
[Trait("Claim", "C7")]
public sealed partial class ArchitectureTests
{
    [Fact]
    public void ReferencesGoOneWay()
    {
        Assert.Empty(RoomsNamedBy(typeof(Aead.CipherSuite).Assembly));
        Assert.Equal(["Aead"], RoomsNamedBy(typeof(Ktls.TlsEndPoint).Assembly));
        Assert.Subset(new HashSet<string> { "Aead", "Ktls" }, RoomsNamedBy(typeof(Program).Assembly));
    }

    [Fact]
    public void AeadKnowsNoSocketAndNoWebServer() =>
        Assert.DoesNotContain(
            typeof(Aead.CipherSuite).Assembly.GetReferencedAssemblies(),
            a => a.Name!.StartsWith("Microsoft.", StringComparison.Ordinal) || a.Name == "System.Net.Sockets");

    [Theory]
    [InlineData(@"\bOrg\.BouncyCastle\b", "src/Ktls/Handshake/")]
    [InlineData(@"\bTmds\.", "src/Aead/Pages/PageMap.cs", "src/Aead/Pages/PageMemory.cs", "src/Ktls/Kernel/")]
    [InlineData(@"\bYarp\.", "src/TlsProxy/")]
    [InlineData(@"\bunsafe\b", "src/Aead/Pages/PageMap.cs", "src/Aead/Pages/PageMemory.cs", "src/Aead/Pages/GuardedSlot.cs",
        "src/Aead/Pages/StageSlot.cs", "src/Aead/Pages/ExposedPages.cs", "src/Aead/Algorithms/EvpCipher.cs", "src/Ktls/Kernel/EventQueue.cs", "src/Ktls/Kernel/HiddenReadRing.cs", "src/Ktls/Kernel/IoUring.cs",
        "src/Ktls/Kernel/KernelTlsSocket.cs", "src/Ktls/Kernel/ProcessHardening.cs", "src/Ktls/Kernel/SocketCalls.cs")]
    [InlineData(@"\b(DllImport|LibraryImport)\b", "src/Aead/Algorithms/EvpCipher.cs", "src/Ktls/Handshake/LibCrypto.cs")]
    // Invariant I1: verified plaintext becomes reachable where a stage or a kernel read exposes its slot and where the pool copies out of it,
    // and nowhere else. What the kernel has verified is taken for so by its record source alone.
    [InlineData(@"\bnew ExposedPages\(", "src/Aead/Pages/DecryptStage.cs", "src/Aead/Pages/PinnedPages.cs", "src/Aead/Pages/PagePool.cs")]
    [Trait("Claim", "I1")]
    public void StaysInItsPlace(string pattern, params string[] places)
    {
        var used = RepositoryFiles.Sources("src").Where(s => Regex.IsMatch(Code(s.Text), pattern)).Select(s => s.Path).ToList();
        Assert.NotEmpty(used);
        Assert.Equal([], used.Where(path => !places.Any(place => path.StartsWith(place, StringComparison.Ordinal))));
        Assert.Equal([], places.Where(place => !used.Exists(path => path.StartsWith(place, StringComparison.Ordinal))));
    }

    [Fact]
    public void TlsProxyNeedsNoUnsafeCode() =>
        Assert.DoesNotContain("AllowUnsafeBlocks", File.ReadAllText(PathOf("src/TlsProxy/TlsProxy.csproj")), StringComparison.Ordinal);

    [Fact]
    public void NoFileOfTheProductIsLongerThan300Lines() =>
        Assert.Equal([], RepositoryFiles.Sources("src").Where(s => s.Text.AsSpan().Count('\n') > 300).Select(s => s.Path));

    [Fact]
    public void NothingIsLeftForLater() =>
        Assert.Equal([], RepositoryFiles.Sources("src").Where(s => Unfinished().IsMatch(s.Text)).Select(s => s.Path));

    [Fact]
    public void EverySuppressionIsJustified() =>
        Assert.Equal([], RepositoryFiles.Sources("src", "tests")
            .Where(s => Suppression().Matches(s.Text).Any(m => !Justification().IsMatch(m.Value)))
            .Select(s => s.Path)
            .Where(path => !path.EndsWith("ArchitectureTests.cs", StringComparison.Ordinal)));

    [Fact]
    public void NamespacesFollowFolders() =>
        Assert.Equal([], RepositoryFiles.Sources("src")
            .Where(s => DeclaredNamespace().Match(s.Text) is { Success: true } declared
                && declared.Groups[1].Value != Path.GetDirectoryName(s.Path)!["src/".Length..].Replace('/', '.'))
            .Select(s => s.Path));

    /// <summary>Documents age; a name in backticks that looks like a file or a type of this repository must be one.</summary>
    [Fact]
    public void DocumentsNameWhatExists()
    {
        string[] sources = [.. RepositoryFiles.Sources("src", "tests").Select(s => s.Text)];
        var missing =
            from document in Documents()
            from Match quoted in Backticks().Matches(File.ReadAllText(document))
            let name = quoted.Groups[1].Value
            where LooksLikeAFile().IsMatch(name)
                ? !Path.Exists(PathOf(name))
                : LooksLikeAType().IsMatch(name) && !sources.Any(s => Regex.IsMatch(s, $@"\b{name}\b"))
            select $"{Path.GetRelativePath(RepositoryFiles.Root, document)}: {name}";
        Assert.Equal([], missing);
    }

    /// <summary>Every setting of the contract has its line in the reference, with its default.</summary>
    [Fact]
    public void EveryOptionIsInTheReference()
    {
        string reference = File.ReadAllText(PathOf("docs/operations.md"));
        Type[] options = [typeof(TlsProxy.Config.TlsProxyOptions), typeof(TlsProxy.Config.ListenerOptions),
            typeof(TlsProxy.Config.CertificateOptions), typeof(TlsProxy.Config.PageOptions), typeof(TlsProxy.Config.KernelOptions)];
        Assert.Equal([], options
            .SelectMany(o => o.GetProperties())
            .Where(p => !reference.Contains($"`{p.Name}`", StringComparison.Ordinal))
            .Select(p => $"{p.DeclaringType!.Name}.{p.Name}"));
    }

    /// <summary>Every code that says why the kernel is not used has its line in the reference.</summary>
    [Fact]
    public void EveryReasonIsInTheReference()
    {
        string reference = File.ReadAllText(PathOf("docs/operations.md"));
        string reasons = File.ReadAllText(PathOf("src/Ktls/Kernel/LayerReasons.cs"));
        string[] codes = [.. ReasonCode().Matches(reasons).Select(m => m.Groups[1].Value)];
        Assert.NotEmpty(codes);
        Assert.Equal([], codes.Where(code => !reference.Contains($"| {code} |", StringComparison.Ordinal)));
    }

    private static HashSet<string> RoomsNamedBy(Assembly assembly) =>
        [.. assembly.GetReferencedAssemblies().Select(a => a.Name!).Where(n => n is "Aead" or "Ktls" or "TlsProxy")];

    private static IEnumerable<string> Documents() =>
        Directory.EnumerateFiles(PathOf("docs"), "*.md", SearchOption.AllDirectories).Append(PathOf("README.md"));

    private static string PathOf(string path) => Path.Combine(RepositoryFiles.Root, path);

    // Comments may talk about what the code must not use.
    private static string Code(string text) => Comment().Replace(text, "");

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"NotImplementedException|\bTODO\b|\bFIXME\b|throw null!")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"(#pragma warning disable.*$|\[\w*: ?SuppressMessage\([^\]]*\]|\[SuppressMessage\([^\]]*\])", RegexOptions.Multiline)]
    private static partial Regex Suppression();

    [GeneratedRegex(@"disable \w+ // .|Justification = ""\w")]
    private static partial Regex Justification();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex DeclaredNamespace();

    [GeneratedRegex(@"""([a-z0-9]+(?:_[a-z0-9]+)+)""")]
    private static partial Regex ReasonCode();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex Backticks();

    [GeneratedRegex(@"^(src|tests|docs|bench)/[\w./-]*$")]
    private static partial Regex LooksLikeAFile();

    [GeneratedRegex("^[A-Z][a-z]+([A-Z][a-z0-9]+)+$")]
    private static partial Regex LooksLikeAType();
}
