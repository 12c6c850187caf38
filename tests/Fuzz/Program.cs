using System.Diagnostics;
using System.Reflection;
using SharpFuzz;

namespace Fuzz;

/// <summary>
/// <c>Fuzz TARGET</c> serves afl-fuzz. <c>Fuzz TARGET FILE...</c> replays files without it. <c>Fuzz seeds FOLDER</c> writes the corpus.
/// <c>Fuzz list</c> prints each target with its oracle. <c>Fuzz capture FOLDER NAME COMMAND...</c> adds a real client's first record to the corpus.
/// </summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args is ["list"])
        {
            foreach (IFuzzTarget target in FuzzTargets.All)
            {
                Console.WriteLine($"{target.Name}\t{target.Oracle}");
            }

            return 0;
        }

        if (args is ["seeds", string folder])
        {
            FuzzTargets.WriteSeeds(folder);
            return 0;
        }

        if (args is ["capture", string corpus, string name, string command, .. string[] arguments])
        {
            return await ClientHelloCapture.RunAsync(corpus, name, command, arguments);
        }

        if (args.Length == 0 || FuzzTargets.Find(args[0]) is not { } chosen)
        {
            Console.Error.WriteLine("Usage: Fuzz list | seeds FOLDER | capture FOLDER NAME COMMAND... | TARGET [FILE...]");
            return 2;
        }

        if (args.Length > 1)
        {
            return Replay(chosen, args[1..]);
        }

        // In a process of its own behind the one that speaks with afl-fuzz, so that a fault on a guarded page is a crash like any other.
        Fuzzer.OutOfProcess.Run(input => RunOnce(chosen, input));
        return 0;
    }

    private static int Replay(IFuzzTarget target, string[] files)
    {
        if (files.Length == 1)
        {
            // What the product catches and answers is often the story behind what it answers.
            AppDomain.CurrentDomain.FirstChanceException += (_, thrown) =>
                Console.WriteLine($"on the way: {thrown.Exception.GetType().Name}: {thrown.Exception.Message}\n{new StackTrace(1)}");
        }

        int failed = 0;
        foreach (string file in files)
        {
            try
            {
                target.Run(File.ReadAllBytes(file));
            }
            catch (Exception e)
            {
                Console.WriteLine($"{file}: {e}");
                failed++;
            }
        }

        Console.WriteLine($"{files.Length - failed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    private static void RunOnce(IFuzzTarget target, Stream input)
    {
        using var bytes = new MemoryStream();
        input.CopyTo(bytes);

        // Else the first edge of this run would begin in the last run.
        PreviousLocation?.SetValue(null, 0);
        target.Run(bytes.ToArray());
    }

    // By its name: an assembly that refers to it counts as instrumented already.
    private static readonly FieldInfo? PreviousLocation =
        Type.GetType("SharpFuzz.Common.Trace, SharpFuzz.Common")?.GetField("PrevLocation");
}
