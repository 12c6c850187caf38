namespace Ktls.Transport;

/// <summary>A sink that can make records now and send them later. Not the kernel's: there the send makes the record.</summary>
internal interface ISealingSink : IRecordSink
{
    /// <summary>As <see cref="IRecordSink.Flush"/>, but leaves the sending to <see cref="SendSealed"/>, which must follow soon.</summary>
    FlushStatus Seal();

    /// <summary>Sends what was sealed, together.</summary>
    FlushStatus SendSealed();
}
