using System.Runtime.InteropServices;
using Aead.Algorithms;

namespace Aead.Tests.Algorithms;

/// <summary>The calling thread's queue of OpenSSL errors, which .NET's own calls read as well.</summary>
internal static partial class LibCryptoErrors
{
    public static bool IsEmpty => ERR_peek_error() == 0;

    /// <summary>Leaves an entry, as a careless call would.</summary>
    public static void Add() => _ = EVP_CIPHER_fetch(0, "no such cipher", 0);

    public static void Clear() => ERR_clear_error();

    /// <summary>A context without a cipher, with which every call fails and leaves an entry.</summary>
    public static EvpCipherContext CreateContextWithoutCipher() => new(EVP_CIPHER_CTX_new());

    [LibraryImport(LibCryptoLibrary.Name)]
    private static partial nuint ERR_peek_error();

    [LibraryImport(LibCryptoLibrary.Name)]
    private static partial void ERR_clear_error();

    [LibraryImport(LibCryptoLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint EVP_CIPHER_fetch(nint libraryContext, string algorithm, nint properties);

    [LibraryImport(LibCryptoLibrary.Name)]
    private static partial nint EVP_CIPHER_CTX_new();
}
