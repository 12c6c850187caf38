using System.Net;
using TestKit;
using Xunit;

namespace TlsProxy.Tests.Attacks;

/// <summary>Something is killed in the middle.</summary>
internal static class EndAttacks
{
    public static Attack[] All { get; } =
    [
        new("backend killed (SIGKILL) in the middle of answers", KillBackendAsync)
        {
            // An HTTP/2 connection outlives an answer that was cut off.
            DescriptorGrowthMax = Attack.Descriptors(Answers, each: Rounds + 1),
        },
        new("SIGTERM in the middle of answers", TerminateAsync) { Alone = settings => settings, EndsProxy = true, DescriptorGrowthMax = Attack.Descriptors(Answers, each: 2) },
    ];

    private static async Task<string> KillBackendAsync(AttackScene scene)
    {
        for (int round = 0; round < Rounds; round++)
        {
            HttpResponseMessage[] answers = await BeginAsync(scene, $"/throttled/{AttackFixture.MortalLength}", Answers);
            await scene.Origins.Mortal.KillAsync();
            foreach (HttpResponseMessage answer in answers)
            {
                Exception? cut = await Record.ExceptionAsync(() => answer.Content.CopyToAsync(Stream.Null).WaitAsync(Timeouts.Exchange));
                Assert.True(cut is HttpRequestException, $"A body that was cut ended with: {cut}");
            }

            await scene.ServeGoodClientAsync();
            await scene.Origins.Mortal.RestartAsync();
            using HttpClient client = scene.Proxy.CreateClient();
            Assert.Equal(AttackFixture.MortalLength, (await client.GetByteArrayAsync($"/throttled/{AttackFixture.MortalLength}")).LongLength);
        }

        return $"{Answers} answers cut off, {Rounds} times";
    }

    private static async Task<string> TerminateAsync(AttackScene scene)
    {
        HttpResponseMessage[] answers = await BeginAsync(scene, "/slow?milliseconds=1500", Answers);
        await scene.Proxy.TerminateAsync();
        foreach (HttpResponseMessage answer in answers)
        {
            Assert.Equal("begin\nend\n", await answer.Content.ReadAsStringAsync().WaitAsync(Timeouts.Exchange));
        }

        // A client that keeps its connection open has ten seconds for the last bytes.
        await scene.DisposeAsync();
        Assert.Equal(0, await scene.Proxy.WaitForExitAsync());
        return $"{Answers} answers under way came whole, exit code 0";
    }

    private static int Rounds => TestScale.Choose(1, 5);

    private static int Answers => TestScale.Choose(20, 100);

    // HTTP/1.1 and HTTP/2 in turn; each answer's head has come, its body has not.
    private static async Task<HttpResponseMessage[]> BeginAsync(AttackScene scene, string path, int count)
    {
        HttpResponseMessage[] answers = await Task.WhenAll(
            Enumerable.Range(0, count).Select(number => scene.Hold(
                scene.Proxy.CreateClient(number % 2 == 0 ? HttpVersion.Version11 : HttpVersion.Version20, Timeouts.Program))
                .GetAsync(path, HttpCompletionOption.ResponseHeadersRead)));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        return answers;
    }
}
