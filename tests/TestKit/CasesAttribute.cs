using FsCheck.Xunit;

namespace TestKit;

/// <summary>A property, and how many cases FsCheck draws: ten times as many at full scale, a twentieth at the quick one.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CasesAttribute : PropertyAttribute
{
    /// <param name="usual">Cases at the usual scale.</param>
    public CasesAttribute(int usual) => MaxTest = TestScale.Quick ? Math.Max(QuickMin, usual / 20) : TestScale.Choose(usual, 10 * usual);

    private const int QuickMin = 20;
}
