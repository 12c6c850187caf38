namespace TestKit;

/// <summary>
/// A fresh directory that is deleted on Dispose. Under TMPDIR, so large bodies can be sent elsewhere.
/// </summary>
public sealed class TemporaryDirectory : IDisposable
{
    /// <summary>Its absolute path.</summary>
    public string FullPath { get; } = Directory.CreateTempSubdirectory("tlsproxy-test-").FullName;

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
}
