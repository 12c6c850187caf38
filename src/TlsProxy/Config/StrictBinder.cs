using System.Reflection;

namespace TlsProxy.Config;

/// <summary>
/// Binds a configuration section to a plain type by the names of its properties. Unlike the framework's
/// binder it says what it could not use: a key without a property, a value that does not parse, an object
/// where a value is expected. It reports all of it and goes on.
/// </summary>
internal sealed class StrictBinder(ConfigReport report, params PropertyInfo[] notSettable)
{
    /// <summary>A new <typeparamref name="T"/> with what <paramref name="section"/> sets; absent and null keep their defaults.</summary>
    public T Bind<T>(IConfigurationSection section)
        where T : class, new() => (T?)BindObject(typeof(T), section) ?? new T();

    private object? Bind(Type type, IConfigurationSection section)
    {
        Type target = Nullable.GetUnderlyingType(type) ?? type;
        if (DictionaryValueType(target) is { } valueType)
        {
            return BindDictionary(valueType, section);
        }

        if (ListElementType(target) is { } elementType)
        {
            return BindList(elementType, section);
        }

        if (IsFlags(target))
        {
            return BindFlags(target, section);
        }

        return ScalarParser.CanParse(target) ? BindScalar(target, section) : BindObject(target, section);
    }

    private object? BindObject(Type type, IConfigurationSection section)
    {
        if (!ExpectNoValue(section, "an object { … }"))
        {
            return null;
        }

        object target = Activator.CreateInstance(type)!;
        PropertyInfo[] properties = SettableProperties(type);
        foreach (IConfigurationSection child in section.GetChildren())
        {
            PropertyInfo? property = Array.Find(properties, p => p.Name.Equals(child.Key, StringComparison.OrdinalIgnoreCase));
            if (property is null)
            {
                string[] names = Array.ConvertAll(properties, p => p.Name);
                report.Error(child.Path, $"there is no such setting; {NearestName.Suggest(child.Key, names)}");
            }
            else if (!IsAbsent(child) && Bind(property.PropertyType, child) is { } value)
            {
                property.SetValue(target, value);
            }
        }

        return target;
    }

    private System.Collections.IDictionary? BindDictionary(Type valueType, IConfigurationSection section)
    {
        if (!ExpectNoValue(section, "an object { \"name\": … }"))
        {
            return null;
        }

        Type type = typeof(Dictionary<,>).MakeGenericType(typeof(string), valueType);
        var dictionary = (System.Collections.IDictionary)Activator.CreateInstance(type, StringComparer.OrdinalIgnoreCase)!;
        foreach (IConfigurationSection child in section.GetChildren())
        {
            // An entry written as {} arrives as absent; its name still counts.
            if (BindEntry(valueType, child) is { } value)
            {
                dictionary[child.Key] = value;
            }
        }

        return dictionary;
    }

    private System.Collections.IList? BindList(Type elementType, IConfigurationSection section)
    {
        if (!ExpectNoValue(section, "a list [ … ]"))
        {
            return null;
        }

        var list = (System.Collections.IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(elementType))!;
        foreach (IConfigurationSection child in section.GetChildren())
        {
            if (!int.TryParse(child.Key, out _))
            {
                report.Error(section.Path, $"expects a list [ … ], but has the key '{child.Key}'.");
                return null;
            }

            if (BindEntry(elementType, child) is { } value)
            {
                list.Add(value);
            }
        }

        return list;
    }

    private object? BindEntry(Type type, IConfigurationSection child)
    {
        if (IsAbsent(child) && (type == typeof(string) || ScalarParser.CanParse(type)))
        {
            report.Error(child.Path, "null is not a value here; give one or remove the entry.");
            return null;
        }

        return Bind(type, child);
    }

    private object? BindFlags(Type type, IConfigurationSection section)
    {
        if (section.Value is not null)
        {
            return BindScalar(type, section);
        }

        long flags = 0;
        foreach (IConfigurationSection child in section.GetChildren())
        {
            flags |= Convert.ToInt64(BindScalar(type, child) ?? 0, System.Globalization.CultureInfo.InvariantCulture);
        }

        return Enum.ToObject(type, flags);
    }

    private object? BindScalar(Type type, IConfigurationSection section)
    {
        if (section.Value is null)
        {
            report.Error(section.Path, $"expects {ScalarParser.Describe(type)}, not an object or a list.");
            return null;
        }

        if (ScalarParser.TryParse(type, section.Value, out object? value))
        {
            return value;
        }

        report.Error(section.Path, $"'{section.Value}' is not {ScalarParser.Describe(type)}.");
        return null;
    }

    private bool ExpectNoValue(IConfigurationSection section, string expected)
    {
        // An empty list arrives as the empty string.
        if (string.IsNullOrEmpty(section.Value))
        {
            return true;
        }

        report.Error(section.Path, $"expects {expected}, not the value '{section.Value}'.");
        return false;
    }

    private PropertyInfo[] SettableProperties(Type type) =>
        [.. type.GetProperties(BindingFlags.Instance | BindingFlags.Public)
            .Where(p => p.CanWrite && !Array.Exists(notSettable, hidden => hidden == p))];

    private static bool IsAbsent(IConfigurationSection section) => section.Value is null && !section.GetChildren().Any();

    private static bool IsFlags(Type type) => type.IsEnum && type.IsDefined(typeof(FlagsAttribute));

    private static Type? DictionaryValueType(Type type) =>
        GenericArgument(type, typeof(Dictionary<,>), 1) ?? GenericArgument(type, typeof(IReadOnlyDictionary<,>), 1);

    private static Type? ListElementType(Type type) =>
        GenericArgument(type, typeof(List<>), 0) ?? GenericArgument(type, typeof(IReadOnlyList<>), 0);

    private static Type? GenericArgument(Type type, Type definition, int index) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == definition ? type.GetGenericArguments()[index] : null;
}
