using Bench.Compare.Origins;

namespace Bench.Compare.Peers;

/// <summary>What all peers are given alike.</summary>
/// <param name="Folder">For their configurations.</param>
/// <param name="Published">Where bench/run published the .NET programs.</param>
/// <param name="Certificate">What they show.</param>
/// <param name="Workers">Processes or threads, for those who ask: one per processor.</param>
/// <param name="Connections">How many clients they must have room for.</param>
internal sealed record PeerSetting(string Folder, string Published, ServerCertificate Certificate, int Workers, int Connections)
{
    public string Write(string name, string text)
    {
        string file = Path.Combine(Folder, name);
        File.WriteAllText(file, text);
        return file;
    }
}
