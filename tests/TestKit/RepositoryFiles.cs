namespace TestKit;

/// <summary>Where things are in this checkout, found from the test's own executable.</summary>
public static class RepositoryFiles
{
    /// <summary>The directory that holds TlsProxy.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>
    /// The proxy under test: the one built beside this test (same configuration), or TLSPROXY_EXECUTABLE, to
    /// test a published build.
    /// </summary>
    public static string ProxyExecutable { get; } =
        Environment.GetEnvironmentVariable("TLSPROXY_EXECUTABLE") is { Length: > 0 } named
            ? Path.GetFullPath(named)
            : Path.Combine(Root, "src", "TlsProxy", "bin", Configuration, TargetFramework, "TlsProxy");

    /// <summary>The OpenSSL 3.5 that tests/tools/get-openssl35 unpacked, started by its own loader.</summary>
    public static string OpenSsl35 { get; } = Path.Combine(Root, ".tools", "openssl35", "openssl");

    /// <summary>The C# files below these folders of the checkout, by their paths in it; none that a build wrote.</summary>
    public static IEnumerable<(string Path, string Text)> Sources(params string[] folders) =>
        from folder in folders
        from file in Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
        let path = Path.GetRelativePath(Root, file)
        where !path.Split('/').Any(part => part is "obj" or "bin")
        select (path, File.ReadAllText(file));

    /// <summary>A room of the product as it was built, in this test's configuration.</summary>
    public static string Built(string room) => Path.Combine(Root, "src", room, "bin", Configuration, TargetFramework, room + ".dll");

    private static string Configuration => Path.GetFileName(Path.GetDirectoryName(OutputDirectory))!;

    private static string TargetFramework => Path.GetFileName(OutputDirectory);

    private static string OutputDirectory => AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar);

    private static string FindRoot()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "TlsProxy.sln")))
            {
                return at.FullName;
            }
        }

        throw new InvalidOperationException($"No TlsProxy.sln above {AppContext.BaseDirectory}.");
    }
}
