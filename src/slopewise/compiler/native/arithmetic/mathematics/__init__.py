"""Mathematical functions as inline machine code: polynomials over scalars and vectors of float and double.

Everything is computed in the format of its operands, with fused multiply-adds for the digits that would be
lost, and without branches: special values are put in by selects. Only sin, cos and tan branch, to libm, for
angles beyond 1e5. nan, infinities, subnormal numbers and signs of zeros come out as in C99, Annex F.

The largest errors, in units of the last place, are a table in tests/compiler/native/test_mathematics.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llvmlite import ir

from slopewise.compiler.native.arithmetic.mathematics import exponential, logarithm, power, trigonometric
from slopewise.compiler.native.arithmetic.mathematics.register import Register, type_name

FUNCTIONS: dict[str, Callable[..., Register]] = {
    "exp": exponential.exp,
    "expm1": exponential.expm1,
    "sinh": exponential.sinh,
    "cosh": exponential.cosh,
    "tanh": exponential.tanh,
    "sigmoid": exponential.sigmoid,
    "erf": exponential.erf,
    "log": logarithm.log,
    "log1p": logarithm.log1p,
    "log2": logarithm.log2,
    "log10": logarithm.log10,
    "asinh": logarithm.asinh,
    "acosh": logarithm.acosh,
    "atanh": logarithm.atanh,
    "sin": trigonometric.sin,
    "cos": trigonometric.cos,
    "tan": trigonometric.tan,
    "asin": trigonometric.asin,
    "acos": trigonometric.acos,
    "atan": trigonometric.atan,
    "atan2": trigonometric.atan2,
    "pow": power.pow,
    "hypot": power.hypot,
    "logaddexp": power.logaddexp,
}


def call(builder: ir.IRBuilder, name: str, operands: Sequence[ir.Value]) -> ir.Value:
    """Apply a mathematical function, which becomes an internal function of the module once per type.

    Parameters
    ----------
    builder : IRBuilder, where the call goes
    name : str, a key of FUNCTIONS
    operands : values of one type: float, double, or a vector of them

    Returns
    -------
    Value of the operands' type.

    Examples
    --------
    >>> module = ir.Module()
    >>> kind = ir.VectorType(ir.FloatType(), 8)
    >>> function = ir.Function(module, ir.FunctionType(kind, [kind]), "f")
    >>> builder = ir.IRBuilder(function.append_basic_block())
    >>> call(builder, "tanh", function.args).type == kind
    True
    >>> "sw.tanh.v8f32" in module.globals
    True
    """
    return builder.call(_function(builder.module, name, operands[0].type, len(operands)), list(operands))


def _function(module: ir.Module, name: str, kind: ir.Type, arity: int) -> ir.Function:
    own_name = f"sw.{name}.{type_name(kind)}"
    if own_name in module.globals:
        return module.globals[own_name]
    function = ir.Function(module, ir.FunctionType(kind, [kind] * arity), own_name)
    function.linkage = "internal"
    function.attributes.add("alwaysinline")
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(FUNCTIONS[name](*(Register(builder, argument) for argument in function.args)).value)
    return function


__all__ = ["FUNCTIONS", "call"]
