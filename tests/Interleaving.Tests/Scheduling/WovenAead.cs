using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using TestKit;

namespace Interleaving.Tests.Scheduling;

/// <summary>Brings the woven Aead in where the real one is asked for.</summary>
internal static class WovenAead
{
#pragma warning disable CA2255 // Nothing of this assembly may run, or be looked at, before.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Install() => AssemblyLoadContext.Default.Resolving += (context, name) => name.Name == "Aead"
        ? context.LoadFromStream(new MemoryStream(Weaver.Weave(RepositoryFiles.Built("Aead"), "Aead.Pages")))
        : null;
}
