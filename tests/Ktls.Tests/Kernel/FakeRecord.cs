using System.Text;
using Aead.Records;
using Ktls.Transport;

namespace Ktls.Tests.Kernel;

/// <summary>One record as it crosses a fake kernel: its type and plaintext.</summary>
/// <param name="Type">The content type.</param>
/// <param name="Content">The plaintext; of a bad record, what a decryptor would make of its ciphertext.</param>
internal sealed record FakeRecord(ContentType Type, byte[] Content)
{
    /// <summary>Its tag does not verify.</summary>
    public bool IsBad { get; init; }

    /// <summary>How many KeyUpdates its sender had announced before it.</summary>
    public int KeyGeneration { get; init; }

    public static FakeRecord Data(string text) => Data(Encoding.UTF8.GetBytes(text));

    public static FakeRecord Data(params byte[] content) => new(ContentType.ApplicationData, content);

    public static FakeRecord Alert(AlertDescription alert) => new(ContentType.Alert, PostHandshake.AlertMessage(alert));

    public static FakeRecord Handshake(params byte[] content) => new(ContentType.Handshake, content);

    public static FakeRecord KeyUpdate(bool requestPeer = false) => Handshake(PostHandshake.KeyUpdateMessage(requestPeer).ToArray());

    public static FakeRecord Empty(ContentType type) => new(type, []);

    public bool IsData => Type == ContentType.ApplicationData;

    public bool IsKeyUpdate => Type == ContentType.Handshake && Content is [24, ..];

    public override string ToString() => IsData ? $"data {Content.Length}" : $"{Type} {Convert.ToHexString(Content)}";
}
