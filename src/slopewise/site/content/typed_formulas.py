"""Formulas that lessons type within a line, and those that labs show: each is given, proved, or adds up."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

INLINE = re.compile(r"(?<!\$)\$([^$]+)\$(?!\$)")
_RELATION = re.compile(
    r"[=<>≈≤≥∝→←]|\\(?:approx|leq?|geq?|neq?|to|propto|equiv|sim|ll|gg|lt|gt|leftarrow|mapsto)(?![a-zA-Z])"
)
_EQUAL = re.compile(r"=|\\leftarrow(?![a-zA-Z])")
_COMPUTED = re.compile(r"\{\{.*?\}\}")
_SYMBOL = re.compile(r"\\?[A-Za-z]+(_\w)?")
_POWER_OF_E = re.compile(r"(?<![A-Za-z\\])e\^")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_CALCULATION = re.compile(r"\\cdot|\\frac|\\sqrt|[+/]|[\d)]\s*-")
_BETWEEN = re.compile(r",?\s*\\q?quad")  # between two formulas of one line


def unproved_formulas(items: Mapping[str, str], proved: Iterable[str], given: Iterable[str]) -> list[str]:
    r"""Return a line for each typed relation that nothing proves, and for each idle entry of `given`.

    A symbol with its value, such as ``\eta = 0.1``, sets a case. Arithmetic is left to `wrong_sums`.

    Parameters
    ----------
    items : mapping of str to str
        What a lesson or deck says, as it is written.
    proved : iterable of str
        The formulas in LaTeX that are checked on the engine.
    given : iterable of str
        Those that define something or set a case: nothing can prove them.

    Examples
    --------
    >>> unproved_formulas({"card/x": r"At $w = 3$, $L' = 2w$ is $2 \cdot 3 = 6$."}, [], [])
    ["card/x types the formula L' = 2w: give it a check in FORMULAS, or list it in GIVEN"]
    """
    known, listed = {_plain(latex) for latex in proved}, [_plain(latex) for latex in given]
    typed = {key: [_plain(found) for found in INLINE.findall(text)] for key, text in items.items()}
    problems = [
        f"{key} types the formula {formula}: give it a check in FORMULAS, or list it in GIVEN"
        for key, formulas in typed.items()
        for formula in dict.fromkeys(formulas)
        if _RELATION.search(formula)
        and formula not in known
        and formula not in listed
        and not _sets_a_case(formula)
    ]
    said = {formula for formulas in typed.values() for formula in formulas}
    return problems + [
        f"GIVEN lists {formula}, which is typed nowhere" for formula in listed if formula not in said
    ]


def _plain(latex: str) -> str:
    return " ".join(latex.split())


def _sets_a_case(formula: str) -> bool:
    """Say whether a relation is arithmetic alone, or gives a symbol its value."""
    first, *others = (side.strip() for side in _RELATION.split(_COMPUTED.sub(_some_number, formula)))
    is_value = len(others) == 1 and "=" in formula and _SYMBOL.fullmatch(first) is not None
    return all(map(is_arithmetic, others)) and (is_value or is_arithmetic(first))


def _some_number(computed: re.Match[str]) -> str:
    return " +7 " if "tex" in computed[0] else " 7 "  # inside of a sum `tex` brings a sign along


def wrong_sums(text: str) -> list[str]:
    r"""Return the formulas within the lines of a text whose arithmetic does not add up.

    Examples
    --------
    >>> wrong_sums(r"So $w = 3 - 0.1 \cdot 6 = 2.4$, and $\ln 10 = 2.31$.")
    ['\\ln 10 = 2.31']
    """
    return [formula for formula in INLINE.findall(text) if not adds_up(formula)]


def adds_up(latex: str) -> bool:
    r"""Say whether all sides of a formula that are arithmetic are the same number, as far as it is rounded.

    Examples
    --------
    >>> adds_up(r"\kappa = \frac{0.9 - 0.5}{1 - 0.5} = 0.8"), adds_up(r"\frac{2}{3} = 0.66")
    (True, False)
    """
    for part in _BETWEEN.split(latex):
        sides = [side for side in map(str.strip, _EQUAL.split(part)) if is_arithmetic(side)]
        for left, right in pairwise(sides):
            (a, spread_a), (b, spread_b) = _rounded(left), _rounded(right)
            if a.shape != b.shape or not np.all(abs(a - b) <= spread_a + spread_b + 1e-9 * (1 + abs(b))):
                return False
    return True


def sides_of(latex: str) -> Iterator[list[str]]:
    """Return the sides of each formula in a line that are no arithmetic, as they are written."""
    for part in _BETWEEN.split(latex):
        yield [_plain(side) for side in _EQUAL.split(part) if not is_arithmetic(side.strip())]


def is_arithmetic(latex: str) -> bool:
    r"""Say whether a side of a formula holds numbers alone.

    Examples
    --------
    >>> is_arithmetic(r"2 \cdot 3^2"), is_arithmetic("2w"), is_arithmetic("")
    (True, False, False)
    """
    if _POWER_OF_E.search(latex):  # e may be a lesson's error
        return False
    try:
        value_of(latex)
    except (SyntaxError, LookupError, TypeError, ValueError):
        return False
    return True


def _rounded(latex: str) -> tuple[Any, Any]:
    """Return the value of a side, and how far off it may be as its numbers are rounded."""
    value, spread = np.asarray(value_of(latex)), np.asarray(0.0)
    for number in _NUMBER.finditer(latex):
        places = len(number[0].partition(".")[2])
        is_result = not _CALCULATION.search(latex)
        digits = len(number[0].replace(".", "").lstrip("0"))
        if digits < 4 and (not places or (not is_result and places < 3 and digits < 3)):
            continue  # a count, or a setting such as 0.05
        nudged = f"{float(number[0]) + 0.5 * 10.0**-places:.12f}"
        spread = spread + abs(
            np.asarray(value_of(latex[: number.start()] + nudged + latex[number.end() :])) - value
        )
    return value, spread


_OPERATIONS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sqrt": math.sqrt,
    "ln": math.log,
    "log": math.log,
    "exp": math.exp,
    "sin": math.sin,
    "cos": math.cos,
    "sigma": lambda z: 1 / (1 + math.exp(-z)),
    "abs": abs,
    "column": lambda *values: np.array(values),
}
_TO_PYTHON: tuple[tuple[str, Any], ...] = (
    (r"\\cos\s*(\d+)\^\\circ", lambda found: f"cos({math.radians(float(found[1]))})"),
    (r"\\left|\\right|\\[,;!]", " "),
    (
        r"\\begin\{bmatrix\}(.*?)\\end\{bmatrix\}",
        lambda found: f"column({found[1].replace(chr(92) * 2, ',')})",
    ),
    (r"\\hat\s*\{?(\w)\}?", r"\1hat"),
    (r"\\cdot", "*"),
    (r"\\text\{(-?[\d.]+)\}", r"\1"),
    (r"\^(\w)", r"^{\1}"),
    (r"\|([^|]*)\|", r"abs(\1)"),
)
_INNERMOST = (
    (r"\\frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"((\1)/(\2))"),
    (r"(?<![a-zA-Z])e\^\{([^{}]*)\}", r"exp(\1)"),
    (r"\^\{([^{}]*)\}", r"**(\1)"),
    (r"\\sqrt\s*\{([^{}]*)\}", r"sqrt(\1)"),
    (r"_\{([^{}]*)\}", r"_\1"),
)


def value_of(latex: str, names: Mapping[str, Any] | None = None) -> Any:
    r"""Return the value of a formula of numbers, functions, columns and names.

    Raises
    ------
    SyntaxError
        If it is not such a formula.
    LookupError
        If it holds a name that `names` does not.

    Examples
    --------
    >>> value_of(r"\frac{1}{2} (w_1^2 + 4 w_2^2)", {"w_1": 3.0, "w_2": 1.0})
    6.5
    """
    text = latex.replace("−", "-")
    for pattern, made in _TO_PYTHON:
        text = re.sub(pattern, made, text)
    before = ""
    while before != text:
        before = text
        for pattern, made in _INNERMOST:
            text = re.sub(pattern, made, text)
    text = re.sub(r"\\(ln|log|cos|sin|sigma)\s*(\d[\d.]*)", r"\1(\2)", text).replace("\\", "")
    text = re.sub(r"(?<=[\d)])\s*(?=[A-Za-z(])|(?<=[A-Za-z_]\d)\s+(?=[A-Za-z(])", "*", text)
    text = re.sub(r"\b([A-Za-z]\w*)\s*\*?(?!\*)\s*\(", _called, text)
    return _value(ast.parse(text.strip(), mode="eval").body, names or {})


def _called(found: re.Match[str]) -> str:
    return f"{found[1]}(" if found[1] in _FUNCTIONS else f"{found[1]}*("


def _value(node: ast.AST, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=int(number) | float(number)):
            return float(number)
        case ast.Name():
            return names[node.id]
        case ast.UnaryOp():
            return _OPERATIONS[type(node.op)](_value(node.operand, names))
        case ast.BinOp():
            return _OPERATIONS[type(node.op)](_value(node.left, names), _value(node.right, names))
        case ast.Call(func=ast.Name(id=name)):
            return _FUNCTIONS[name](*(_value(part, names) for part in node.args))
    raise SyntaxError(f"{ast.unparse(node)} is no arithmetic")
