using Xunit;

// What is counted here belongs to the whole kernel or the whole process: keys it holds, descriptors, threads.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
