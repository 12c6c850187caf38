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
/// A fault behind three comparisons, one after the other: blind chance meets it once in 2^24 inputs, a search that sees each of them within
/// seconds.
/// </summary>
// A class of its own, because it is instrumented, and nothing instrumented may run before the trace memory is there.
internal static class PlantedFault
{
    public static void Run(ReadOnlySpan<byte> input)
    {
        if (At(input, 0) == 'f' && At(input, 1) == 'u' && At(input, 2) == 'z')
        {
            throw new InvalidOperationException("This fault was planted.");
        }
    }

    private static byte At(ReadOnlySpan<byte> input, int index) => index < input.Length ? input[index] : (byte)0;
}
