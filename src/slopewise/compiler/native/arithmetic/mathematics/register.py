"""Values in registers that Python's operators compute with: `x * y + 1` writes two instructions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from llvmlite import ir

from slopewise.compiler.native.emission.literals import repeated


@dataclass(frozen=True)
class Format:
    """A binary floating-point format of IEEE 754.

    Attributes
    ----------
    bits : size in memory
    mantissa : bits of the fraction that are stored
    """

    bits: int
    mantissa: int

    @property
    def bias(self) -> int:
        return (1 << (self.bits - self.mantissa - 2)) - 1

    @property
    def least_normal(self) -> float:
        return 2.0 ** (1 - self.bias)

    @property
    def rounder(self) -> float:
        """1.5 * 2^mantissa: adding it to a small number leaves the nearest integer in the low bits."""
        return 1.5 * 2.0**self.mantissa

    def bits_of_power(self, exponent: int) -> int:
        return (exponent + self.bias) << self.mantissa


FORMATS = {"float": Format(32, 23), "double": Format(64, 52)}

Operand: TypeAlias = "Register | float | int"


class Register:
    """A scalar or a vector in registers: floating-point numbers, integers (signed), or truth values (i1).

    Python numbers beside it become constants of its type. Comparisons of floating-point numbers are false
    where one of them is nan. No operation here is ever poison: shifts are by constants below the width.
    """

    __slots__ = ("builder", "value")

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder = builder
        self.value = value

    @property
    def type(self) -> ir.Type:
        return self.value.type

    @property
    def element(self) -> ir.Type:
        return self.type.element if isinstance(self.type, ir.VectorType) else self.type

    @property
    def lanes(self) -> int:
        return self.type.count if isinstance(self.type, ir.VectorType) else 1

    @property
    def format(self) -> Format:
        return FORMATS[str(self.element)]

    @property
    def is_integer(self) -> bool:
        return isinstance(self.element, ir.IntType)

    def constant(self, number: float | int) -> Register:
        return Register(self.builder, constant(self.type, number))

    def _value(self, other: Operand) -> ir.Value:
        return other.value if isinstance(other, Register) else constant(self.type, other)

    def _apply(self, floating: str, integer: str, a: ir.Value, b: ir.Value) -> Register:
        return Register(self.builder, getattr(self.builder, integer if self.is_integer else floating)(a, b))

    def __add__(self, other: Operand) -> Register:
        return self._apply("fadd", "add", self.value, self._value(other))

    def __radd__(self, other: Operand) -> Register:
        return self._apply("fadd", "add", self._value(other), self.value)

    def __sub__(self, other: Operand) -> Register:
        return self._apply("fsub", "sub", self.value, self._value(other))

    def __rsub__(self, other: Operand) -> Register:
        return self._apply("fsub", "sub", self._value(other), self.value)

    def __mul__(self, other: Operand) -> Register:
        return self._apply("fmul", "mul", self.value, self._value(other))

    def __rmul__(self, other: Operand) -> Register:
        return self._apply("fmul", "mul", self._value(other), self.value)

    def __truediv__(self, other: Operand) -> Register:
        return Register(self.builder, self.builder.fdiv(self.value, self._value(other)))

    def __rtruediv__(self, other: Operand) -> Register:
        return Register(self.builder, self.builder.fdiv(self._value(other), self.value))

    def __neg__(self) -> Register:
        return Register(self.builder, self.builder.fneg(self.value))

    def __and__(self, other: Operand) -> Register:
        return Register(self.builder, self.builder.and_(self.value, self._value(other)))

    def __or__(self, other: Operand) -> Register:
        return Register(self.builder, self.builder.or_(self.value, self._value(other)))

    def __xor__(self, other: Operand) -> Register:
        return Register(self.builder, self.builder.xor(self.value, self._value(other)))

    def __invert__(self) -> Register:
        return self ^ -1

    def __lshift__(self, count: int) -> Register:
        return Register(self.builder, self.builder.shl(self.value, self._value(count)))

    def __rshift__(self, count: int) -> Register:
        """Shift zeros in: machines without AVX-512 cannot shift the sign into 64-bit lanes."""
        return Register(self.builder, self.builder.lshr(self.value, self._value(count)))

    def _compare(self, operator: str, other: Operand) -> Register:
        compare = self.builder.icmp_signed if self.is_integer else self.builder.fcmp_ordered
        return Register(self.builder, compare(operator, self.value, self._value(other)))

    def __lt__(self, other: Operand) -> Register:
        return self._compare("<", other)

    def __le__(self, other: Operand) -> Register:
        return self._compare("<=", other)

    def __gt__(self, other: Operand) -> Register:
        return self._compare(">", other)

    def __ge__(self, other: Operand) -> Register:
        return self._compare(">=", other)

    def equals(self, other: Operand) -> Register:
        return self._compare("==", other)

    def is_nan(self) -> Register:
        return Register(self.builder, self.builder.fcmp_unordered("uno", self.value, self.value))


def constant(kind: ir.Type, number: float | int) -> ir.Constant:
    """Return a constant in all lanes, rounded to the type."""
    element = kind.element if isinstance(kind, ir.VectorType) else kind
    if isinstance(element, ir.IntType):
        scalar = ir.Constant(element, int(number))
    else:
        scalar = ir.Constant(element, float(number))
    return repeated(scalar, kind.count if isinstance(kind, ir.VectorType) else 1)


def type_name(kind: ir.Type) -> str:
    """Return the name of a type as LLVM mangles it: f32, v8f32, i64."""
    if isinstance(kind, ir.VectorType):
        return f"v{kind.count}{type_name(kind.element)}"
    return f"i{kind.width}" if isinstance(kind, ir.IntType) else f"f{FORMATS[str(kind)].bits}"


def declare(module: ir.Module, name: str, result: ir.Type, operands: list[ir.Type]) -> ir.Function:
    """Return a function of the module by name, declared if it is not yet there."""
    known = module.globals.get(name)
    return known if known is not None else ir.Function(module, ir.FunctionType(result, operands), name)


def intrinsic(name: str, *operands: Register) -> Register:
    """Call LLVM's intrinsic of that name, whose operands and result have one type."""
    x = operands[0]
    function = declare(
        x.builder.module, f"llvm.{name}.{type_name(x.type)}", x.type, [operand.type for operand in operands]
    )
    return Register(x.builder, x.builder.call(function, [operand.value for operand in operands]))


def _beside(x: Register, other: Operand) -> Register:
    return other if isinstance(other, Register) else x.constant(other)


def fma(x: Register, y: Operand, z: Operand) -> Register:
    """Return x * y + z, rounded once."""
    return intrinsic("fma", x, _beside(x, y), _beside(x, z))


def sqrt(x: Register) -> Register:
    return intrinsic("sqrt", x)


def absolute(x: Register) -> Register:
    return intrinsic("fabs", x)


def copysign(size: Register, sign: Register) -> Register:
    return intrinsic("copysign", size, sign)


def where(condition: Register, x: Register, y: Operand) -> Register:
    """Return x in lanes where a condition holds, y in the others."""
    return Register(x.builder, x.builder.select(condition.value, x.value, x._value(y)))


def any_lane(truth: Register) -> ir.Value:
    """Tell whether a condition holds in any lane: one i1."""
    if truth.lanes == 1:
        return truth.value
    name = f"llvm.vector.reduce.or.{type_name(truth.type)}"
    reduction = declare(truth.builder.module, name, ir.IntType(1), [truth.type])
    return truth.builder.call(reduction, [truth.value])


def at_most(x: Register, bound: Operand) -> Register:
    """Return the smaller of two; nan in x stays nan."""
    limit = _beside(x, bound)
    return where(limit < x, limit, x)


def at_least(x: Register, bound: Operand) -> Register:
    """Return the larger of two; nan in x stays nan."""
    limit = _beside(x, bound)
    return where(limit > x, limit, x)


def _counterpart(kind: ir.Type, element: ir.Type) -> ir.Type:
    return ir.VectorType(element, kind.count) if isinstance(kind, ir.VectorType) else element


def to_bits(x: Register) -> Register:
    """Return the bits of floating-point numbers as integers."""
    kind = _counterpart(x.type, ir.IntType(x.format.bits))
    return Register(x.builder, x.builder.bitcast(x.value, kind))


def from_bits(bits: Register) -> Register:
    """Return the floating-point numbers with these bits."""
    element = ir.FloatType() if bits.element.width == 32 else ir.DoubleType()
    return Register(bits.builder, bits.builder.bitcast(bits.value, _counterpart(bits.type, element)))


def is_negative(x: Register) -> Register:
    """Tell where the sign bit is set, also of zeros."""
    return to_bits(x) < 0


def polynomial(x: Register, coefficients: tuple[float, ...]) -> Register:
    """Return sum c_k x^k by Estrin's scheme: halves the chain of dependent operations at each level."""
    terms: list[Operand] = list(coefficients)
    power = x
    while len(terms) > 1:
        pairs: list[Operand] = []
        for k in range(0, len(terms) - 1, 2):
            pairs.append(fma(power, terms[k + 1], terms[k]))
        terms = pairs + terms[len(terms) - len(terms) % 2 :]
        if len(terms) > 1:
            power = power * power
    return _beside(x, terms[0])
