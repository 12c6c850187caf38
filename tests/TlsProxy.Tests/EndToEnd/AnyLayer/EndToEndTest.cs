using TestKit.Processes;
using Xunit;

namespace TlsProxy.Tests.EndToEnd.AnyLayer;

/// <summary>Whose test fails gets the proxy's own words with it.</summary>
public abstract class EndToEndTest(ProxyProcess proxy) : IDisposable
{
    protected ProxyProcess Proxy { get; } = proxy;

    public void Dispose()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"The proxy so far:\n{Proxy.Output}");
        }

        GC.SuppressFinalize(this);
    }
}

/// <summary>Tests that measure time or memory, or need a well-known port, run by themselves.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneDefinition
{
    public const string Name = "Alone";
}
