using System.Net.Sockets;
using Aead.Keys;
using Aead.Pages;
using Aead.Records;
using Xunit;

namespace Ktls.Tests.Transport;

/// <summary>The far end of a record layer: writes and reads single records on a blocking socket and checks the form of what it reads.</summary>
internal sealed class RecordStream : IDisposable
{
    private readonly PagePool _pool = PagePool.Create(new PagePolicy { BytesMax = 1 << 20, Delivery = Delivery.Copy }, 1);
    private readonly DecryptStage _stage;

    public RecordStream(Socket socket, DirectionKeys writeKeys, DirectionKeys readKeys)
        : this(socket, new RecordEncryptor(writeKeys), readKeys)
    {
    }

    /// <summary>Goes on where the encryptor already is.</summary>
    public RecordStream(Socket socket, RecordEncryptor encryptor, DirectionKeys readKeys)
    {
        Socket = socket;
        Encryptor = encryptor;
        Decryptor = new RecordDecryptor(readKeys);
        _stage = _pool.CreateStage();
    }

    public Socket Socket { get; }

    public RecordEncryptor Encryptor { get; }

    public RecordDecryptor Decryptor { get; }

    public List<int> DataLengths { get; } = [];

    public void Send(byte[] content) => Send(ContentType.ApplicationData, content);

    public void Send(ContentType type, params byte[] content) => SendRaw(Encryptor.Seal(type, content));

    public void SendRaw(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[Socket.Send(bytes)..];
        }
    }

    /// <summary>Announces and takes our next keys.</summary>
    public void UpdateKeys(bool requestPeer)
    {
        Send(ContentType.Handshake, 24, 0, 0, 1, requestPeer ? (byte)1 : (byte)0);
        Encryptor.UpdateKeys();
    }

    /// <summary>The next record, or null at the FIN. A KeyUpdate is obeyed and returned.</summary>
    public (ContentType Type, byte[] Content)? Receive()
    {
        byte[] header = new byte[RecordHeader.Length];
        if (!Fill(header))
        {
            return null;
        }

        int length = RecordHeader.Read(header).FragmentLength;
        byte[] record = [.. header, .. new byte[length]];
        Assert.True(Fill(record.AsSpan(RecordHeader.Length)), "The connection ended within a record.");
        (ContentType Type, byte[] Content) opened = Decryptor.Open(record, _stage);
        if (opened is { Type: ContentType.Handshake, Content: [24, ..] })
        {
            Decryptor.UpdateKeys();
        }

        if (opened.Type == ContentType.ApplicationData)
        {
            Assert.InRange(opened.Content.Length, 1, RecordHeader.PlaintextLengthMax);
            DataLengths.Add(opened.Content.Length);
        }

        return opened;
    }

    /// <summary>So many bytes of data, with nothing else between.</summary>
    public byte[] ReceiveData(int length)
    {
        MemoryStream received = new();
        while (received.Length < length)
        {
            (ContentType type, byte[] content) = Receive() ?? throw new EndOfStreamException();
            Assert.Equal(ContentType.ApplicationData, type);
            received.Write(content);
        }

        return received.ToArray();
    }

    /// <summary>Everything to the end: the data, the last alert, and whether a FIN (and no reset) ended it.</summary>
    public (byte[] Data, AlertDescription? Alert, bool Finished) ReceiveAll()
    {
        MemoryStream data = new();
        AlertDescription? alert = null;
        try
        {
            while (Receive() is { } record)
            {
                Assert.Null(alert);
                alert = record.Type == ContentType.Alert ? (AlertDescription)record.Content[1] : null;
                data.Write(record.Type == ContentType.ApplicationData ? record.Content : []);
            }

            return (data.ToArray(), alert, true);
        }
        catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
        {
            return (data.ToArray(), alert, false);
        }
    }

    public void Dispose()
    {
        Socket.Dispose();
        Encryptor.Dispose();
        Decryptor.Dispose();
        _stage.Dispose();
        _pool.Dispose();
    }

    private bool Fill(Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int count = Socket.Receive(destination);
            if (count == 0)
            {
                return false;
            }

            destination = destination[count..];
        }

        return true;
    }
}
