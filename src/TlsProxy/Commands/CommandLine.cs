using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace TlsProxy.Commands;

internal enum Command
{
    Run,
    Check,
    Doctor,
    Help,
    Version,
}

/// <summary>The arguments, parsed.</summary>
internal sealed record CommandLine(Command Command, string? ConfigPath)
{
    public const string Usage = """
        TlsProxy: terminates TLS and forwards to HTTP backends.

          TlsProxy [run] [--config FILE]     serve
          TlsProxy check [--config FILE]     print every error of the configuration, start nothing
          TlsProxy doctor                    what this machine offers, and which settings follow
          TlsProxy --help | --version

        Without --config the file is ./appsettings.json; without that, a built-in default serves
        https://localhost:8443/ with a generated certificate.

        Exit codes: 0 fine, 1 configuration invalid, 2 wrong usage, 3 could not start, 70 internal error.
        """;

    public static string Version =>
        typeof(CommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    public static bool TryParse(string[] args, [NotNullWhen(true)] out CommandLine? line, [NotNullWhen(false)] out string? fault)
    {
        (line, fault) = (null, null);
        Command? command = null;
        string? configPath = null;
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] is "--config" or "-c")
            {
                if (configPath is not null || ++i == args.Length)
                {
                    fault = "--config takes one file, once.";
                    return false;
                }

                configPath = args[i];
            }
            else if (command is null && Commands.TryGetValue(args[i], out Command named))
            {
                command = named;
            }
            else
            {
                fault = $"'{args[i]}' is not understood.";
                return false;
            }
        }

        if (configPath is not null && command is not (null or Command.Run or Command.Check))
        {
            fault = "--config belongs to run and check.";
            return false;
        }

        line = new CommandLine(command ?? Command.Run, configPath);
        return true;
    }

    private static readonly Dictionary<string, Command> Commands = new()
    {
        ["run"] = Command.Run,
        ["check"] = Command.Check,
        ["doctor"] = Command.Doctor,
        ["--help"] = Command.Help,
        ["-h"] = Command.Help,
        ["--version"] = Command.Version,
    };
}
