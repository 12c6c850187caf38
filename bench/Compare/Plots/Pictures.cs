using Bench.Compare.Results;
using Bench.Compare.Work;

namespace Bench.Compare.Plots;

/// <summary>All pictures of a result: one per workload, named after it, and one for the series over connections.</summary>
internal static class Pictures
{
    public static void Draw(ResultFile file, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (IGrouping<string, WorkResults> group in WorkResults.Group(file.Rows).GroupBy(results => results.Work.Group))
        {
            string path = Path.Combine(folder, group.Key + ".svg");
            if (group.Key == ConnectionsWork.GroupName)
            {
                LineChart.Draw([.. group], path);
            }
            else
            {
                BarChart.Draw(group.Single(), path);
            }
        }
    }
}
