using System.Buffers.Binary;

namespace Fuzz.Targets;

/// <summary>A second reader of ClientHello and ServerHello, written from RFC 8446 section 4 and RFC 6066 without the product's code.</summary>
internal sealed class HelloReader
{
    private readonly Dictionary<int, byte[]> _extensions = [];

    private HelloReader(ushort version)
    {
        Version = version;
    }

    public ushort Version { get; }

    /// <summary>Offered suites; of a ServerHello the one that is chosen.</summary>
    public List<ushort> Suites { get; } = [];

    public bool IsRetryRequest { get; private init; }

    /// <summary>Null when the body is none.</summary>
    public static HelloReader? ReadClient(ReadOnlySpan<byte> body)
    {
        var cursor = new Cursor(body);
        var hello = new HelloReader(cursor.Word());
        cursor.Take(32);
        ReadOnlySpan<byte> session = cursor.Vector8();
        ReadOnlySpan<byte> suites = cursor.Vector16();
        ReadOnlySpan<byte> compressions = cursor.Vector8();
        if (cursor.Failed || session.Length > 32 || suites.Length is 0 || suites.Length % 2 != 0 || compressions.IsEmpty)
        {
            return null;
        }

        hello.Suites.AddRange(Words(suites));
        return hello.ReadExtensions(ref cursor) ? hello : null;
    }

    /// <summary>Null when the body is none.</summary>
    public static HelloReader? ReadServer(ReadOnlySpan<byte> body)
    {
        var cursor = new Cursor(body);
        ushort version = cursor.Word();
        bool isRetry = cursor.Take(32).SequenceEqual(RetryRandom);
        var hello = new HelloReader(version) { IsRetryRequest = isRetry };
        cursor.Vector8();
        hello.Suites.Add(cursor.Word());
        cursor.Take(1);
        return hello.ReadExtensions(ref cursor) ? hello : null;
    }

    /// <summary>The first name of kind host_name, or null.</summary>
    public byte[]? HostName()
    {
        if (!_extensions.TryGetValue(0, out byte[]? data))
        {
            return null;
        }

        var list = new Cursor(new Cursor(data).Vector16());
        while (!list.IsAtEnd && !list.Failed)
        {
            bool isHostName = list.Byte() == 0;
            ReadOnlySpan<byte> name = list.Vector16();
            if (isHostName && !list.Failed)
            {
                return name.ToArray();
            }
        }

        return null;
    }

    /// <summary>Protocols offered, or the one that is chosen; empty when there is no such extension.</summary>
    public List<byte[]> Protocols()
    {
        List<byte[]> protocols = [];
        if (_extensions.TryGetValue(16, out byte[]? data))
        {
            var list = new Cursor(new Cursor(data).Vector16());
            while (!list.IsAtEnd && !list.Failed)
            {
                protocols.Add(list.Vector8().ToArray());
            }
        }

        return protocols;
    }

    /// <summary>supported_versions of a client; without it, what legacy_version says.</summary>
    public ushort[] OfferedVersions() =>
        _extensions.TryGetValue(43, out byte[]? data) ? Words(new Cursor(data).Vector8()) : [Version];

    /// <summary>The version a ServerHello chooses.</summary>
    public ushort ChosenVersion() => _extensions.TryGetValue(43, out byte[]? data) ? new Cursor(data).Word() : Version;

    public ushort[] Groups() => _extensions.TryGetValue(10, out byte[]? data) ? Words(new Cursor(data).Vector16()) : [];

    /// <summary>The groups of a client's key shares with the lengths of these.</summary>
    public Dictionary<ushort, int> Shares()
    {
        Dictionary<ushort, int> shares = [];
        if (_extensions.TryGetValue(51, out byte[]? data))
        {
            var list = new Cursor(new Cursor(data).Vector16());
            while (!list.IsAtEnd && !list.Failed)
            {
                ushort group = list.Word();
                shares.TryAdd(group, list.Vector16().Length);
            }
        }

        return shares;
    }

    /// <summary>The group of a server's key_share, or null.</summary>
    public ushort? ChosenGroup() => _extensions.TryGetValue(51, out byte[]? data) ? new Cursor(data).Word() : null;

    // None at all is allowed (RFC 5246 section 7.4.1.2); one that comes twice is not.
    private bool ReadExtensions(ref Cursor cursor)
    {
        if (cursor.IsAtEnd)
        {
            return !cursor.Failed;
        }

        var list = new Cursor(cursor.Vector16());
        if (cursor.Failed || !cursor.IsAtEnd)
        {
            return false;
        }

        while (!list.IsAtEnd)
        {
            ushort type = list.Word();
            byte[] data = list.Vector16().ToArray();
            if (list.Failed || !_extensions.TryAdd(type, data))
            {
                return false;
            }
        }

        return true;
    }

    private static ushort[] Words(ReadOnlySpan<byte> bytes)
    {
        ushort[] words = new ushort[bytes.Length / 2];
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = BinaryPrimitives.ReadUInt16BigEndian(bytes[(2 * i)..]);
        }

        return words;
    }

    // RFC 8446 section 4.1.3.
    private static readonly byte[] RetryRandom =
        Convert.FromHexString("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C");

    private ref struct Cursor(ReadOnlySpan<byte> left)
    {
        private ReadOnlySpan<byte> _left = left;

        public bool Failed { get; private set; }

        public readonly bool IsAtEnd => _left.IsEmpty;

        public ReadOnlySpan<byte> Take(int length)
        {
            if (length > _left.Length)
            {
                Failed = true;
                _left = [];
                return [];
            }

            ReadOnlySpan<byte> taken = _left[..length];
            _left = _left[length..];
            return taken;
        }

        public byte Byte() => Take(1) is [var value] ? value : (byte)0;

        public ushort Word() => Take(2) is [var high, var low] ? (ushort)((high << 8) | low) : (ushort)0;

        public ReadOnlySpan<byte> Vector8() => Take(Byte());

        public ReadOnlySpan<byte> Vector16() => Take(Word());
    }
}
