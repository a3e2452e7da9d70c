"""Computes each side of a formula from its LaTeX, and writes the formula with one slip in it."""

import re
from functools import partial
from string import ascii_letters

import numpy as np

from slopewise.site.content.typed_formulas import value_of

_RELATION = re.compile(r"=|<|\\(?:approx|leq?)(?![a-z])|(?<=\\leftarrow)(?![a-z])")
_LIMITS = r"\{(?P<first>\w)=(?P<lower>\d)\}\^\{(?P<upper>\w)\}"
_SUM = re.compile(rf"\\sum_(?:{_LIMITS}|\{{(?P<of>\w) \\in \\text\{{\w+\}}\}}|(?P<all>\w))")
_LABEL = re.compile(r"\\text\{[^{}]*:\}")
_SUBSCRIPT = re.compile(r"_(?:\{([^{}]*)\}|(\w))")
_GROUP = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"


class Operator:
    """Something that stands before what it is applied to, such as a mean over rows."""

    __array_ufunc__ = None  # a number of NumPy leaves the product to it

    def __init__(self, apply):
        self.apply = apply

    def __mul__(self, other):
        return self.apply(other)

    def __rmul__(self, factor):
        return type(self)(lambda other: factor * self.apply(other))


class Gradient(Operator):
    """The operator that takes functions, and numbers before them along."""

    def __mul__(self, other):
        return (
            Gradient(lambda function: self.apply(other * function))
            if np.isscalar(other)
            else self.apply(other)
        )


class Function:
    """A function that is added to others and multiplied by numbers."""

    def __init__(self, of):
        self.of = of

    def __add__(self, other):
        return Function(lambda x: self.of(x) + other.of(x))

    def __rmul__(self, factor):
        return Function(lambda x: factor * self.of(x))


class Matrix:
    """A matrix or a vector, whose products are those of matrices."""

    def __init__(self, values):
        self.values = np.asarray(values, float)

    def __mul__(self, other):
        return Matrix(self.values @ other.values)

    def __add__(self, other):
        return Matrix(self.values + other.values)

    def __radd__(self, number):
        return Matrix(number + self.values)

    def __sub__(self, other):
        return Matrix(self.values - getattr(other, "values", other))

    def __pow__(self, power):
        assert power == int(power)
        return Matrix(np.linalg.matrix_power(self.values, int(power)))

    def __array__(self, dtype=None, copy=None):
        return self.values


def entries(piece, values, index="i"):
    """Return the terms of a sum by their LaTeX: `piece` with 1, 2, ... in the place of its index."""
    return {_at(piece, index, place): value for place, value in enumerate(values, start=1)}


def _at(latex, index, place):
    """Return LaTeX with a number in the place of an index."""

    def numbered(found):
        within = found[1] or found[2]
        within = within if "\\" in within else within.replace(index, str(place))
        return f"_{within}" if len(within) == 1 else f"_{{{within}}}"

    return _SUBSCRIPT.sub(numbered, latex)


def _written_out(side, known):
    """Return a side with its sums term by term; one ends where its group or its side ends."""
    while sums := list(_SUM.finditer(side)):
        found = sums[-1]  # inner sums before outer ones
        index = found["first"] or found["of"] or found["all"]
        if found["first"]:
            places = range(int(found["lower"]), int(known[found["upper"]]) + 1)
        else:
            places = known[rf"\sum_{index}"]
        depth, end = 0, found.end()
        while end < len(side) and (depth := depth + {"{": 1, "}": -1}.get(side[end], 0)) >= 0:
            end += 1
        terms = [f"({_at(side[found.end() : end], index, place)})" for place in places]
        side = f"{side[: found.start()]}({' + '.join(terms)}){side[end:]}"
    return side


def _sides(part):
    """Return what stands before, between and behind the relations that no subscript holds."""
    found = [
        at
        for at in _RELATION.finditer(part)
        if part[: at.start()].count("{") == part[: at.start()].count("}")
    ]
    ends = [0, *(place for at in found for place in at.span()), len(part)]
    return [part[start:end] for start, end in zip(ends[::2], ends[1::2])]


def computed(side, known):
    """Return the value of one side, with what is known in the place of its pieces, the longest first."""
    side = re.sub(r"_\{(\w)\}", r"_\1", " ".join(side.replace(r"\,", " ").split()))
    side, names = _written_out(side, known), {}
    for letter, piece in zip(ascii_letters, sorted(filter(None, known), key=len, reverse=True)):
        before = r"(?<![A-Za-z\\])" if piece[0].isalpha() else ""
        after = r"(?![A-Za-z])" if piece[-1].isalpha() else ""
        side, names[f"Q{letter}"] = (
            re.sub(before + re.escape(piece) + after, f" Q{letter} ", side),
            known[piece],
        )
    side = side.replace("[", "(").replace("]", ")")
    side = re.sub(r"\\max\(([^(),]*),([^(),]*)\)", r"\\frac{\1 + \2 + abs(\1 - (\2))}{2}", side)
    side = re.sub(r"\^\s*(Q\w)", r"^{\1}", side)
    side = re.sub(r"\\(ln|log|cos)\s+(Q\w)", r"\\\1( \2 )", side)
    side = re.sub(r"(?<=Q\w)\s+(?=[Q(\d]|\\(?:frac|sqrt))|(?<=[\d)}])(?<!matrix})\s+(?=Q)", " * ", side)
    return np.asarray(value_of(side, names), float)


def differences(latex, known):
    r"""Return how far the sides of a formula lie from the first one.

    `known` has the values of the pieces, under ``\sum_j`` the places of an index without limits, under ""
    what every side is, and under a label such as ``\text{steady:}`` what holds in the part behind it.
    """
    apart = []
    for part in re.split(r",?\s*\\q?quad", latex):
        if _LABEL.fullmatch(part.strip()):
            known = {**known, **known[part.strip()]}
            continue
        pieces = {piece: value for piece, value in known.items() if not isinstance(value, dict)}
        first, *others = (computed(side, pieces) for side in _sides(part))
        others += [np.asarray(known[""], float)] if "" in known else []
        apart += [np.abs(other - first).max() for other in others]
    return apart


def _with_index(other, found):
    return found[0] if (found[1] or found[2]) == other else f"_{{{other}}}"


def slips(latex):
    """Return the formula with a wrong sign, number, index, fraction or addend, one at a time."""

    def each(pattern, *makers):
        for found in re.finditer(pattern, latex):
            for made in makers:
                yield latex[: found.start()] + made(found) + latex[found.end() :]

    indices = {found[1] or found[2] for found in _SUBSCRIPT.finditer(latex)} | {"q"}
    made = [
        *each(r"[+-]", lambda found: "-" if found[0] == "+" else "+"),
        *each(r"\d+", lambda found: str(int(found[0]) + 1)),
        *each(_SUBSCRIPT.pattern, *(partial(_with_index, other) for other in sorted(indices))),
        *each(rf"\\frac{_GROUP}{_GROUP}", lambda found: rf"\frac{{{found[2]}}}{{{found[1]}}}"),
        *each(
            r"(?:=|<|\\(?:approx|leq?|leftarrow)(?![a-z]))(?![^{}]*\})", lambda found: f"{found[0]} 1.01 + "
        ),
    ]
    return [slip for slip in dict.fromkeys(made) if slip != latex]


def agrees(latex, known):
    """Say whether all sides of a formula are the same, and can be read at all."""
    try:
        with np.errstate(all="raise"):
            return all(apart < 1e-4 for apart in differences(latex, known))
    except (SyntaxError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError, AssertionError):
        return False
