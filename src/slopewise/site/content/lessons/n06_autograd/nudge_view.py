"""A nudge that shrinks: difference quotients against the derivative of the tape."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.engine.errors import ArgumentError
from slopewise.site.content.lessons.n06_autograd.symbolic import derivative, parse_of_x, value_of
from slopewise.site.content.lessons.n06_autograd.ways import EPSILON, Nudge, by_tape, nudges
from slopewise.site.drawing import Plot, brief, linear, logarithmic
from slopewise.site.drawing.scale import covering
from slopewise.site.labs import Figure, Frame, Prediction, Table

Floats = NDArray[np.float64]

_LEAST = 1e-17  # where an error of 0 is drawn
_OFFERED = (2, 5, 8, 12)  # powers of ten to choose from, beside the smallest


def nudge_frames(text: str, x: float, dtype: str, quotient: str) -> list[Frame]:
    """Shrink the nudge, and show each."""
    shrinking = _Shrinking(text, x, dtype, quotient)
    return [shrinking.frame(place) for place in range(len(shrinking.nudges))]


class _Shrinking:
    """All nudges, and the pictures of them."""

    def __init__(self, text: str, x: float, dtype: str, quotient: str) -> None:
        self.expression, self.x, self.dtype, self.quotient = parse_of_x(text), x, dtype, quotient
        self.nudges = nudges(self.expression, x, dtype)
        self.here, self.slope, _ = by_tape(self.expression, x)  # in float64, whatever the nudges use
        if not math.isfinite(self.slope):
            raise ArgumentError(f"at x = {x:g} the function has no finite slope; choose another x")
        rules = value_of(derivative(self.expression), sw.tensor(x, dtype=sw.float64)).item()
        self.rules_differ = abs(rules - self.slope)
        self.forward = [max(abs(nudge.forward - self.slope), _LEAST) for nudge in self.nudges]
        self.central = [max(abs(nudge.central - self.slope), _LEAST) for nudge in self.nudges]
        self.errors = self.forward if quotient == "forward" else self.central
        self.best = int(np.argmin(self.errors))

    def frame(self, place: int) -> Frame:
        nudge = self.nudges[place]
        return Frame(
            title=f"Nudge {_power(place)}",
            words=self._words(place),
            formula=self._formula(nudge),
            figures=(
                Figure("The tangent (rust) and the nudge's line (blue)", self._lines(nudge)),
                Figure("Error by nudge; blue is the chosen quotient", self._errors(place)),
            ),
            table=self._table(place),
            prediction=self._prediction(place),
        )

    # ---- words

    def _words(self, place: int) -> str:
        nudge, error = self.nudges[place], self.errors[place]
        far = nudge.here if self.quotient == "forward" else nudge.below
        words = (
            f"The quotient gives {brief(self._given(nudge), 8)}, and the tape {brief(self.slope, 8)}: off "
            f"by {_off(error)}."
        )
        if place == 0:
            return (
                f"{words} The rules of calculus, applied to the formula, agree with the tape to "
                f"{_off(self.rules_differ)}. Now make the nudge smaller."
            )
        if nudge.above == far and self.slope == 0:
            return f"{words} The function is flat here: both values are the same number."
        if nudge.above == far:
            return (
                f"{words} The two values are the same number now: the nudge is too small to be seen in "
                f"{self.dtype}, and the quotient is 0."
            )
        alike = _digits_alike(nudge.above, far)
        if place <= self.best:
            return f"{words} A smaller nudge still helps: the line turns towards the tangent."
        if alike < 4:
            return f"{words} Smaller nudges do not help here: look for a kink, or a straight line."
        return (
            f"{words} The two values agree in about {alike} digits, and their difference keeps only what "
            f"is left of the {_digits_of(self.dtype)} that {self.dtype} has. Dividing by a tiny number "
            "then makes the rounding error large."
        )

    def _given(self, nudge: Nudge) -> float:
        return nudge.forward if self.quotient == "forward" else nudge.central

    def _formula(self, nudge: Nudge) -> str:
        h = f"{nudge.h:.0e}".replace("e-0", "e-")
        power = rf"10^{{{int(h.partition('e')[2])}}}" if nudge.h < 1 else "1"
        if self.quotient == "forward":
            top, bottom, far = "f(x + h) - f(x)", "h", nudge.here
        else:
            top, bottom, far = "f(x + h) - f(x - h)", "2 h", nudge.below
            power = rf"2 \cdot {power}" if nudge.h < 1 else "2"
        digits = min(17, max(8, _digits_alike(nudge.above, far) + 4))
        minus = f"({_tex(far, digits)})" if far < 0 else _tex(far, digits)
        return (
            rf"\frac{{{top}}}{{{bottom}}} = \frac{{{_tex(nudge.above, digits)} - {minus}}}{{{power}}} = "
            rf"{_tex(self._given(nudge), 8)}"
        )

    # ---- predictions

    def _prediction(self, place: int) -> Prediction | None:
        if place == 0:
            return self._best_question()
        if place == 1 and len(self.nudges) > 2:
            return self._ratio_question()
        return None

    def _best_question(self) -> Prediction:
        smallest = len(self.nudges) - 1
        offered = [power for power in _OFFERED if power < smallest] + [smallest]
        answer = int(np.argmin([self.errors[power] for power in offered]))
        return Prediction(
            f"The nudges go from 1 down to {_power(smallest)}, in {self.dtype}. Which of these comes "
            "closest to the derivative?",
            tuple(_power(power) for power in offered),
            answer,
            f"Its error is {_off(self.errors[offered[answer]])}; that of {_power(smallest)} is "
            f"{_off(self.errors[smallest])}. Smaller is better only until rounding takes over.",
        )

    def _ratio_question(self) -> Prediction:
        ratio = self.errors[1] / self.errors[2]
        sizes = (1.0, 10.0, 100.0)
        answer = int(np.argmin([abs(math.log10(ratio / size)) for size in sizes]))
        return Prediction(
            "The next nudge is a tenth of this one. How much smaller will the error be, which is "
            f"{_off(self.errors[1])} now?",
            ("Not much smaller", *(f"About {size:.0f} times" for size in sizes[1:])),
            answer,
            f"It becomes {_off(self.errors[2])}, which is {brief(ratio, 2)} times smaller. The error of "
            "the forward quotient is proportional to $h$, that of the central one to $h^2$, as long as "
            "$h$ is neither large nor tiny.",
        )

    # ---- pictures

    def _lines(self, nudge: Nudge) -> str:
        across = np.linspace(self.x - 1.3, self.x + 1.3, 161)
        with np.errstate(all="ignore"):
            curve: Floats = value_of(self.expression, sw.tensor(across)).numpy()
        ends = [nudge.above, nudge.below, self.here]
        low, high = np.nanquantile(np.where(np.isfinite(curve), curve, np.nan), [0.03, 0.97])
        plot = Plot(
            linear(float(across[0]), float(across[-1])),
            covering([float(low), float(high), *(end for end in ends if abs(end - self.here) < 50)], 0.12),
            x_title="x",
            y_title="f(x)",
            title="The function near x, with tangent and secant",
            description=f"The tangent has slope {brief(self.slope)}, the line of the nudge "
            f"{brief(self._given(nudge))}.",
            size=(480, 340),
        )
        plot.line([(float(a), float(b)) for a, b in zip(across, curve)], "ink")
        plot.line([(float(a), self.here + self.slope * (float(a) - self.x)) for a in across], "backward")
        slope = self._given(nudge)
        start = (self.x, self.here) if self.quotient == "forward" else (self.x - nudge.h, nudge.below)
        plot.line([(float(a), start[1] + slope * (float(a) - start[0])) for a in across], "forward")
        plot.dots([(self.x + nudge.h, nudge.above), start], "forward", 4.5)
        plot.dots([(self.x, self.here)], "ring", 4.5)
        return plot.svg()

    def _errors(self, place: int) -> str:
        every = self.forward + self.central
        plot = Plot(
            logarithmic(10.0 ** -(len(self.nudges) - 0.5), 2.0),
            logarithmic(
                10.0 ** math.floor(math.log10(min(every))), 10.0 ** math.ceil(math.log10(max(every)) + 0.1)
            ),
            x_title="nudge h",
            y_title="error",
            title="Error of the difference quotients by nudge",
            description=", ".join(f"{_power(k)}: {_off(self.errors[k])}" for k in range(place + 1)),
            size=(480, 340),
        )
        other, chosen = (
            (self.central, self.forward) if self.quotient == "forward" else (self.forward, self.central)
        )
        for kind, errors in (("", other), ("forward", chosen)):
            points = [(self.nudges[k].h, errors[k]) for k in range(place + 1)]
            plot.line(points, kind)
            plot.dots(points, kind, 3)
        plot.dots([(self.nudges[place].h, chosen[place])], "ring", 5)
        return plot.svg()

    def _table(self, place: int) -> Table:
        rows = [
            (
                _power(k),
                brief(nudge.above, 10),
                brief(nudge.forward, 8),
                _off(self.forward[k]),
                brief(nudge.central, 8),
                _off(self.central[k]),
            )
            for k, nudge in enumerate(self.nudges[: place + 1])
        ]
        columns = ("Nudge h", "f(x + h)", "Forward", "Its error", "Central", "Its error")
        return Table(
            f"Difference quotients in {self.dtype}; the tape says {brief(self.slope, 8)}",
            columns,
            rows,
            place,
        )


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _power(place: int) -> str:
    return "1" if place == 0 else "10" + f"-{place}".translate(_RAISED)


def _off(error: float) -> str:
    return "nothing" if error <= _LEAST else brief(error, 2)


def _tex(value: float, digits: int) -> str:
    text = brief(value, digits).replace("−", "-")
    if "e" in text:
        mantissa, exponent = text.split("e")
        return rf"{mantissa} \cdot 10^{{{exponent}}}"
    return text


def _digits_alike(a: float, b: float) -> int:
    """Return in how many leading digits two numbers agree, 17 if they are the same."""
    if a == b:
        return 17
    return max(0, round(-math.log10(abs(a - b) / max(abs(a), abs(b)))))


def _digits_of(dtype: str) -> int:
    return round(-math.log10(EPSILON[dtype]))
