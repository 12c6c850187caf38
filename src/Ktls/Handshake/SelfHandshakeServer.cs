using Aead.Pages;
using Aead.Records;

namespace Ktls.Handshake;

/// <summary>
/// A server at the other end of a client's stream, without a socket or a thread: it works while the client writes, and the client reads what it
/// answered.
/// </summary>
internal sealed class SelfHandshakeServer(HandshakePolicy policy) : Stream
{
    private readonly ServerHandshake _handshake = new(policy);
    private readonly MemoryStream _received = new();
    private readonly byte[] _record = new byte[ServerHandshake.RecordLengthMax];
    private ReadOnlyMemory<byte> _answer;

    /// <summary>Set once the client's Finished has verified. Its keys end with this server.</summary>
    public HandshakeResult? Result => _handshake.Result;

    /// <summary>Why there is no handshake, or null.</summary>
    public HandshakeRefusal? Refusal => _handshake.Refusal;

    /// <summary>With <see cref="Refusal"/>: the client ended it with a fatal alert.</summary>
    public bool WasRefusedByClient { get; private set; }

    /// <summary>The client's next bytes are a record with this content.</summary>
    public void Send(ReadOnlySpan<byte> content)
    {
        using RecordEncryptor encryptor = new(Result!.ServerKeys);
        byte[] record = new byte[encryptor.PrefixLength + content.Length + encryptor.SuffixLength];
        content.CopyTo(record.AsSpan(encryptor.PrefixLength));
        Answer(record.AsMemory(0, encryptor.Encrypt(ContentType.ApplicationData, record, content.Length)));
    }

    /// <summary>Whether what the client has sent since is one record with this content.</summary>
    public bool Received(ReadOnlySpan<byte> content, DecryptStage stage)
    {
        using RecordDecryptor decryptor = new(Result!.ClientKeys);
        DecryptedBatch batch = decryptor.Decrypt(Pending, stage);
        using ExposedPages? data = batch.ApplicationData;
        return data is not null && data.GetSpan().SequenceEqual(content);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _received.Write(buffer);
        while (_handshake is { Result: null, Refusal: null } && TryTakeRecord(out int length))
        {
            if (length > 0)
            {
                _handshake.Offer(_record, length);
            }

            ReadOnlyMemory<byte> output = _handshake.TakeOutput();
            WasRefusedByClient = Refusal is not null && output.IsEmpty;
            Answer(output);
        }
    }

    // Nothing to read will be nothing for ever: the end.
    public override int Read(Span<byte> buffer)
    {
        int length = Math.Min(buffer.Length, _answer.Length);
        _answer.Span[..length].CopyTo(buffer);
        _answer = _answer[length..];
        return length;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _handshake.Dispose();
        Result?.Dispose();
        base.Dispose(disposing);
    }

    private ReadOnlySpan<byte> Pending => _received.GetBuffer().AsSpan(0, (int)_received.Length);

    // A length of 0: the header alone was refused.
    private bool TryTakeRecord(out int length)
    {
        ReadOnlySpan<byte> pending = Pending;
        length = 0;
        if (pending.Length < RecordHeader.Length)
        {
            return false;
        }

        int whole = RecordHeader.Length + RecordHeader.Read(pending).FragmentLength;
        if (pending.Length < whole)
        {
            return false;
        }

        if (_handshake.AcceptHeader(pending, out _))
        {
            pending[..whole].CopyTo(_record);
            length = whole;
        }

        byte[] rest = pending[whole..].ToArray();
        _received.SetLength(0);
        _received.Write(rest);
        return true;
    }

    private void Answer(ReadOnlyMemory<byte> more) => _answer = _answer.IsEmpty ? more : (byte[])[.. _answer.Span, .. more.Span];
}
