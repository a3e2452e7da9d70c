"""What an emitter of an elementwise primitive is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from llvmlite import ir

from slopewise.compiler.native.arithmetic.mathematics.register import Register
from slopewise.engine.aval import Dtype


class Operation(NamedTuple):
    """One application of a primitive.

    Attributes
    ----------
    builder : IRBuilder, where the code goes
    operands : values in registers
    dtypes : their dtypes
    result : the result's dtype
    """

    builder: ir.IRBuilder
    operands: Sequence[ir.Value]
    dtypes: Sequence[Dtype]
    result: Dtype

    @property
    def registers(self) -> list[Register]:
        return [Register(self.builder, operand) for operand in self.operands]

    @property
    def kind(self) -> str:
        """The kind of the first operand's dtype: b, i, u or f."""
        return self.dtypes[0].kind


Emitter = Callable[[Operation], ir.Value]
