using Aead.Pages;
using PageFault;

// Each case is a process of its own, for a fault on a guarded page cannot be caught. "Must die" cases print
// that they survived when they do, and then end with 0; the tests demand the signal.
string name = args.Length > 0 ? args[0] : "";
if (name == "status")
{
    Console.WriteLine(LockLimits.StatusUnder(args));
    return 0;
}

if (name == "ring")
{
    Console.WriteLine(RingCases.Run(args));
    return 0;
}

if (!Cases.ByName.TryGetValue(name, out Action<PagePool>? run))
{
    Console.Error.WriteLine($"Unknown case '{name}'.");
    return 2;
}

run(PagePool.Create(new PagePolicy { Delivery = Delivery.Flip }, stages: 1));
Console.WriteLine("survived");
return 0;
