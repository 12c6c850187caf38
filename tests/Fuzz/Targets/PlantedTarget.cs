namespace Fuzz.Targets;

/// <summary>
/// Not the product's: a fault behind four comparisons that blind chance meets once in 2^32 inputs. That afl-fuzz finds it within seconds shows
/// that it is guided by coverage and that it notices a crash.
/// </summary>
internal sealed class PlantedTarget : IFuzzTarget
{
    public const string TargetName = "planted";

    public string Name => TargetName;

    public string Oracle => "The planted fault is found.";

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input is [(byte)'F', ..])
        {
            if (input is [_, (byte)'u', ..])
            {
                if (input is [_, _, (byte)'z', ..])
                {
                    if (input is [_, _, _, (byte)'z', ..])
                    {
                        throw new InvalidOperationException("This fault was planted.");
                    }
                }
            }
        }
    }

    public IEnumerable<(string Name, byte[] Input)> Seeds() => [("start", "start"u8.ToArray())];
}
