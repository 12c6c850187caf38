namespace Fuzz;

/// <summary>
/// One reader of bytes that nobody has vouched for. A run that ends with an exception is a finding, so a target states what must hold by
/// assertions and lets through no exception that the product promises to keep to itself.
/// </summary>
public interface IFuzzTarget
{
    /// <summary>The name on the command line, and of the folders in Corpus and Findings.</summary>
    string Name { get; }

    /// <summary>What must hold of every input, as one sentence.</summary>
    string Oracle { get; }

    /// <summary>Reads one input. Whatever it starts, it ends: the next input finds nothing of this one.</summary>
    void Run(ReadOnlySpan<byte> input);

    /// <summary>Inputs to start from. Always the same bytes, so that the corpus can be generated again.</summary>
    IEnumerable<(string Name, byte[] Input)> Seeds();
}
