using TestKit.Processes;
using Xunit;

namespace Kernel.Tests.EndToEnd;

/// <summary>Whose test fails gets the words of the proxies it used with it.</summary>
public abstract class KernelProxyTest(KernelProxies proxies) : IDisposable
{
    private readonly List<ProxyProcess> _used = [];

    protected KernelProxies Proxies { get; } = proxies;

    protected ProxyProcess Proxy(LayerChoice layers)
    {
        _used.Add(Proxies[layers]);
        return Proxies[layers];
    }

    public void Dispose()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            foreach (ProxyProcess proxy in _used.Distinct())
            {
                IEnumerable<string> lines = proxy.Output.Split('\n').TakeLast(LinesShown);
                TestContext.Current.TestOutputHelper?.WriteLine($"The proxy's last lines:\n{string.Join('\n', lines)}");
            }
        }

        GC.SuppressFinalize(this);
    }

    private const int LinesShown = 60;
}
