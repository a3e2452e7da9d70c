"""Derivatives by rewriting formulas: what a table of rules does to an expression of x.

The language and its parser are those of the lesson on backpropagation. Derivatives share their parts: an
expression is a graph in which one part may stand in many places. Written out, each place counts.
"""

from __future__ import annotations

from collections.abc import Callable

import slopewise as sw
from slopewise.engine.errors import ArgumentError
from slopewise.engine.tensor import Tensor
from slopewise.site.content.lessons.n07_backpropagation.expression import FUNCTIONS, Expression, parse
from slopewise.site.drawing import brief

X = Expression("input", name="x")
_OPERATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    **FUNCTIONS,
    "cos": sw.cos,
    "sign": sw.sign,
    "step": sw.nn.step,
    "negate": lambda a: -a,
}
_ARITHMETIC: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


def parse_of_x(text: str) -> Expression:
    """Return the expression that a text holds; x is its only input.

    Raises
    ------
    ArgumentError
        If it is none, or uses another input.
    """
    expression = parse(text)
    if others := expression.inputs() - {"x"}:
        raise ArgumentError(f"the only input here is x; the expression also uses {', '.join(sorted(others))}")
    return expression


def number(value: float) -> Expression:
    """Return a constant."""
    return Expression("number", value=value)


def _is(part: Expression, value: float) -> bool:
    return part.operation == "number" and part.value == value


def _sum(a: Expression, b: Expression) -> Expression:
    if _is(a, 0):
        return b
    return a if _is(b, 0) else Expression("+", (a, b))


def _difference(a: Expression, b: Expression) -> Expression:
    if _is(b, 0):
        return a
    return Expression("negate", (b,)) if _is(a, 0) else Expression("-", (a, b))


def _product(a: Expression, b: Expression) -> Expression:
    if _is(a, 0) or _is(b, 0):
        return number(0)
    if _is(a, 1):
        return b
    return a if _is(b, 1) else Expression("*", (a, b))


def _quotient(a: Expression, b: Expression) -> Expression:
    return a if _is(a, 0) or _is(b, 1) else Expression("/", (a, b))


def _power(base: Expression, exponent: float) -> Expression:
    return base if exponent == 1 else Expression("^", (base, number(exponent)))


def _outer(whole: Expression) -> Expression:
    """Return the derivative of a function of one argument with respect to that argument."""
    (a,) = whole.parts
    match whole.operation:
        case "exp":
            return whole
        case "log":
            return Expression("/", (number(1), a))
        case "sqrt":
            return Expression("/", (number(0.5), whole))
        case "sin":
            return Expression("cos", (a,))
        case "cos":
            return Expression("negate", (Expression("sin", (a,)),))
        case "tanh":
            return _difference(number(1), _product(whole, whole))
        case "sigmoid":
            return _product(whole, _difference(number(1), whole))
        case "relu":
            return Expression("step", (a,))
        case "abs":
            return Expression("sign", (a,))
        case "negate":
            return number(-1)
    raise ArgumentError(f"there is no rule for the derivative of {whole.operation}")


class _Rules:
    """Differentiates, each shared part once."""

    def __init__(self) -> None:
        self.known: dict[int, Expression] = {}

    def derivative(self, whole: Expression) -> Expression:
        if id(whole) not in self.known:
            self.known[id(whole)] = self._derive(whole)
        return self.known[id(whole)]

    def _derive(self, whole: Expression) -> Expression:
        if whole.operation in ("number", "input"):
            return number(1 if whole.operation == "input" else 0)
        if len(whole.parts) == 1:
            return _product(_outer(whole), self.derivative(whole.parts[0]))
        a, b = whole.parts
        match whole.operation:
            case "+":
                return _sum(self.derivative(a), self.derivative(b))
            case "-":
                return _difference(self.derivative(a), self.derivative(b))
            case "*":
                return _sum(_product(self.derivative(a), b), _product(a, self.derivative(b)))
            case "/":
                top = _difference(_product(self.derivative(a), b), _product(a, self.derivative(b)))
                return _quotient(top, Expression("*", (b, b)))
        power = _product(number(b.value), _power(a, b.value - 1)) if b.value else number(0)
        return _product(power, self.derivative(a))


def derivative(whole: Expression) -> Expression:
    """Return the derivative with respect to x, by the rules of sums, products, quotients and chains.

    Examples
    --------
    >>> written(derivative(parse_of_x("x*x*x")))
    '(x + x) \\\\cdot x + x \\\\cdot x'
    """
    return _Rules().derivative(whole)


def substitute(outer: Expression, inner: Expression) -> Expression:
    """Return an expression with another one in the place of x."""
    if outer.operation == "input":
        return inner
    if not outer.parts:
        return outer
    parts = tuple(substitute(part, inner) for part in outer.parts)
    return Expression(outer.operation, parts, outer.name, outer.value)


def written_out(whole: Expression) -> int:
    """Return how many operations stand on paper if every part is written wherever it is used."""
    known: dict[int, int] = {}

    def count(part: Expression) -> int:
        if id(part) not in known:
            known[id(part)] = bool(part.parts) + sum(count(each) for each in part.parts)
        return known[id(part)]

    return count(whole)


def shared(whole: Expression) -> int:
    """Return how many operations there are if a part that is used again is computed once."""
    seen: set[int] = set()

    def visit(part: Expression) -> None:
        if part.parts and id(part) not in seen:
            seen.add(id(part))
            for each in part.parts:
                visit(each)

    visit(whole)
    return len(seen)


def value_of(whole: Expression, x: Tensor) -> Tensor:
    """Return an expression's value on the engine, each shared part computed once."""
    known: dict[int, Tensor] = {}

    def compute(part: Expression) -> Tensor:
        if id(part) not in known:
            known[id(part)] = _apply(part, [compute(each) for each in part.parts], x)
        return known[id(part)]

    return compute(whole)


def _apply(part: Expression, values: list[Tensor], x: Tensor) -> Tensor:
    if part.operation == "input":
        return x
    if part.operation == "number":
        constant: Tensor = sw.full_like(x, part.value)
        return constant
    if part.operation == "^":
        power: Tensor = values[0] ** part.parts[1].value
        return power
    if part.operation in _ARITHMETIC:
        return _ARITHMETIC[part.operation](values[0], values[1])
    return _OPERATIONS[part.operation](values[0])


# ---- on paper

_LOOSE = {"+": 1, "-": 1, "*": 2, "/": 4, "negate": 2, "^": 3}
_SIGNS = {"+": "+", "-": "-", "*": r"\cdot"}


def written(whole: Expression) -> str:
    """Return an expression as LaTeX."""
    operation, parts = whole.operation, whole.parts
    if operation == "input":
        return "x"
    if operation == "number":
        return brief(whole.value).replace("−", "-")
    if operation == "/":
        return rf"\frac{{{written(parts[0])}}}{{{written(parts[1])}}}"
    if operation == "^":
        return f"{_bracketed(parts[0], 5)}^{{{written(parts[1])}}}"
    if operation == "negate":
        return f"-{_bracketed(parts[0], 2)}"
    if operation in _SIGNS:
        right = 2 if operation == "-" else _LOOSE[operation]
        return f"{_bracketed(parts[0], _LOOSE[operation])} {_SIGNS[operation]} {_bracketed(parts[1], right)}"
    return rf"\operatorname{{{operation}}}({written(parts[0])})"


def _bracketed(part: Expression, tight: int) -> str:
    text = written(part)
    loose = _LOOSE.get(part.operation, 6)
    if part.operation == "number" and part.value < 0:
        loose = 0
    return f"({text})" if loose < tight else text
