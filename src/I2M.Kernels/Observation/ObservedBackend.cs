using System.Reflection;
using System.Reflection.Emit;

namespace I2M.Kernels.Observation;

/// <summary>
/// A decorator of any backend that tells an observer of every operation. Its class is made at run time from the contract itself, so that it is
/// complete whatever the contract holds: for each operation f(x, shape, y) it is the code
/// <code>
/// void f(BufferView x, in GemmShape shape, BufferView y)
/// {
///     var call = new OperationCall("f");
///     call.Describe(in x); call.Describe(in shape); call.Describe(in y);
///     observer.Before(in call);
///     inner.f(x, in shape, y);
///     observer.After(in call);
/// }
/// </code>
/// with a Describe for each argument that <see cref="OperationCall"/> has one for. Methods with a result or without a buffer among their arguments are handed on in silence.
/// The cost is some ten nanoseconds a call and no allocation.
/// </summary>
public abstract class ObservedBackend
{
    private static readonly Lazy<Func<IBackend, IOperationObserver, IBackend>> s_create = new(Emit);

    /// <summary>The backend that does the work.</summary>
    public readonly IBackend Inner;

    /// <summary>Who is told.</summary>
    public readonly IOperationObserver Observer;

    /// <summary>For the class that is made at run time.</summary>
    protected ObservedBackend(IBackend inner, IOperationObserver observer) => (Inner, Observer) = (inner, observer);

    /// <summary>A backend that hands everything on to <paramref name="inner"/>, which disposing it disposes of. Devices' own abilities beside <see cref="IBackend"/> are not passed on.</summary>
    /// <param name="inner">Does the work.</param>
    /// <param name="observer">Is told of each operation.</param>
    public static IBackend Over(IBackend inner, IOperationObserver observer) => s_create.Value(inner, observer);

    private static Func<IBackend, IOperationObserver, IBackend> Emit()
    {
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("I2M.Kernels.Observed"), AssemblyBuilderAccess.Run);
        TypeBuilder type = assembly.DefineDynamicModule("Observed").DefineType("Observed", TypeAttributes.Public | TypeAttributes.Sealed, typeof(ObservedBackend), [typeof(IBackend)]);
        EmitConstructor(type);
        foreach (MethodInfo method in typeof(IBackend).GetInterfaces().Append(typeof(IBackend)).SelectMany(i => i.GetMethods())) { EmitMethod(type, method); }
        Type created = type.CreateType();
        return (inner, observer) => (IBackend)Activator.CreateInstance(created, inner, observer)!;
    }

    private static void EmitConstructor(TypeBuilder type)
    {
        Type[] arguments = [typeof(IBackend), typeof(IOperationObserver)];
        ILGenerator il = type.DefineConstructor(MethodAttributes.Public, CallingConventions.HasThis, arguments).GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ldarg_2);
        il.Emit(OpCodes.Call, typeof(ObservedBackend).GetConstructor(BindingFlags.NonPublic | BindingFlags.Instance, arguments)!);
        il.Emit(OpCodes.Ret);
    }

    private static void EmitMethod(TypeBuilder type, MethodInfo method)
    {
        ParameterInfo[] parameters = method.GetParameters();
        MethodBuilder builder = type.DefineMethod($"{method.DeclaringType!.Name}.{method.Name}",
            MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.Final | MethodAttributes.HideBySig | MethodAttributes.NewSlot, CallingConventions.HasThis,
            method.ReturnType, null, null, [.. parameters.Select(p => p.ParameterType)],
            [.. parameters.Select(p => p.GetRequiredCustomModifiers())], [.. parameters.Select(p => p.GetOptionalCustomModifiers())]);
        ILGenerator il = builder.GetILGenerator();
        if (method.ReturnType == typeof(void) && parameters.Any(p => Plain(p) == typeof(BufferView))) { EmitObserved(il, method, parameters); }
        else { EmitForward(il, method, parameters); }
        il.Emit(OpCodes.Ret);
        type.DefineMethodOverride(builder, method);
    }

    private static void EmitObserved(ILGenerator il, MethodInfo method, ParameterInfo[] parameters)
    {
        LocalBuilder call = il.DeclareLocal(typeof(OperationCall));
        il.Emit(OpCodes.Ldloca, call);
        il.Emit(OpCodes.Ldstr, method.Name);
        il.Emit(OpCodes.Call, typeof(OperationCall).GetConstructor([typeof(string)])!);
        foreach (ParameterInfo parameter in parameters)
        {
            if (typeof(OperationCall).GetMethod(nameof(OperationCall.Describe), [Plain(parameter).MakeByRefType()]) is not { } describe) { continue; }
            il.Emit(OpCodes.Ldloca, call);
            il.Emit(parameter.ParameterType.IsByRef ? OpCodes.Ldarg : OpCodes.Ldarga, (short)(parameter.Position + 1));
            bool inPlace = parameter.IsDefined(typeof(InPlaceAttribute), inherit: false);
            il.Emit(OpCodes.Call, inPlace ? typeof(OperationCall).GetMethod(nameof(OperationCall.DescribeInPlace))! : describe);
        }
        EmitTell(il, call, nameof(IOperationObserver.Before));
        EmitForward(il, method, parameters);
        EmitTell(il, call, nameof(IOperationObserver.After));
    }

    private static void EmitTell(ILGenerator il, LocalBuilder call, string method)
    {
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, typeof(ObservedBackend).GetField(nameof(Observer))!);
        il.Emit(OpCodes.Ldloca, call);
        il.Emit(OpCodes.Callvirt, typeof(IOperationObserver).GetMethod(method)!);
    }

    private static void EmitForward(ILGenerator il, MethodInfo method, ParameterInfo[] parameters)
    {
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, typeof(ObservedBackend).GetField(nameof(Inner))!);
        foreach (ParameterInfo parameter in parameters) { il.Emit(OpCodes.Ldarg, (short)(parameter.Position + 1)); }
        il.Emit(OpCodes.Callvirt, method);
    }

    /// <summary>The type of a parameter without "in".</summary>
    private static Type Plain(ParameterInfo parameter) => parameter.ParameterType.IsByRef ? parameter.ParameterType.GetElementType()! : parameter.ParameterType;
}
