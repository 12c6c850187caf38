using TlsProxy.Config;
using Xunit;

namespace TlsProxy.Tests.Config;

public sealed class NearestNameTests
{
    [Theory]
    [InlineData("adress", "Address")]
    [InlineData("Addres", "Address")]
    [InlineData("KEY", "Key")]
    [InlineData("MaxConnection", "MaxConnections")]
    [InlineData("completely different", null)]
    public void Finds(string typed, string? meant) =>
        Assert.Equal(meant, NearestName.Find(typed, ["Address", "Key", "MaxConnections", "MaxHandshakes"]));
}
