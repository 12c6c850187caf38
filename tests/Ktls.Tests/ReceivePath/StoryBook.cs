using Aead.Pages;
using FsCheck;
using FsCheck.Fluent;
using Xunit;
using Xunit.Sdk;

namespace Ktls.Tests.ReceivePath;

/// <summary>Many stories, told to one record layer in each of its ways of delivery, and how many there were.</summary>
/// <param name="storyteller">Makes the storyteller of a way of delivery, who is patient for so long.</param>
internal sealed class StoryBook(Func<Delivery, TimeSpan, Storyteller> storyteller) : IAsyncDisposable
{
    private readonly Dictionary<Delivery, Storyteller> _storytellers = [];
    private readonly Dictionary<Delivery, int> _told = [];
    private TimeSpan _patience = TestKit.Timeouts.Exchange;
    private Exception? _failure;

    /// <summary>Draws stories and tells them; of a story that ends wrongly, a short version fails the test.</summary>
    public void Tell(Arbitrary<Story> stories, int count)
    {
        try
        {
            Prop.ForAll(stories, Tell).Check(Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(count));
        }
        catch (Exception falsified) when (_failure is IAssertionException)
        {
            // FsCheck throws a plain exception, which does not tell a broken promise from a fault on the way.
            Assert.Fail(falsified.Message);
        }
    }

    /// <summary>Tells one story.</summary>
    public void Tell(Story story)
    {
        if (!_storytellers.TryGetValue(story.Delivery, out Storyteller? teller))
        {
            _storytellers[story.Delivery] = teller = storyteller(story.Delivery, _patience);
        }

        try
        {
            Task.Run(() => teller.TellAsync(story)).GetAwaiter().GetResult();
        }
        catch (Exception failure)
        {
            _failure = failure;

            // What a story that failed has left behind must not spoil the next one, a shorter version of it: that gets another storyteller.
            // And a story that hangs is told many times until it is short, so not as patiently again.
            _storytellers.Remove(story.Delivery);
            teller.Witness.Dispose();
            _patience = TestKit.Timeouts.Exchange / 10;
            throw;
        }

        _told[story.Delivery] = _told.GetValueOrDefault(story.Delivery) + 1;
    }

    /// <summary>Each way of delivery did what its name says, and Auto both.</summary>
    public void AssertDeliveries()
    {
        foreach (Delivery delivery in Enum.GetValues<Delivery>())
        {
            (long slots, long copies) = _storytellers[delivery].Witness.Leases;
            Assert.True(delivery == Delivery.Copy || slots > 0, $"{delivery} never exposed a slot.");
            Assert.True(delivery == Delivery.Flip || copies > 0, $"{delivery} never copied.");
        }
    }

    /// <summary>One line for each way of delivery.</summary>
    public override string ToString() => $"{_told.Values.Sum()} stories\n" + string.Concat(_storytellers.Select(pair =>
        $"{pair.Key,-4} {_told.GetValueOrDefault(pair.Key),5} stories {pair.Value.Witness.Leases.Slots,6} leases in slots "
        + $"{pair.Value.Witness.Leases.Copies,6} copies {pair.Value.Witness.Looks,9} looks{pair.Value.Remark}\n"));

    public async ValueTask DisposeAsync()
    {
        foreach (Storyteller teller in _storytellers.Values)
        {
            await teller.DisposeAsync();
        }
    }
}
