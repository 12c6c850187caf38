using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace Interleaving.Tests.Scheduling;

/// <summary>
/// Makes a copy of an assembly in which threads can change places wherever it matters: before each access to a field that can change, each
/// atomic operation, each call into the kernel and each zeroing; and at locks, which are waited for under the schedule's control.
/// </summary>
internal static class Weaver
{
    /// <param name="path">The assembly as it was built.</param>
    /// <param name="scope">The namespace whose types are woven.</param>
    /// <returns>The woven assembly.</returns>
    public static byte[] Weave(string path, string scope)
    {
        using AssemblyDefinition assembly = AssemblyDefinition.ReadAssembly(path);
        ModuleDefinition module = assembly.MainModule;
        Hooks hooks = new(module);
        foreach (MethodDefinition method in module.GetTypes().Where(type => IsIn(type, scope)).SelectMany(type => type.Methods))
        {
            // Nobody else knows an object while its constructor runs.
            if (method.HasBody && !method.IsConstructor)
            {
                Weave(method, hooks);
            }
        }

        using MemoryStream woven = new();
        assembly.Write(woven);
        return woven.ToArray();
    }

    private static bool IsIn(TypeDefinition type, string scope) =>
        (type.DeclaringType is { } outer && IsIn(outer, scope)) || type.Namespace == scope;

    private static void Weave(MethodDefinition method, Hooks hooks)
    {
        method.Body.SimplifyMacros();
        ILProcessor processor = method.Body.GetILProcessor();
        foreach (Instruction instruction in method.Body.Instructions.ToArray())
        {
            if (instruction.Operand is MethodReference { DeclaringType.FullName: LockName, Name: "EnterScope" })
            {
                (instruction.OpCode, instruction.Operand) = (OpCodes.Call, hooks.Enter);
            }
            else if (instruction.Operand is MethodReference { DeclaringType.FullName: LockName + "/Scope", Name: "Dispose" })
            {
                processor.InsertAfter(instruction, processor.Create(OpCodes.Call, hooks.Left));
            }
            else if (Describe(instruction) is { } operation)
            {
                Instruction name = processor.Create(OpCodes.Ldstr, $"{method.DeclaringType.Name}.{method.Name}: {operation}");
                Instruction first = instruction.Previous?.OpCode == OpCodes.Volatile ? instruction.Previous : instruction;
                processor.InsertBefore(first, name);
                processor.InsertBefore(first, processor.Create(OpCodes.Call, hooks.Point));
                Redirect(method.Body, first, name);
            }
        }

        method.Body.OptimizeMacros();
    }

    /// <returns>Null: it makes no difference when this happens.</returns>
    private static string? Describe(Instruction instruction) => instruction.Operand switch
    {
        FieldReference field when instruction.OpCode.Code is Code.Ldfld or Code.Stfld && CanChange(field) =>
            (instruction.OpCode.Code == Code.Ldfld ? "read " : "write ") + field.Name,
        MethodReference { DeclaringType.FullName: "System.Threading.Interlocked" or "System.Threading.Volatile" } call =>
            $"{call.DeclaringType.Name}.{call.Name}",
        MethodReference { DeclaringType.Namespace: "System.Collections.Concurrent" } call => call.Name,
        MethodReference { DeclaringType.Name: "CryptographicOperations" or "PageMap" or "IPinnedWriter", Name: not ".ctor" } call => call.Name,
        _ => null,
    };

    private static bool CanChange(FieldReference field) => field.Resolve() is { IsInitOnly: false, DeclaringType.IsValueType: false };

    // Whoever jumped to the instruction comes past the point, too.
    private static void Redirect(MethodBody body, Instruction from, Instruction to)
    {
        foreach (Instruction jump in body.Instructions)
        {
            if (jump.Operand == from)
            {
                jump.Operand = to;
            }
            else if (jump.Operand is Instruction[] targets)
            {
                jump.Operand = Array.ConvertAll(targets, target => target == from ? to : target);
            }
        }

        foreach (ExceptionHandler handler in body.ExceptionHandlers)
        {
            handler.TryStart = handler.TryStart == from ? to : handler.TryStart;
            handler.TryEnd = handler.TryEnd == from ? to : handler.TryEnd;
            handler.HandlerStart = handler.HandlerStart == from ? to : handler.HandlerStart;
            handler.HandlerEnd = handler.HandlerEnd == from ? to : handler.HandlerEnd;
        }
    }

    private const string LockName = "System.Threading.Lock";

    private sealed class Hooks(ModuleDefinition module)
    {
        public MethodReference Point { get; } = module.ImportReference(typeof(Turn).GetMethod(nameof(Turn.Point)));

        public MethodReference Enter { get; } = module.ImportReference(typeof(Turn).GetMethod(nameof(Turn.Enter)));

        public MethodReference Left { get; } = module.ImportReference(typeof(Turn).GetMethod(nameof(Turn.Left)));
    }
}
