namespace TestKit;

/// <summary>
/// A fresh directory that is deleted on Dispose. Under TMPDIR, so large bodies can be sent elsewhere.
/// </summary>
/// <param name="parent">Where it is; null for the system's usual place.</param>
public sealed class TemporaryDirectory(string? parent = null) : IDisposable
{
    /// <summary>Its absolute path.</summary>
    public string FullPath { get; } = parent is null
        ? Directory.CreateTempSubdirectory(Prefix).FullName
        : Directory.CreateDirectory(Path.Combine(parent, Prefix + Path.GetRandomFileName())).FullName;

    /// <summary>The absolute path of a file in it.</summary>
    public string File(string name) => Path.Combine(FullPath, name);

    public void Dispose()
    {
        try
        {
            Directory.Delete(FullPath, recursive: true);
        }
        catch (IOException)
        {
            // A killed browser may still be writing its profile; a leftover directory under TMPDIR harms no
            // test.
        }
    }

    private const string Prefix = "tlsproxy-test-";
}
