using System.Collections;
using TlsProxy.Config;
using Xunit;

namespace TlsProxy.Tests.Config;

/// <summary>Where the text of the configuration comes from.</summary>
public sealed class EnvironmentTests(ConfigFolder folder) : IClassFixture<ConfigFolder>
{
    [Fact]
    public void AVariableReplacesAValueOfTheFile()
    {
        ConfigFile file = Read(new Hashtable { ["TLSPROXY__Listeners__https__Address"] = "127.0.0.1:1" });
        Assert.Equal("127.0.0.1:1", file.Root["TlsProxy:Listeners:https:Address"]);
    }

    [Fact]
    public void VariablesWithoutASectionsPrefixAreNotLookedAt()
    {
        ConfigFile file = Read(new Hashtable { ["TlsProxy"] = "x", ["TLSPROXY_HOME"] = "/opt", ["Logging__Console"] = "x", ["PATH"] = "/" });
        Assert.Equal("0.0.0.0:8443", file.Root["TlsProxy:Listeners:https:Address"]);
        Assert.Null(file.Root["TlsProxy"]);
        Assert.Empty(file.Root.GetSection("Logging").GetChildren());
    }

    [Fact]
    public void WithoutAFileTheBuiltInDefaultOfTheSameContentIsUsed()
    {
        var report = new ConfigReport();
        string empty = Directory.CreateDirectory(folder.PathOf("empty")).FullName;
        ConfigFile file = ConfigFile.Read(null, empty, new Hashtable(), report)!;
        Assert.Equal(("the built-in default", empty), (file.Name, file.Folder));
        Assert.Equal("0.0.0.0:8443", file.Root["TlsProxy:Listeners:https:Address"]);
        Assert.Empty(report.Errors);
    }

    [Fact]
    public void WithoutConfigTheFileInTheWorkingFolderIsUsed()
    {
        string used = Directory.CreateDirectory(folder.PathOf("used")).FullName;
        File.WriteAllText(Path.Combine(used, "appsettings.json"), """{ "TlsProxy": { "Listeners": { "a": { "Address": "127.0.0.1:2" } } } }""");
        ConfigFile file = ConfigFile.Read(null, used, new Hashtable(), new ConfigReport())!;
        Assert.Equal("127.0.0.1:2", file.Root["TlsProxy:Listeners:a:Address"]);
    }

    [Fact]
    public void RelativePathsStartAtTheFileAndNotAtTheWorkingFolder()
    {
        string file = folder.Write("relative.json", "{}");
        ConfigFile read = ConfigFile.Read(Path.GetRelativePath("/", file), "/", new Hashtable(), new ConfigReport())!;
        Assert.Equal((file, folder.FullPath), (read.Name, read.Folder));
    }

    private ConfigFile Read(IDictionary environment)
    {
        string working = Directory.CreateDirectory(folder.PathOf(Guid.NewGuid().ToString("N"))).FullName;
        return ConfigFile.Read(null, working, environment, new ConfigReport())!;
    }
}
