using TlsProxy.Tests.EndToEnd.AnyLayer;
using Xunit;

namespace Kernel.Tests.EndToEnd;

/// <summary>The man in the middle, between a client and a kernel that both sends and receives.</summary>
[Collection(KernelProxiesDefinition.Name)]
[Trait("Needs", "HostPrograms")]
public sealed class TamperingOnBothTests(KernelProxies proxies) : InterferenceTests(proxies[LayerChoice.Both], proxies.Kestrel);

/// <summary>The same with a kernel that only receives: the alert is sent by the proxy.</summary>
[Collection(KernelProxiesDefinition.Name)]
[Trait("Needs", "HostPrograms")]
public sealed class TamperingOnReceiveOnlyTests(KernelProxies proxies) : InterferenceTests(proxies[LayerChoice.ReceiveOnly], proxies.Kestrel);

/// <summary>The same with a kernel that only sends: the forgery is found by the proxy.</summary>
[Collection(KernelProxiesDefinition.Name)]
[Trait("Needs", "HostPrograms")]
public sealed class TamperingOnTransmitOnlyTests(KernelProxies proxies) : InterferenceTests(proxies[LayerChoice.TransmitOnly], proxies.Kestrel);
