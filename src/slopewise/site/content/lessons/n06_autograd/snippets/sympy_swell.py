# needs: sympy
import sympy

x = sympy.Symbol("x")
whole = x
for depth in range(1, 5):
    whole = sympy.sin(whole * whole) + whole
    slope = sympy.diff(whole, x)
    parts, [rest] = sympy.cse(slope)  # common subexpressions, each computed once
    shared = sum(sympy.count_ops(part) for name, part in parts) + sympy.count_ops(rest)
    print(f"depth {depth}: {sympy.count_ops(slope):4} operations written out, {shared:3} with shared parts")

print(sympy.diff(sympy.sin(x * x) + x, x))
