using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using TestKit.Origins;

namespace TlsProxy.Tests.EndToEnd.Secrets;

/// <summary>An origin whose answers carry marks of their own, which follow from those of the request.</summary>
internal static class MarkedOrigin
{
    public static Task<KestrelOrigin> StartAsync() =>
        KestrelOrigin.StartAsync(map: application => application.MapPost("/marked", AnswerAsync));

    /// <summary>The marks in the head and the body of an answer.</summary>
    public static (string Head, byte[] Body) Answer(string mark) =>
        (Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes("head " + mark))), SHA256.HashData(Encoding.ASCII.GetBytes("body " + mark)));

    private static async Task AnswerAsync(HttpContext context)
    {
        string mark = context.Request.Headers["X-Mark"].ToString();
        int length = int.Parse(context.Request.Headers["X-Length"].ToString(), CultureInfo.InvariantCulture);
        await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
        (string head, byte[] body) = Answer(mark);
        context.Response.Headers["X-Answer"] = head;
        context.Response.ContentLength = length;
        for (int at = 0; at < length; at += body.Length)
        {
            await context.Response.Body.WriteAsync(body.AsMemory(0, Math.Min(body.Length, length - at)));
        }
    }
}
