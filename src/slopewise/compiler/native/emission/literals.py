"""Short ways to write vectors of one number: llvmlite spells out each lane, and LLVM has to read them all."""

from __future__ import annotations

from llvmlite import ir

_I32 = ir.IntType(32)


def literal(kind: ir.Type, text: str) -> ir.FormattedConstant:
    """Return a constant that LLVM knows by a text."""
    constant = ir.FormattedConstant(kind, "")
    constant.constant = text  # given to the constructor, llvmlite would wrap a vector's in a list
    return constant


def repeated(scalar: ir.Constant, lanes: int) -> ir.Constant:
    """Return a vector constant with one number in all lanes; with one lane, the number.

    Examples
    --------
    >>> repeated(ir.Constant(ir.IntType(64), 3), 4).get_reference()
    'splat (i64 3)'
    """
    return scalar if lanes == 1 else literal(ir.VectorType(scalar.type, lanes), f"splat ({scalar})")


def splat(builder: ir.IRBuilder, scalar: ir.Value, lanes: int) -> ir.Value:
    """Return a vector with a scalar in all lanes; with one lane, the scalar."""
    if lanes == 1:
        return scalar
    nothing = literal(ir.VectorType(scalar.type, lanes), "poison")
    first = builder.insert_element(nothing, scalar, ir.Constant(_I32, 0))
    return builder.shuffle_vector(first, nothing, _Zeros(ir.VectorType(_I32, lanes), None))


class _Zeros(ir.Constant):  # type: ignore[misc]  # llvmlite has no types
    """Zeros that llvmlite can look at, as it does at the order of a shuffle."""

    def _get_reference(self) -> str:
        return "zeroinitializer"
