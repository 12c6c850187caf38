using Xunit.Sdk;
using Xunit.v3;

// What is counted here belongs to the whole kernel or the whole process: keys it holds, descriptors, threads.
[assembly: Parallelization(Mode = ParallelMode.None)]
