using System.Threading.Tasks.Sources;

namespace Ktls.Transport;

/// <summary>
/// The one wait a pipe's end may have, for data or for room. Begun and ended under its gate, which is also its owner's: the state and whoever
/// waits for it change together. Whoever ended it completes it, outside the gate, because that may run the consumer.
/// </summary>
internal sealed class PipeWait<TResult> : IValueTaskSource<TResult>
{
    private ManualResetValueTaskSourceCore<TResult> _source;
    private CancellationTokenRegistration _registration;
    private CancellationToken _token;

    /// <summary>Guards the wait and what its owner decides about it.</summary>
    public Lock Gate { get; } = new();

    /// <summary>True while somebody waits. Under the gate.</summary>
    public bool IsActive { get; private set; }

    /// <summary>Begins to wait. Under the gate; <see cref="Watch"/> must follow outside it, before the task is given away.</summary>
    public ValueTask<TResult> Begin(CancellationToken cancellationToken)
    {
        _source.Reset();
        _token = cancellationToken;
        IsActive = true;
        return new ValueTask<TResult>(this, _source.Version);
    }

    /// <summary>Lets the token end the wait just begun. Outside the gate: a token that is cancelled by now calls back at once.</summary>
    public void Watch(CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled)
        {
            return;
        }

        CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((PipeWait<TResult>)state!).CancelBy(token), this);
        lock (Gate)
        {
            if (IsActive)
            {
                _registration = registration;
                return;
            }
        }

        registration.Unregister();
    }

    /// <summary>Ends the wait, if there is one. Under the gate; true obliges the caller to complete it.</summary>
    public bool TryEnd()
    {
        bool wasActive = IsActive;
        IsActive = false;
        return wasActive;
    }

    /// <summary>Gives the waiting consumer its result.</summary>
    /// <param name="result">The result.</param>
    /// <param name="onPool">True off the loop: the caller may hold locks of its own (Kestrel cancels from its timer).</param>
    public void Complete(TResult result, bool onPool)
    {
        Unwatch(onPool);
        _source.SetResult(result);
    }

    /// <summary>Gives the waiting consumer an exception.</summary>
    public void Fail(Exception failure, bool onPool)
    {
        Unwatch(onPool);
        _source.SetException(failure);
    }

    TResult IValueTaskSource<TResult>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<TResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<TResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void CancelBy(CancellationToken token)
    {
        lock (Gate)
        {
            // A callback that was already running when its wait ended must not end the next one, which has another token.
            if (_token != token || !TryEnd())
            {
                return;
            }
        }

        Fail(new OperationCanceledException(token), onPool: true);
    }

    private void Unwatch(bool onPool)
    {
        _registration.Unregister();
        _registration = default;
        _source.RunContinuationsAsynchronously = onPool;
    }
}
