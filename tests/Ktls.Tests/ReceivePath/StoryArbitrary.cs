using Aead;
using Aead.Pages;
using Aead.Records;
using FsCheck;
using FsCheck.Fluent;

namespace Ktls.Tests.ReceivePath;

/// <summary>Draws stories, and tells the simpler ones that a failing story could be about.</summary>
internal static class StoryArbitrary
{
    /// <param name="fits">Which stories a record layer can be told; null: all.</param>
    public static Arbitrary<Story> Create(Func<Story, bool>? fits = null)
    {
        Gen<Story> stories =
            from suite in Gen.Elements(CipherSuite.All.AsEnumerable())
            from delivery in Gen.Elements(Delivery.Flip, Delivery.Copy, Delivery.Auto)
            from records in Records(suite.Version)
            from tampering in Tamperings(suite, records)
            from chunking in Chunkings
            from habits in AllHabits
            from seed in Gen.Choose(0, 9999)
            select new Story(suite, delivery, records, tampering, chunking, habits, seed);
        fits ??= _ => true;
        return Arb.From(stories.Where(fits), story => Simpler(story).Where(fits));
    }

    private static Gen<SentRecord[]> Records(TlsVersion version)
    {
        bool tls13 = version == TlsVersion.Tls13;
        Gen<int> lengths = Gen.Frequency(
            (6, Gen.Choose(1, 64)),
            (3, Gen.Choose(65, Storyteller.FlipThreshold)),
            (2, Gen.Choose(Storyteller.FlipThreshold, RecordHeader.PlaintextLengthMax)),
            (1, Gen.Elements(16_382, 16_383, RecordHeader.PlaintextLengthMax)));
        Gen<int> paddings = tls13
            ? Gen.Frequency((4, Gen.Constant(0)), (2, Gen.Choose(1, 40)), (1, Gen.Choose(41, RecordHeader.PlaintextLengthMax)))
            : Gen.Constant(0);
        Gen<SentRecord> data =
            from length in lengths
            from padding in paddings
            select new SentRecord(RecordKind.Data, length, Math.Min(padding, RecordHeader.PlaintextLengthMax - length));
        Gen<SentRecord> empty = from padding in paddings select new SentRecord(RecordKind.Data, 0, padding);
        int keyWeight = tls13 ? 5 : 0;
        Gen<SentRecord> any = Gen.Frequency(
            (75, data),
            (8, empty),
            (5, Gen.Constant(new SentRecord(RecordKind.Warning))),
            (keyWeight, Gen.Constant(new SentRecord(RecordKind.KeyUpdate))),
            (keyWeight, Gen.Constant(new SentRecord(RecordKind.KeyUpdateRequest))),
            (2, Gen.Constant(new SentRecord(RecordKind.CloseNotify))));
        SentRecord[] closing = [new(RecordKind.CloseNotify)];
        return from count in Gen.Choose(0, RecordsMax)
               from records in any.ArrayOf(count)
               from closes in Gen.Frequency((4, Gen.Constant(true)), (1, Gen.Constant(false)))
               select closes ? [.. records, .. closing] : records;
    }

    private static Gen<Tampering> Tamperings(CipherSuite suite, SentRecord[] records) =>
        from kind in Gen.Frequency(Enum.GetValues<TamperingKind>()
            .Select(kind => (Weight(kind, suite, records), Gen.Constant(kind)))
            .Where(choice => choice.Item1 > 0))
        from record in Gen.Elements(Enumerable.Range(0, Math.Max(1, records.Length))
            .Where(record => new Tampering(kind, record).IsPossible(suite, records)))
        from amount in Gen.OneOf(Gen.Choose(0, 40), Gen.Choose(0, 200_000))
        select kind == TamperingKind.None ? Tampering.None : new Tampering(kind, record, amount);

    // Few suites have an explicit nonce, so it is drawn more often where there is one.
    private static int Weight(TamperingKind kind, CipherSuite suite, SentRecord[] records)
    {
        bool possible = kind == TamperingKind.None
            || Enumerable.Range(0, records.Length).Any(record => new Tampering(kind, record).IsPossible(suite, records));
        return !possible ? 0 : kind is TamperingKind.None or TamperingKind.FlipNonce ? 2 : 1;
    }

    // Sizes at which something can go wrong: within a header, a nonce, a tag, at a record's end, beyond a socket's buffer.
    private static Gen<Chunking> Chunkings =>
        from count in Gen.Choose(0, 4)
        from sizes in Gen.OneOf(
            Gen.Elements(1, 2, 4, 5, 6, 13, 16, 21, 22, 100), Gen.Choose(1, 2000), Gen.Elements(16_405, 16_406, 16_413, 33_000)).ArrayOf(count)
        from unhurried in Gen.Frequency((3, Gen.Constant(false)), (1, Gen.Constant(true)))
        select new Chunking(sizes, unhurried && count > 0);

    private static Gen<Habits> AllHabits =>
        from late in Gen.Frequency((3, Gen.Constant(false)), (1, Gen.Constant(true)))
        from tries in Gen.Elements(false, true)
        from takes in Gen.Frequency((3, Gen.Constant(100)), (2, Gen.Choose(1, 99)), (1, Gen.Constant(0)))
        from examinesAll in Gen.Elements(false, true)
        from keeps in Gen.Elements(Keeping.Nothing, Keeping.Memory, Keeping.Pins)
        from runs in Gen.Elements(Place.Inline, Place.Pool, Place.NewThreads)
        from leavesAfter in Gen.Frequency((7, Gen.Constant(0)), (1, Gen.Choose(1, 4)))
        from endsTwice in Gen.Elements(false, true)
        select new Habits(late, tries, takes, examinesAll, keeps, runs, leavesAfter, endsTwice);

    private static IEnumerable<Story> Simpler(Story story) => Simplifications(story)
        .Where(simpler => simpler.IsPossible && simpler.ToString() != story.ToString());

    // The boldest first: what survives all of them is short.
    private static IEnumerable<Story> Simplifications(Story story)
    {
        yield return story with { Habits = Habits.Plain };
        yield return story with { Chunking = Chunking.Whole };
        yield return story with { Tampering = Tampering.None };
        for (int i = 0; i < story.Records.Count; i++)
        {
            yield return Without(story, i);
        }

        for (int i = 0; i < story.Records.Count; i++)
        {
            foreach (SentRecord simpler in Simpler(story.Records[i]))
            {
                yield return story with { Records = [.. story.Records.Take(i), simpler, .. story.Records.Skip(i + 1)] };
            }
        }

        foreach (int amount in Smaller(story.Tampering.Amount, 0))
        {
            yield return story with { Tampering = story.Tampering with { Amount = amount } };
        }

        foreach (Habits simpler in Simpler(story.Habits))
        {
            yield return story with { Habits = simpler };
        }

        yield return story with { Chunking = story.Chunking with { Unhurried = false } };
        for (int i = 0; i < story.Chunking.Sizes.Count; i++)
        {
            yield return story with { Chunking = story.Chunking with { Sizes = [.. story.Chunking.Sizes.Where((_, index) => index != i)] } };
        }

        yield return story with { Seed = 0 };
        yield return story with { Suite = CipherSuite.All.First(suite => suite.Version == story.Suite.Version) };
    }

    private static Story Without(Story story, int record) => story with
    {
        Records = [.. story.Records.Where((_, index) => index != record)],
        Tampering = record < story.Tampering.Record ? story.Tampering with { Record = story.Tampering.Record - 1 } : story.Tampering,
    };

    private static IEnumerable<SentRecord> Simpler(SentRecord record) =>
    [
        .. record.Padding > 0 ? [record with { Padding = 0 }] : Array.Empty<SentRecord>(),
        .. Smaller(record.Length, 1).Select(length => record with { Length = length }),
    ];

    private static IEnumerable<Habits> Simpler(Habits habits) =>
    [
        habits with { Late = false },
        habits with { Tries = false },
        habits with { TakesPercent = 100 },
        habits with { ExaminesAll = false },
        habits with { Keeps = Keeping.Nothing },
        habits with { Runs = Place.Inline },
        habits with { LeavesAfter = 0 },
        habits with { EndsTwice = false },
    ];

    private static IEnumerable<int> Smaller(int value, int least)
    {
        for (int step = value - least; step > 0; step /= 2)
        {
            yield return value - step;
        }
    }

    private const int RecordsMax = 9;
}
