using TestKit.Processes;
using Xunit;

namespace Kernel.Tests.EndToEnd;

/// <summary>Whose test fails gets the proxy's words with it.</summary>
public abstract class KernelProxyTest(KernelProxies proxies) : IDisposable
{
    protected KernelProxies Proxies { get; } = proxies;

    protected ProxyProcess Proxy(LayerChoice layers) => Proxies[layers];

    public void Dispose()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            IEnumerable<string> lines = Proxy(LayerChoice.Both).Output.Split('\n').TakeLast(LinesShown);
            TestContext.Current.TestOutputHelper?.WriteLine($"The proxy's last lines:\n{string.Join('\n', lines)}");
        }

        GC.SuppressFinalize(this);
    }

    private const int LinesShown = 60;
}
