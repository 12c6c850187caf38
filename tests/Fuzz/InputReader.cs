namespace Fuzz;

/// <summary>Takes an input apart. Past its end there are zeros, so that every input means something.</summary>
internal ref struct InputReader(ReadOnlySpan<byte> input)
{
    private ReadOnlySpan<byte> _left = input;

    public readonly bool IsAtEnd => _left.IsEmpty;

    public readonly ReadOnlySpan<byte> Rest => _left;

    public byte Byte()
    {
        if (_left.IsEmpty)
        {
            return 0;
        }

        byte value = _left[0];
        _left = _left[1..];
        return value;
    }

    public ushort Word() => (ushort)((Byte() << 8) | Byte());

    /// <summary>As many of <paramref name="length"/> bytes as are left.</summary>
    public ReadOnlySpan<byte> Bytes(int length)
    {
        ReadOnlySpan<byte> taken = _left[..Math.Min(length, _left.Length)];
        _left = _left[taken.Length..];
        return taken;
    }
}
