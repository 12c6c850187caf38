using FsCheck.Xunit;

namespace TestKit;

/// <summary>A property, and how many cases FsCheck draws: ten times as many at full scale.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CasesAttribute : PropertyAttribute
{
    /// <param name="usual">Cases at the usual scale.</param>
    public CasesAttribute(int usual) => MaxTest = TestScale.Choose(usual, 10 * usual);
}
