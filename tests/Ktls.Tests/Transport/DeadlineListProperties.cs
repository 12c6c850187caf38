using Ktls.Kernel;
using Ktls.Transport;
using TestKit;
using Xunit;

namespace Ktls.Tests.Transport;

public class DeadlineListProperties
{
    [Cases(2_000)]
    public void The_list_does_what_a_dictionary_of_deadlines_would(byte[] script)
    {
        DeadlineList list = new();
        Dictionary<LoopSocket, long> model = [];
        LoopSocket[] sockets = [.. Enumerable.Range(0, 8).Select(i => new IdleSocket(i))];
        for (int i = 0; i + 2 < script.Length; i += 3)
        {
            LoopSocket socket = sockets[script[i + 1] % sockets.Length];
            switch (script[i] % 3)
            {
                case 0:
                    Assert.Equal(model.Count == 0, list.Set(socket, script[i + 2]));
                    model[socket] = script[i + 2];
                    break;
                case 1:
                    list.Clear(socket);
                    model.Remove(socket);
                    break;
                default:
                    List<LoopSocket> due = [];
                    list.TakeDue(script[i + 2], due);
                    LoopSocket[] expected = [.. model.Where(entry => entry.Value <= script[i + 2]).Select(entry => entry.Key)];
                    Assert.Equal(expected.OrderBy(s => s.Descriptor), due.OrderBy(s => s.Descriptor));
                    Array.ForEach(expected, s => model.Remove(s));
                    break;
            }

            Assert.Equal(model.Count == 0, list.IsEmpty);
        }
    }

    internal sealed class IdleSocket(int descriptor, ulong token = 0) : LoopSocket(null!, descriptor, token)
    {
        public override void OnReady(in ReadyEvent ready) => throw new InvalidOperationException("Nothing is expected.");

        public override void OnDeadline() => throw new InvalidOperationException("Nothing is expected.");

        public override void OnFault(Exception fault) => throw new InvalidOperationException("Nothing is expected.", fault);
    }
}
