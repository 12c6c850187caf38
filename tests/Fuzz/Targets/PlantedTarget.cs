namespace Fuzz.Targets;

/// <summary>Not the product's: whether afl-fuzz is guided by coverage and notices a crash.</summary>
internal sealed class PlantedTarget : IFuzzTarget
{
    public const string TargetName = "planted";

    public string Name => TargetName;

    public string Oracle => "The planted fault is found.";

    public void Run(ReadOnlySpan<byte> input) => PlantedFault.Run(input);

    public IEnumerable<(string Name, byte[] Input)> Seeds() => [("start", "start"u8.ToArray())];
}

/// <summary>
/// A fault behind three comparisons, one after the other. A search that is guided keeps the inputs that pass one and two of them, for no other
/// reason than that they reach new code.
/// </summary>
// A class of its own, because it is instrumented, and nothing instrumented may run before the trace memory is there.
internal static class PlantedFault
{
    public static void Run(ReadOnlySpan<byte> input)
    {
        if (Is(input, 0, 0xF) && Is(input, 1, 0x8) && Is(input, 2, 0xA))
        {
            throw new InvalidOperationException("This fault was planted.");
        }
    }

    private static bool Is(ReadOnlySpan<byte> input, int index, int nibble) => index < input.Length && input[index] >> 4 == nibble;
}
