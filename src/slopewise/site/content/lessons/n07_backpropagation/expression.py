"""A small language for labs: numbers, four inputs, arithmetic, a few functions. Parsed here, not by Python.

Grammar, from loose to tight: sums, products, a minus sign, powers, and atoms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import slopewise as sw
from slopewise.engine.errors import ArgumentError
from slopewise.engine.tensor import Tensor

INPUTS = ("w", "x", "b", "y")
FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "exp": sw.exp,
    "log": sw.log,
    "sqrt": sw.sqrt,
    "sin": sw.sin,
    "tanh": sw.tanh,
    "sigmoid": sw.sigmoid,
    "relu": sw.relu,
    "abs": sw.abs,
}
MOST_OPERATIONS = 16
_DEEPEST = 24
_TOKEN = re.compile(r"\s*(?:(\d{1,6}(?:\.\d{0,6})?|\.\d{1,6})|([a-z]+)|(.))")

Value = Tensor | float


@dataclass(frozen=True)
class Expression:
    """A parsed expression: what it is made of, from the leaves up.

    Attributes
    ----------
    operation : str
        "number", "input", a sign of arithmetic, "negate" or a function.
    parts : tuple of Expression
    name : str
        Of an input.
    value : float
        Of a number.
    """

    operation: str
    parts: tuple[Expression, ...] = ()
    name: str = ""
    value: float = 0.0

    def inputs(self) -> set[str]:
        """Return the names of the inputs that it uses."""
        if self.operation == "input":
            return {self.name}
        return set().union(*(part.inputs() for part in self.parts))

    def operations(self) -> int:
        """Return how many operations it carries out."""
        own = 0 if self.operation in ("number", "input") else 1
        return own + sum(part.operations() for part in self.parts)

    def compute(self, inputs: Mapping[str, Tensor]) -> Value:
        """Return its value, computed on the engine."""
        if self.operation == "number":
            return self.value
        if self.operation == "input":
            return inputs[self.name]
        values = [part.compute(inputs) for part in self.parts]
        if self.operation in FUNCTIONS:
            return FUNCTIONS[self.operation](sw.asarray(values[0], dtype=sw.float64))
        return _ARITHMETIC[self.operation](*values)


def _power(base: Value, exponent: Value) -> Value:
    return base**exponent


_ARITHMETIC: dict[str, Callable[..., Value]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": _power,
    "negate": lambda a: -a,
}


def parse(text: str) -> Expression:
    """Return the expression that a text holds.

    Raises
    ------
    ArgumentError
        If it is none; the message says where.

    Examples
    --------
    >>> parse("w*x + b").operations()
    2
    """
    expression = _Parser(text).whole()
    if not expression.inputs():
        raise ArgumentError(f"the expression uses no input; its inputs are {', '.join(INPUTS)}")
    operations = expression.operations()
    if not 1 <= operations <= MOST_OPERATIONS:
        raise ArgumentError(
            f"the expression has {operations} operations; the lab shows 1 to {MOST_OPERATIONS}"
        )
    return expression


class _Parser:
    """Recursive descent: a method for each level of the grammar."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [
            (match.start(match.lastindex or 0), match[match.lastindex or 0], match.lastindex)
            for match in _TOKEN.finditer(text.strip())
        ]
        self.place = 0
        self.depth = 0

    def whole(self) -> Expression:
        expression = self.sums()
        if self.place < len(self.tokens):
            raise self.unexpected()
        return expression

    def sums(self) -> Expression:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ArgumentError("the expression has too many brackets inside of each other")
        left = self.products()
        while self.next_is("+", "-"):
            sign = self.take()
            left = Expression(sign, (left, self.products()))
        self.depth -= 1
        return left

    def products(self) -> Expression:
        left = self.negation()
        while self.next_is("*", "/", "×", "·"):
            sign = "/" if self.take() == "/" else "*"
            left = Expression(sign, (left, self.negation()))
        return left

    def negation(self) -> Expression:
        minus = 0
        while self.next_is("-", "−"):
            self.take()
            minus += 1
        expression = self.power()
        for _ in range(min(minus, MOST_OPERATIONS + 1)):
            expression = Expression("negate", (expression,))
        return expression

    def power(self) -> Expression:
        base = self.atom()
        if not self.next_is("^"):
            return base
        self.take()
        exponent = self.atom()
        if exponent.operation != "number":
            raise ArgumentError("after ^ comes a number, such as x^2")
        return Expression("^", (base, exponent))

    def atom(self) -> Expression:
        if self.place >= len(self.tokens):
            raise ArgumentError("the expression ends too early: something is missing at its end")
        _, token, kind = self.tokens[self.place]
        if kind == 1:
            self.place += 1
            return Expression("number", value=float(token))
        if kind == 2:
            return self.named(token)
        if token == "(":
            return self.bracket()
        raise self.unexpected()

    def named(self, name: str) -> Expression:
        if name in INPUTS:
            self.place += 1
            return Expression("input", name=name)
        if name not in FUNCTIONS:
            raise ArgumentError(
                f"there is no {name!r} here: inputs are {', '.join(INPUTS)}, functions {', '.join(FUNCTIONS)}"
            )
        self.place += 1
        if not self.next_is("("):
            raise ArgumentError(f"{name} needs brackets, such as {name}(x)")
        return Expression(name, (self.bracket(),))

    def bracket(self) -> Expression:
        self.take()
        inside = self.sums()
        if not self.next_is(")"):
            raise ArgumentError("a bracket is not closed")
        self.take()
        return inside

    def next_is(self, *signs: str) -> bool:
        return self.place < len(self.tokens) and self.tokens[self.place][1] in signs

    def take(self) -> str:
        token = self.tokens[self.place][1]
        self.place += 1
        return token

    def unexpected(self) -> ArgumentError:
        position, token, _ = self.tokens[self.place]
        return ArgumentError(f"{token!r} at character {position + 1} of the expression is not expected there")
