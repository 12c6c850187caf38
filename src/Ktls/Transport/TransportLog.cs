using System.Net;
using Aead;
using Aead.Records;
using Ktls.Kernel;
using Microsoft.Extensions.Logging;

namespace Ktls.Transport;

/// <summary>Every line the transport logs. Nothing a peer sent appears in one unescaped.</summary>
internal static partial class TransportLog
{
    [LoggerMessage(1, LogLevel.Information, "{Listener}: handshake with {Remote} refused: {Reason} (alert {Alert})")]
    public static partial void HandshakeRefused(ILogger log, string listener, EndPoint? remote, string reason, AlertDescription alert);

    [LoggerMessage(2, LogLevel.Debug, "{Listener}: handshake with {Remote} not finished: {Reason}")]
    public static partial void HandshakeDropped(ILogger log, string listener, EndPoint? remote, string reason);

    [LoggerMessage(3, LogLevel.Warning, "{Listener}: connection of {Remote} closed with alert {Alert}: {Reason}")]
    public static partial void Refused(ILogger log, string listener, EndPoint? remote, string reason, AlertDescription alert);

    [LoggerMessage(4, LogLevel.Debug, "{Listener}: connection of {Remote} ended: {Reason}")]
    public static partial void Lost(ILogger log, string listener, EndPoint? remote, string reason);

    [LoggerMessage(5, LogLevel.Warning, "{Listener}: connection of {Remote} shed: verified bytes beyond the bound, and it held its own the longest")]
    public static partial void Shed(ILogger log, string listener, EndPoint? remote);

    [LoggerMessage(6, LogLevel.Warning, "{Listener}: connection refused: {Reason}")]
    public static partial void AcceptRefused(ILogger log, string listener, string reason);

    [LoggerMessage(8, LogLevel.Error, "A callback on the closing of a connection failed")]
    public static partial void ClosedCallbackFault(ILogger log, Exception fault);

    [LoggerMessage(9, LogLevel.Warning, "{Listener}: {Count} lines about refused clients were left out")]
    public static partial void LinesLeftOut(ILogger log, string listener, int count);

    [LoggerMessage(10, LogLevel.Information, "{Listener}: connection of {Remote} is to end: it needs new keys, which this kernel does not take")]
    public static partial void OutOfKeys(ILogger log, string listener, EndPoint? remote);

    [LoggerMessage(7, LogLevel.Error, "An event loop caught a failure; the connection it belongs to is given up")]
    public static partial void LoopFault(ILogger log, Exception fault);

    [LoggerMessage(11, LogLevel.Error, "Kernel TLS is switched off for new connections ({Direction}): {Reason}")]
    public static partial void KernelNotTrusted(ILogger log, KernelDirection direction, string reason);

    [LoggerMessage(12, LogLevel.Error, "The kernel accepted a record that was tampered with: connections that receive by it are ended")]
    public static partial void ForgeryAccepted(ILogger log);

    [LoggerMessage(13, LogLevel.Warning, "The self-test of kernel TLS could not be made, and what is known stays in force: {Hindrance}")]
    public static partial void SelfTestInconclusive(ILogger log, string hindrance);

    [LoggerMessage(14, LogLevel.Information, "Kernel TLS is used for new connections from now on ({Direction}, {Version}, {Aead})")]
    public static partial void KernelAdmitted(ILogger log, KernelDirection direction, TlsVersion version, string aead);

    [LoggerMessage(15, LogLevel.Error, "The self-test of kernel TLS broke off, and what is known stays in force")]
    public static partial void SelfTestFault(ILogger log, Exception fault);
}
