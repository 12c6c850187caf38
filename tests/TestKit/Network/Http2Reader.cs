using System.Buffers;
using System.Buffers.Binary;

namespace TestKit.Network;

/// <summary>Takes apart what an HTTP/2 server sends (RFC 9113), for a client that asks for one thing at a time.</summary>
public sealed class Http2Reader
{
    private readonly ArrayBufferWriter<byte> _head = new();
    private readonly ArrayBufferWriter<byte> _body = new();
    private byte[] _unparsed = [];

    /// <summary>The header blocks of the response, compressed.</summary>
    public byte[] Head => _head.WrittenSpan.ToArray();

    public byte[] Body => _body.WrittenSpan.ToArray();

    /// <summary>The response is whole.</summary>
    public bool Ended { get; private set; }

    /// <summary>The server gave the request up.</summary>
    public bool Reset { get; private set; }

    /// <summary>The server will take no more requests.</summary>
    public bool GoAway { get; private set; }

    /// <summary>Takes what comes next.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        _unparsed = [.. _unparsed, .. bytes];
        ReadOnlySpan<byte> rest = _unparsed;
        while (rest.Length >= HeaderLength && HeaderLength + (BinaryPrimitives.ReadInt32BigEndian(rest) >> 8) is var whole && rest.Length >= whole)
        {
            Take(rest[3], rest[4], rest[HeaderLength..whole]);
            rest = rest[whole..];
        }

        _unparsed = rest.ToArray();
    }

    /// <summary>The response is done with; the next one begins.</summary>
    public void Next()
    {
        _head.Clear();
        _body.Clear();
        Ended = false;
    }

    private void Take(byte type, byte flags, ReadOnlySpan<byte> payload)
    {
        switch (type)
        {
            case Http2Frame.DataType:
                _body.Write(payload);
                break;
            case Http2Frame.HeadersType:
                _head.Write(payload);
                break;
            case Http2Frame.ResetType:
                Reset = true;
                break;
            case Http2Frame.GoAwayType:
                GoAway = true;
                break;
        }

        Ended |= type is Http2Frame.DataType or Http2Frame.HeadersType && (flags & Http2Frame.EndStream) != 0;
    }

    private const int HeaderLength = 9;
}
