using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace TestKit.Origins;

/// <summary>
/// What became of each upload, by the id in its query string: the test asks here, not over HTTP.
/// </summary>
public sealed class UploadLedger
{
    private readonly ConcurrentDictionary<string, Entry> _entries = new();
    private long _completed;
    private long _forged;

    /// <summary>How many uploads of all ended where their framing says they end.</summary>
    public long Completed => Interlocked.Read(ref _completed);

    /// <summary>How many uploads of all had a byte that is not the pattern's.</summary>
    public long Forged => Interlocked.Read(ref _forged);

    /// <summary>Whether the origin has seen this upload's request at all.</summary>
    public bool HasBegun(string id) => Of(id).Begun.Task.IsCompleted;

    /// <summary>Completes when the origin holds at least one byte of the body.</summary>
    public Task FirstByteAsync(string id) => Of(id).FirstByte.Task.WaitAsync(Timeouts.Exchange);

    /// <summary>Completes when the origin has received so many bytes of the body.</summary>
    public Task ReceivedAsync(string id, long length) => Of(id).ReceivedAsync(length).WaitAsync(Timeouts.Exchange);

    /// <summary>Completes when the upload has ended one way or the other.</summary>
    public Task<Upload> EndAsync(string id) => Of(id).End.Task.WaitAsync(Timeouts.Exchange);

    /// <summary>Reads the request's body to its end, keeping nothing, and records how it ended.</summary>
    public async Task<Upload> ReceiveAsync(HttpRequest request)
    {
        Entry entry = Of(request.Query["id"].ToString());
        entry.Begun.TrySetResult();
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        long length = 0;
        bool isPattern = true;
        UploadOutcome outcome = UploadOutcome.Complete;
        try
        {
            int count;
            while ((count = await request.Body.ReadAsync(buffer)) > 0)
            {
                hash.AppendData(buffer, 0, count);
                isPattern &= PatternBody.Matches(buffer.AsSpan(0, count), length);
                length += count;
                entry.FirstByte.TrySetResult();
                entry.OnReceived(length);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Kestrel's word for a body that was cut: BadHttpRequestException (an IOException), a reset, or a
            // cancelled request.
            outcome = UploadOutcome.Aborted;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        Upload upload = new(outcome, length, Convert.ToHexStringLower(hash.GetHashAndReset()), isPattern);
        Interlocked.Add(ref _completed, outcome == UploadOutcome.Complete ? 1 : 0);
        Interlocked.Add(ref _forged, isPattern ? 0 : 1);
        entry.End.TrySetResult(upload);
        return upload;
    }

    private Entry Of(string id) => _entries.GetOrAdd(id, _ => new Entry());

    private sealed class Entry
    {
        private readonly List<(long Length, TaskCompletionSource Reached)> _milestones = [];
        private long _received;

        public TaskCompletionSource Begun { get; } = new(Asynchronously);

        public TaskCompletionSource FirstByte { get; } = new(Asynchronously);

        public TaskCompletionSource<Upload> End { get; } = new(Asynchronously);

        public Task ReceivedAsync(long length)
        {
            lock (_milestones)
            {
                TaskCompletionSource reached = new(Asynchronously);
                _milestones.Add((length, reached));
                OnReceived(_received);
                return reached.Task;
            }
        }

        public void OnReceived(long length)
        {
            lock (_milestones)
            {
                _received = length;
                _milestones.Where(milestone => milestone.Length <= length).ToList().ForEach(milestone => milestone.Reached.TrySetResult());
                _milestones.RemoveAll(milestone => milestone.Length <= length);
            }
        }

        private const TaskCreationOptions Asynchronously = TaskCreationOptions.RunContinuationsAsynchronously;
    }
}
