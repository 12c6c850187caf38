using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using Aead.Pages;
using Ktls.Transport;
using Microsoft.AspNetCore.Connections;
using TestKit.Pages;

namespace Ktls.Tests.ReceivePath;

/// <summary>
/// Reads a connection to its end with the habits of a story. Looks at memory only through <see cref="PageProbe"/>: what it is wrongly shown,
/// or wrongly not shown, becomes a complaint and does not end the process.
/// </summary>
internal sealed class Consumer(Habits habits, TlsConnection connection, Witness witness)
{
    private readonly ArrayBufferWriter<byte> _seen = new();
    private readonly HashSet<ExposedPages> _known = new(ReferenceEqualityComparer.Instance);
    private readonly List<Kept> _kept = [];
    private long _consumed;

    /// <summary>Every byte it was shown, once.</summary>
    public byte[] Seen => _seen.WrittenSpan.ToArray();

    /// <summary>With <see cref="End.Failed"/> and <see cref="End.Refused"/>: in the transport's words.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Reads until there is no more.</summary>
    /// <param name="sent">Everything is on its way.</param>
    public async Task<End> ConsumeAsync(Task sent)
    {
        if (habits.Late)
        {
            await Task.WhenAny(sent, Task.Delay(LateMilliseconds));
        }

        End end;
        try
        {
            end = await ReadAllAsync();
        }
        catch (ConnectionResetException reset)
        {
            Reason = reset.Message;
            end = reset.Message == ReadEnd.Truncated.Reason ? End.Truncated
                : reset.Message.StartsWith("The client ", StringComparison.Ordinal) ? End.Refused
                : End.Failed;
        }
        catch (ConnectionAbortedException aborted)
        {
            Reason = aborted.Message;
            end = End.Failed;
        }

        await LeaveAsync();
        return end;
    }

    private async Task<End> ReadAllAsync()
    {
        for (int reads = 1; ; reads++)
        {
            await StepAsync();
            ReadResult result = habits.Tries && connection.Input.TryRead(out ReadResult tried) ? tried : await connection.Input.ReadAsync();
            See(result.Buffer);
            await StepAsync();
            if (reads == habits.LeavesAfter)
            {
                return End.Left;
            }

            if (result.IsCompleted)
            {
                Advance(result.Buffer, result.Buffer.End, result.Buffer.End);
                return End.Clean;
            }

            // Who takes nothing has to say that it has seen everything, or the next read brings the same again.
            SequencePosition taken = result.Buffer.GetPosition(result.Buffer.Length * habits.TakesPercent / 100);
            bool takesNothing = result.Buffer.Slice(taken).Length == result.Buffer.Length;
            Advance(result.Buffer, taken, habits.ExaminesAll || takesNothing ? result.Buffer.End : taken);
        }
    }

    private async Task LeaveAsync()
    {
        await StepAsync();
        connection.Input.Complete();
        if (habits.EndsTwice)
        {
            connection.Input.Complete(new IOException("twice"));
            connection.Input.AdvanceTo(default);
        }

        _consumed = _seen.WrittenCount;
        LookBack();
        foreach (Kept kept in _kept)
        {
            if (habits.Keeps == Keeping.Pins && PageProbe.Read(kept.Address, kept.Bytes.Length) is var pinned && !kept.Bytes.AsSpan().SequenceEqual(pinned))
            {
                witness.Complain("what was pinned has changed or can no longer be read");
            }

            MemoryHandle pin = kept.Pin;
            pin.Dispose();
            if (habits.EndsTwice)
            {
                pin.Dispose();
            }
        }

        await connection.DisposeAsync();
        if (habits.EndsTwice)
        {
            await connection.DisposeAsync();
        }
    }

    private void See(ReadOnlySequence<byte> shown)
    {
        long position = _consumed;
        foreach (ReadOnlyMemory<byte> part in shown)
        {
            if (part.IsEmpty)
            {
                continue;
            }

            if (!MemoryMarshal.TryGetMemoryManager(part, out ExposedPages? lease, out int start, out int length))
            {
                witness.Complain("a consumer was shown something that is no lease");
                return;
            }

            using MemoryHandle pin = part.Pin();
            nint address = AddressOf(pin);
            byte[]? bytes = PageProbe.Read(address, length);
            if (bytes == null)
            {
                witness.Complain("a consumer was shown bytes that it cannot read");
                return;
            }

            if (_known.Add(lease))
            {
                witness.Remember(lease, address - start);
                Keep(part, bytes, position + length);
            }

            Append(position, bytes);
            position += length;
        }

        witness.Look("at a read");
    }

    // What was shown before and not consumed is shown again, and must not have changed.
    private void Append(long position, byte[] bytes)
    {
        int again = (int)Math.Min(bytes.Length, _seen.WrittenCount - position);
        if (!_seen.WrittenSpan.Slice((int)position, again).SequenceEqual(bytes.AsSpan(0, again)))
        {
            witness.Complain("bytes changed while the consumer held them");
        }

        _seen.Write(bytes.AsSpan(again));
    }

    private void Keep(ReadOnlyMemory<byte> part, byte[] bytes, long end)
    {
        if (habits.Keeps != Keeping.Nothing && _kept.Count < KeptMax)
        {
            MemoryHandle pin = part.Pin();
            nint address = AddressOf(pin);
            if (habits.Keeps == Keeping.Memory)
            {
                pin.Dispose();
            }

            _kept.Add(new Kept(part, pin, address, bytes, end));
        }
    }

    private void Advance(ReadOnlySequence<byte> shown, SequencePosition taken, SequencePosition examined)
    {
        long length = shown.Slice(shown.Start, taken).Length;
        connection.Input.AdvanceTo(taken, examined);
        _consumed += length;
        LookBack();
        witness.Look("behind an advance");
    }

    private void LookBack()
    {
        foreach (Kept kept in _kept.Where(kept => kept.End <= _consumed))
        {
            if (GivesSpan(kept.Memory))
            {
                witness.Complain("memory that was consumed still gives a span");
            }
        }
    }

    private static bool GivesSpan(ReadOnlyMemory<byte> memory)
    {
        try
        {
            _ = memory.Span;
            return true;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    private async ValueTask StepAsync()
    {
        if (habits.Runs == Place.Pool)
        {
            await Task.Yield();
        }
        else if (habits.Runs == Place.NewThreads)
        {
            // Completed there and not asynchronously, so what follows the await runs there, too.
            TaskCompletionSource started = new();
            new Thread(started.SetResult) { IsBackground = true }.Start();
            await started.Task.ConfigureAwait(false);
        }
    }

    private static unsafe nint AddressOf(in MemoryHandle pin) => (nint)pin.Pointer;

    private const int LateMilliseconds = 20;
    private const int KeptMax = 32;

    /// <summary>Something kept against the rules.</summary>
    /// <param name="Memory">The reference.</param>
    /// <param name="Pin">With <see cref="Keeping.Pins"/>: the pin.</param>
    /// <param name="Address">Where its bytes were.</param>
    /// <param name="Bytes">What they were.</param>
    /// <param name="End">Where they end in the stream.</param>
    private sealed record Kept(ReadOnlyMemory<byte> Memory, MemoryHandle Pin, nint Address, byte[] Bytes, long End);
}
