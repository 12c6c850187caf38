namespace Aead.Tests.Vectors;

/// <summary>
/// Blocks of "name: value" lines, parted by empty lines; # starts a comment. A name may come more than once.
/// </summary>
internal sealed class VectorFile
{
    private readonly ILookup<string, string> _values;

    private VectorFile(string block) => _values = block.Split('\n')
        .Where(line => line.Length > 0 && line[0] != '#')
        .Select(line => line.Split(':', 2, StringSplitOptions.TrimEntries))
        .ToLookup(pair => pair[0], pair => pair[1]);

    public static IReadOnlyList<VectorFile> Read(string name)
    {
        using Stream stream = typeof(VectorFile).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return [.. reader.ReadToEnd().Split("\n\n")
            .Select(block => new VectorFile(block))
            .Where(vector => vector._values.Count > 0)];
    }

    public string Text(string name) => _values[name].Single();

    public byte[] Bytes(string name) => Convert.FromHexString(Text(name));

    public IReadOnlyList<byte[]> AllBytes(string name) => [.. _values[name].Select(Convert.FromHexString)];
}
