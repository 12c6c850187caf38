using Aead;
using Aead.Keys;
using Aead.Records;
using Ktls.Kernel;
using Tmds.Linux;

namespace Ktls.Tests.Kernel;

/// <summary>
/// One kTLS socket without a kernel. Records cross it as they are; everything else is as Linux does it, measured on 6.1 and 7.2: what
/// merges, what waits, which error comes when and how often. Thread-safe.
/// </summary>
internal sealed class FakeKernel : IKernelTls
{
    private readonly Lock _gate = new();
    private readonly List<string> _calls = [];
    private readonly FakeDirection _transmitKeys;
    private readonly FakeDirection _receiveKeys;
    private readonly FakeTransmitHalf _transmit;
    private readonly FakeReceiveHalf _receive;
    private bool _attached;
    private int _installErrno;

    /// <param name="supportsRekey">Linux 6.14 and later.</param>
    /// <param name="descriptor">How hidden reads name this socket.</param>
    public FakeKernel(bool supportsRekey = true, int descriptor = 1)
    {
        Descriptor = descriptor;
        _transmitKeys = new FakeDirection(supportsRekey);
        _receiveKeys = new FakeDirection(supportsRekey);
        _transmit = new FakeTransmitHalf(_transmitKeys);
        _receive = new FakeReceiveHalf(_receiveKeys, supportsRekey);
    }

    public int Descriptor { get; }

    /// <summary>
    /// TLS_RX_EXPECT_NO_PAD: TLS 1.3 too is decrypted into the reader's memory before its tag is checked, as TLS 1.2 always is.
    /// </summary>
    public bool ExpectsNoPadding { get; set; }

    /// <summary>Every call in order with its answer, like "Send 70000 -> 16384" or "Install Transmit -> 0".</summary>
    public IReadOnlyList<string> Calls => Get(() => _calls.ToArray());

    /// <summary>The records the peer gets.</summary>
    public IReadOnlyList<FakeRecord> Sent => Get(() => _transmit.Sent.ToArray());

    /// <summary>The application data the peer gets.</summary>
    public byte[] SentData => [.. Sent.Where(record => record.IsData).SelectMany(record => record.Content)];

    /// <summary>Everything that arrived has been read.</summary>
    public bool IsDrained => Get(() => _receive.IsEmpty);

    /// <summary>Records arrive, in order.</summary>
    public FakeKernel Arrive(params FakeRecord[] records) => Locked(() => Array.ForEach(records, _receive.Arrive));

    /// <summary>A record arrives whose tag does not verify; deciphered regardless, it reads like this.</summary>
    public FakeKernel ArriveBad(params byte[] plaintext) =>
        Arrive(new FakeRecord(ContentType.ApplicationData, plaintext) { IsBad = true });

    /// <summary>A header announces more than a record may hold.</summary>
    public FakeKernel ArriveTooLong() => Locked(() => _receive.ArriveHeader(LibC.EMSGSIZE));

    /// <summary>A header names another version.</summary>
    public FakeKernel ArriveWrongVersion() => Locked(() => _receive.ArriveHeader(LibC.EINVAL));

    /// <summary>The peer's FIN, within a record or between two: nobody can tell.</summary>
    public FakeKernel Fin() => Locked(_receive.Fin);

    /// <summary>The peer's RST.</summary>
    public FakeKernel Reset() => Locked(() =>
    {
        _receive.Reset();
        _transmit.IsBroken = true;
    });

    /// <summary>The socket takes so many bytes more, and nothing after them.</summary>
    public FakeKernel MakeRoom(long bytes) => Locked(() => { _transmit.Room = bytes; });

    /// <summary>Each of the next sends takes so many bytes at most; 0 is a full socket.</summary>
    public FakeKernel Accept(params IEnumerable<int> bytes) => Locked(() => _transmit.Accept(bytes));

    /// <summary>The next <see cref="Install"/> is answered with this error.</summary>
    public FakeKernel RefuseInstall(int errno) => Locked(() => { _installErrno = errno; });

    public SyscallResult Attach() => Called("Attach", () =>
    {
        SyscallResult answer = SyscallResult.FromError(_attached ? LibC.EEXIST : 0);
        _attached = true;
        return answer;
    });

    public SyscallResult Install(KernelDirection direction, DirectionKeys keys) => Called($"Install {direction}", () =>
    {
        if (!_attached || _installErrno != 0)
        {
            int errno = _attached ? _installErrno : LibC.ENOPROTOOPT;
            _installErrno = 0;
            return SyscallResult.FromError(errno);
        }

        SyscallResult answer = Keys(direction).Install(keys);
        if (direction == KernelDirection.Receive && !answer.Failed)
        {
            _receive.OnInstalled();
        }

        return answer;
    });

    public SyscallResult ReadSequenceNumber(KernelDirection direction, out ulong number)
    {
        ulong read = 0;
        SyscallResult answer = Called($"ReadSequenceNumber {direction}", () =>
        {
            read = Keys(direction).SequenceNumber;
            return SyscallResult.FromError(0);
        });
        number = read;
        return answer;
    }

    public SyscallResult ReceiveVerified(Span<byte> room, out ContentType? type)
    {
        if (_receiveKeys.Suite?.Version != TlsVersion.Tls13)
        {
            throw new InvalidOperationException("The keys installed for receiving are not TLS 1.3's.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(room.Length, RecordHeader.PlaintextLengthMax);
        lock (_gate)
        {
            SyscallResult answer = _receive.ReadTyped(room, out type, out _);
            return Log($"ReceiveVerified {room.Length}", answer);
        }
    }

    public SyscallResult ReceiveControl(Span<byte> fragment, out ContentType? type, out bool whole)
    {
        lock (_gate)
        {
            SyscallResult waiting = _receive.ReadData(stackalloc byte[1], leaks: false);
            if (!waiting.ControlRecordWaits)
            {
                throw new InvalidOperationException("No control record waits: TLS 1.2's data would be decrypted into readable memory.");
            }

            SyscallResult answer = _receive.ReadTyped(fragment, out type, out whole);
            return Log($"ReceiveControl {fragment.Length}", answer);
        }
    }

    public SyscallResult Send(ReadOnlySpan<ArraySegment<byte>> pieces)
    {
        lock (_gate)
        {
            int asked = 0;
            foreach (ArraySegment<byte> piece in pieces)
            {
                asked += piece.Count;
            }

            ArgumentOutOfRangeException.ThrowIfGreaterThan(pieces.Length, SocketCalls.PiecesMax);
            SyscallResult answer = _receive.PendingError ?? _transmit.Send(pieces);
            return Log($"Send {asked}", answer);
        }
    }

    public SyscallResult SendControl(ContentType type, ReadOnlySpan<byte> fragment)
    {
        lock (_gate)
        {
            SyscallResult answer = _receive.PendingError ?? _transmit.SendControl(type, fragment);
            return Log($"SendControl {type} {Convert.ToHexString(fragment)}", answer);
        }
    }

    public SyscallResult TakeError() => Called("TakeError", () => _receive.TakeError());

    /// <summary>A read into pinned pages, for <see cref="FakeHiddenReads"/>.</summary>
    public SyscallResult ReadHidden(Span<byte> pages)
    {
        lock (_gate)
        {
            SyscallResult answer = _receive.ReadData(pages, leaks: ExpectsNoPadding || _receiveKeys.Suite?.Version == TlsVersion.Tls12);
            return Log($"ReadHidden {pages.Length}", answer);
        }
    }

    private FakeDirection Keys(KernelDirection direction) => direction == KernelDirection.Transmit ? _transmitKeys : _receiveKeys;

    private SyscallResult Called(string call, Func<SyscallResult> answer)
    {
        lock (_gate)
        {
            return Log(call, answer());
        }
    }

    private SyscallResult Log(string call, SyscallResult answer)
    {
        _calls.Add($"{call} -> {(answer.Failed ? answer.ErrorName : answer.Value)}");
        return answer;
    }

    private T Get<T>(Func<T> get)
    {
        lock (_gate)
        {
            return get();
        }
    }

    private FakeKernel Locked(Action act)
    {
        lock (_gate)
        {
            act();
            return this;
        }
    }
}
