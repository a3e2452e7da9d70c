"""Three ways to a derivative: by nudging, by rewriting the formula, by the tape."""

from __future__ import annotations

import math
from dataclasses import dataclass

import slopewise as sw
from slopewise.engine.errors import ArgumentError
from slopewise.engine.tape_reader import Tape, read_tape
from slopewise.engine.tensor import Tensor
from slopewise.site.content.lessons.n06_autograd.symbolic import (
    X,
    derivative,
    parse_of_x,
    shared,
    substitute,
    value_of,
    written_out,
)
from slopewise.site.content.lessons.n07_backpropagation.expression import Expression

DTYPES = {"float64": sw.float64, "float32": sw.float32}
SMALLEST = {"float64": 16, "float32": 9}  # the nudges go from 1 down to ten to minus this
EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23}  # from 1 to the next number


@dataclass(frozen=True)
class Nudge:
    """A nudge h, and what it makes of the derivative.

    Attributes
    ----------
    here, above, below : float
        f(x), f(x + h), f(x − h).
    forward, central : float
        (f(x + h) − f(x)) / h and (f(x + h) − f(x − h)) / 2h.
    """

    h: float
    here: float
    above: float
    below: float
    forward: float
    central: float


def by_tape(
    expression: Expression, x: float, dtype: str = "float64", times: int = 1
) -> tuple[float, float, Tape]:
    """Return value and derivative of f(f(… f(x))), and the tape that was read for it."""
    leaf = sw.tensor(x, dtype=DTYPES[dtype], requires_grad=True)
    with sw.GradientTape(keep_values=True):
        result = leaf
        for _ in range(times):
            result = value_of(expression, result)
    tape = read_tape(result, {"x": leaf})
    gradient = next(tape.gradients[entry.number] for entry in tape.entries if entry.name == "x")
    return result.item(), gradient.item(), tape


def nudges(expression: Expression, x: float, dtype: str) -> list[Nudge]:
    """Return the difference quotients for h = 1, 1/10, 1/100, …, computed in a precision.

    Raises
    ------
    ArgumentError
        If the function has no finite value somewhere on the way.
    """
    here = _value(expression, sw.tensor(x, dtype=DTYPES[dtype]))
    made = []
    for power in range(SMALLEST[dtype] + 1):
        h = sw.tensor(10.0**-power, dtype=DTYPES[dtype])
        at = sw.tensor(x, dtype=DTYPES[dtype])
        above, below = _value(expression, at + h), _value(expression, at - h)
        forward, central = (above - here) / h, (above - below) / (2 * h)
        made.append(
            Nudge(
                10.0**-power,
                here.item(),
                above.item(),
                below.item(),
                float(forward.item()),
                float(central.item()),
            )
        )
    return made


def _value(expression: Expression, x: Tensor) -> Tensor:
    value = value_of(expression, x)
    if not math.isfinite(value.item()):
        raise ArgumentError(f"at x = {x.item():g} the function has no finite value; choose another x")
    return value


@dataclass(frozen=True)
class Nest:
    """A function put into itself some times, and the size of its derivative.

    Attributes
    ----------
    written, shared : int
        Operations of the derivative that rewriting makes: on paper, and with each part computed once.
    function : int
        Operations of the function on paper.
    taped, back : int
        Operations on the tape, and steps back along it.
    value, by_rules, by_tape : float
    """

    times: int
    rewritten: Expression
    function: int
    written: int
    shared: int
    taped: int
    back: int
    value: float
    by_rules: float
    by_tape: float


def nests(text: str, x: float, most: int) -> list[Nest]:
    """Return f, f(f), f(f(f)), … with their derivatives both ways."""
    f = parse_of_x(text)
    whole, made = X, []
    for times in range(1, most + 1):
        whole = substitute(f, whole)
        rewritten = derivative(whole)
        value, gradient, tape = by_tape(f, x, times=times)
        if not (math.isfinite(value) and math.isfinite(gradient)):
            raise ArgumentError(
                f"f put into itself {times} times has no finite slope at x = {x:g}; choose another x or f"
            )
        slope = value_of(rewritten, sw.tensor(x, dtype=sw.float64)).item()
        made.append(
            Nest(
                times,
                rewritten,
                written_out(whole),
                written_out(rewritten),
                shared(rewritten),
                sum(bool(entry.inputs) for entry in tape.entries),
                len(tape.contributions),
                value,
                slope,
                gradient,
            )
        )
    return made
