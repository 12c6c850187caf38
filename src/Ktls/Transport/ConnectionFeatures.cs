using System.Collections;
using Microsoft.AspNetCore.Http.Features;

namespace Ktls.Transport;

/// <summary>
/// A connection's features: those the connection implements itself, and the few that Kestrel adds. A handful of pairs in a small array, because
/// an idle connection pays for every byte and a dictionary is many.
/// </summary>
internal sealed class ConnectionFeatures(TlsConnection connection) : IFeatureCollection
{
    private KeyValuePair<Type, object>[] _added = [];
    private int _count;

    public bool IsReadOnly => false;

    public int Revision { get; private set; }

    public object? this[Type key]
    {
        get
        {
            int index = IndexOf(key);
            return index >= 0 ? _added[index].Value : key.IsInstanceOfType(connection) ? connection : null;
        }
        set
        {
            Revision++;
            int index = IndexOf(key);
            if (value == null)
            {
                Remove(index);
            }
            else if (index >= 0)
            {
                _added[index] = new(key, value);
            }
            else
            {
                if (_count == _added.Length)
                {
                    Array.Resize(ref _added, Math.Max(FeaturesKestrelAdds, _count * 2));
                }

                _added[_count++] = new(key, value);
            }
        }
    }

    public TFeature? Get<TFeature>() => (TFeature?)this[typeof(TFeature)];

    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator()
    {
        for (int i = 0; i < _count; i++)
        {
            yield return _added[i];
        }

        foreach (Type feature in TlsConnection.OwnFeatures)
        {
            if (IndexOf(feature) < 0)
            {
                yield return new(feature, connection);
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int IndexOf(Type key)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_added[i].Key == key)
            {
                return i;
            }
        }

        return -1;
    }

    private void Remove(int index)
    {
        if (index >= 0)
        {
            _added[index] = _added[--_count];
            _added[_count] = default;
        }
    }

    private const int FeaturesKestrelAdds = 6;
}
