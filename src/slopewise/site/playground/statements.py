"""Statements of a formula: written once as an expression of Python, set as LaTeX, computed by a test.

So what the page shows and what a test holds against the engine is the same text, and cannot drift apart.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

_GREEK = {
    name: rf"\{name}"
    for name in ("theta", "eta", "mu", "beta", "alpha", "gamma", "tau", "rho", "delta", "sigma", "pi")
} | {"epsilon": r"\varepsilon", "lam": r"\lambda", "inf": r"\infty"}
_WHOLE_NAMES = {
    "p_of_target": r"\hat{p}_{i, y_i}",
    "mu_next": r"\mu_{t+1}",
    "pairs": r"\text{pairs}",
}
_ADDED, _MULTIPLIED, _SIGNED, _ATOM = range(4)  # how tightly a part holds together


@dataclass(frozen=True)
class Statement:
    """A name gets the value of an expression.

    Parameters
    ----------
    name, text : str
        An identifier, and an expression over others: numbers, ``+ - * / ** @``, comparisons, calls and
        ``a if condition else b``.
    note : str
        A sentence that stands beside the line.

    Examples
    --------
    >>> print(Statement("m", "beta1 * m + (1 - beta1) * g").latex())
    m \\leftarrow \\beta_{1} \\, m + \\left(1 - \\beta_{1}\\right) \\, g
    """

    name: str
    text: str
    note: str = ""

    def latex(self) -> str:
        """Return the line as LaTeX; a name that gets a new value from its old one has an arrow."""
        sign = r"\leftarrow" if self.name in self.names else "="
        return rf"{symbol(self.name)} {sign} {_set(self.expression)[0]}"

    @property
    def expression(self) -> ast.expr:
        """The parsed expression."""
        return ast.parse(self.text, mode="eval").body

    @property
    def names(self) -> set[str]:
        """The names of values that the expression uses."""
        called = {node.func for node in ast.walk(self.expression) if isinstance(node, ast.Call)}
        return {
            node.id for node in ast.walk(self.expression) if isinstance(node, ast.Name) and node not in called
        }


@dataclass(frozen=True)
class Definition:
    """What a function of some letters is: ``Definition("SiLU", "z", "z / (1 + exp(-z))")``."""

    name: str
    letter: str
    text: str

    def latex(self) -> str:
        """Return the line as LaTeX."""
        body = _set(ast.parse(self.text, mode="eval").body)[0]
        return rf"{_function(self.name)}\left({symbol(self.letter)}\right) = {body}"

    @property
    def expression(self) -> ast.expr:
        """The parsed expression."""
        return ast.parse(self.text, mode="eval").body


def symbol(name: str) -> str:
    r"""Return a name as LaTeX: Greek letters, hats, subscripts.

    Examples
    --------
    >>> symbol("beta1"), symbol("m_hat"), symbol("W_12"), symbol("mu_batch")
    ('\\beta_{1}', '\\hat{m}', 'W_{12}', '\\mu_{\\text{batch}}')
    """
    if name in _WHOLE_NAMES:
        return _WHOLE_NAMES[name]
    base, *more = name.split("_")
    letters = base.rstrip("0123456789")
    made = _GREEK.get(letters, letters)
    below = [base[len(letters) :]] if base != letters else []
    for part in more:
        if part in ("hat", "bar"):
            made = rf"\{part}{{{made}}}"
        else:
            below.append(_GREEK.get(part, part if part.isdigit() or len(part) == 1 else rf"\text{{{part}}}"))
    return f"{made}_{{{', '.join(below)}}}" if below else made


def number(value: float) -> str:
    """Return a number as LaTeX; very small and very large ones with a power of ten.

    Examples
    --------
    >>> number(0.1), number(1e-8), number(2.5e-6)
    ('0.1', '10^{-8}', '2.5 \\\\cdot 10^{-6}')
    """
    text = f"{value:.10g}"
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    power = f"10^{{{int(exponent)}}}"
    return power if mantissa == "1" else rf"{mantissa} \cdot {power}"


def _set(node: ast.expr) -> tuple[str, int]:
    """Return LaTeX, and how tightly it holds together."""
    if isinstance(node, ast.Constant):
        return number(float(node.value)), _ATOM  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return symbol(node.id), _ATOM
    if isinstance(node, ast.UnaryOp):
        return f"-{_within(node.operand, _MULTIPLIED)}", _ADDED
    if isinstance(node, ast.BinOp):
        return _set_operation(node)
    if isinstance(node, ast.IfExp):
        condition = _set(node.test)[0]
        first, second = _set(node.body)[0], _set(node.orelse)[0]
        rows = rf"{first} & \text{{if }} {condition} \\ {second} & \text{{otherwise}}"
        return rf"\begin{{cases}} {rows} \end{{cases}}", _ATOM
    if isinstance(node, ast.Compare):
        sign = {ast.Gt: ">", ast.Lt: "<", ast.LtE: r"\leq", ast.GtE: r"\geq", ast.Eq: "="}[type(node.ops[0])]
        return f"{_set(node.left)[0]} {sign} {_set(node.comparators[0])[0]}", _ADDED
    assert isinstance(node, ast.Call), ast.dump(node)
    assert isinstance(node.func, ast.Name)
    return _set_call(node.func.id, node.args)


def _set_operation(node: ast.BinOp) -> tuple[str, int]:
    kind = type(node.op)
    if kind is ast.Div:
        return rf"\frac{{{_set(node.left)[0]}}}{{{_set(node.right)[0]}}}", _MULTIPLIED
    if kind is ast.Pow:
        return f"{_within(node.left, _ATOM)}^{{{_set(node.right)[0]}}}", _SIGNED
    if kind in (ast.Mult, ast.MatMult):
        right = _within(node.right, _MULTIPLIED)
        dot = r"\cdot" if right[0].isdigit() else r"\,"
        return rf"{_within(node.left, _MULTIPLIED)} {dot} {right}", _MULTIPLIED
    sign = "+" if kind is ast.Add else "-"
    return f"{_set(node.left)[0]} {sign} {_within(node.right, _MULTIPLIED)}", _ADDED


def _within(node: ast.expr, least: int) -> str:
    text, strength = _set(node)
    return text if strength >= least else rf"\left({text}\right)"


def _set_call(name: str, arguments: list[ast.expr]) -> tuple[str, int]:
    if name in _SHAPES:
        return _SHAPES[name](_set(arguments[0])[0]), _ATOM
    if name in _SUMS:
        return f"{_SUMS[name]} {_within(arguments[0], _MULTIPLIED)}", _MULTIPLIED
    inside = ", ".join(_set(argument)[0] for argument in arguments)
    return rf"{_function(name)}\left({inside}\right)", _ATOM


def _function(name: str) -> str:
    if name in ("max", "min", "log", "tanh", "cos", "sin"):
        return rf"\{name}"
    known = {"sigmoid": r"\sigma", "log2": r"\log_2"}
    base, _, variant = name.partition("_")
    below = f"_{{{variant}}}" if variant else ""
    return known.get(name, rf"\operatorname{{{base}}}{below}")


_SHAPES: dict[str, Callable[[str], str]] = {
    "sqrt": lambda x: rf"\sqrt{{{x}}}",
    "abs": lambda x: rf"\left|{x}\right|",
    "norm": lambda x: rf"\lVert {x} \rVert",
    "floor": lambda x: rf"\left\lfloor {x} \right\rfloor",
    "exp": lambda x: f"e^{{{x}}}",
    "transposed": lambda x: rf"{x}^{{\top}}",
    "gradient": lambda x: rf"\nabla_{{\theta}} {x}",
}
_SUMS = {
    "mean_i": r"\frac{1}{m} \sum_{i=1}^{m}",
    "sum_j": r"\sum_{j}",
    "sum_w": r"\sum_{w}",
}
