using Aead;
using Aead.Records;
using Ktls.Transport;
using Xunit;

namespace Ktls.Tests.Transport;

public class PostHandshakeTests
{
    public static TheoryData<TlsVersion, ContentType, byte[], object> Rows() => new()
    {
        { TlsVersion.Tls13, ContentType.Handshake, [24, 0, 0, 1, 0], PostHandshakeAction.UpdateReadKeys },
        { TlsVersion.Tls13, ContentType.Handshake, [24, 0, 0, 1, 1], PostHandshakeAction.UpdateBothKeys },
        { TlsVersion.Tls13, ContentType.Alert, [1, 0], PostHandshakeAction.EndOfData },
        { TlsVersion.Tls13, ContentType.Alert, [2, 0], PostHandshakeAction.EndOfData },
        { TlsVersion.Tls13, ContentType.Alert, [1, 90], PostHandshakeAction.Continue },
        { TlsVersion.Tls13, ContentType.Alert, [1, 80], PostHandshakeAction.PeerAborted },
        { TlsVersion.Tls13, ContentType.Alert, [2, 80], PostHandshakeAction.PeerAborted },
        { TlsVersion.Tls12, ContentType.Handshake, [1, 0, 0, 0], PostHandshakeAction.DeclineRenegotiation },
        { TlsVersion.Tls12, ContentType.Alert, [1, 0], PostHandshakeAction.EndOfData },
        { TlsVersion.Tls12, ContentType.Alert, [1, 100], PostHandshakeAction.Continue },
        { TlsVersion.Tls12, ContentType.Alert, [2, 80], PostHandshakeAction.PeerAborted },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void Every_control_record_has_its_consequence(TlsVersion version, ContentType type, byte[] fragment, object action) =>
        Assert.Equal(action, new PostHandshake(version).Judge(type, fragment));

    [Fact]
    public void Whoever_keeps_asking_for_a_renegotiation_is_refused()
    {
        PostHandshake judge = new(TlsVersion.Tls12);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(PostHandshakeAction.DeclineRenegotiation, judge.Judge(ContentType.Handshake, [1, 0, 0, 0]));
        }

        Assert.Equal(PostHandshakeAction.Refuse, judge.Judge(ContentType.Handshake, [1, 0, 0, 0]));
        Assert.Equal(AlertDescription.UnexpectedMessage, judge.Alert);
    }

    [Fact]
    public void A_burst_of_control_records_is_bounded()
    {
        PostHandshake judge = new(TlsVersion.Tls13);
        int accepted = 0;
        while (accepted < 1000 && judge.Judge(ContentType.Handshake, [24, 0, 0, 1, 0]) == PostHandshakeAction.UpdateReadKeys)
        {
            accepted++;
        }

        // One a second is earned while they are judged.
        Assert.InRange(accepted, 32, 64);
        Assert.Equal(AlertDescription.UnexpectedMessage, judge.Alert);
    }

    public static TheoryData<TlsVersion, ContentType, byte[], AlertDescription> RefusedRows() => new()
    {
        { TlsVersion.Tls13, ContentType.Handshake, [24, 0, 0, 1, 2], AlertDescription.IllegalParameter },
        { TlsVersion.Tls13, ContentType.Handshake, [24, 0, 0, 1], AlertDescription.UnexpectedMessage },
        { TlsVersion.Tls13, ContentType.Handshake, [24, 0, 0, 1, 0, 24, 0, 0, 1, 0], AlertDescription.UnexpectedMessage },
        { TlsVersion.Tls13, ContentType.Handshake, [1, 0, 0, 0], AlertDescription.UnexpectedMessage },
        { TlsVersion.Tls13, ContentType.ChangeCipherSpec, [1], AlertDescription.UnexpectedMessage },
        { TlsVersion.Tls13, ContentType.Alert, [1], AlertDescription.DecodeError },
        { TlsVersion.Tls13, ContentType.Alert, [1, 0, 1, 0], AlertDescription.DecodeError },
        { TlsVersion.Tls12, ContentType.Handshake, [24, 0, 0, 1, 0], AlertDescription.UnexpectedMessage },
        { TlsVersion.Tls12, ContentType.ChangeCipherSpec, [1], AlertDescription.UnexpectedMessage },
    };

    [Theory]
    [MemberData(nameof(RefusedRows))]
    public void What_no_client_may_send_is_refused_with_its_alert(
        TlsVersion version, ContentType type, byte[] fragment, AlertDescription alert)
    {
        PostHandshake judge = new(version);
        Assert.Equal(PostHandshakeAction.Refuse, judge.Judge(type, fragment));
        Assert.Equal(alert, judge.Alert);
        Assert.NotEmpty(judge.Reason);
    }
}
