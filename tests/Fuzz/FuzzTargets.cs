using Fuzz.Targets;

namespace Fuzz;

/// <summary>Every target there is.</summary>
public static class FuzzTargets
{
    public static IReadOnlyList<IFuzzTarget> All { get; } =
    [
        new RecordTarget(),
        new ControlTarget(),
        new ClientHelloTarget(),
        new HandshakeTarget(),
        new FlightTarget(),
        new ConfigurationTarget(),
    ];

    public static IFuzzTarget? Find(string name) =>
        All.FirstOrDefault(target => target.Name == name) ?? (name == PlantedTarget.TargetName ? new PlantedTarget() : null);

    /// <summary>Writes the seeds of every target to a folder of its name.</summary>
    public static void WriteSeeds(string folder)
    {
        foreach (IFuzzTarget target in All)
        {
            string place = Directory.CreateDirectory(Path.Combine(folder, target.Name)).FullName;
            foreach ((string name, byte[] input) in target.Seeds())
            {
                File.WriteAllBytes(Path.Combine(place, name), input);
            }
        }
    }
}
