"""A function put into itself: how a formula's derivative grows, and how a tape does."""

from __future__ import annotations

import math

import numpy as np

import slopewise as sw
from slopewise.engine.errors import ArgumentError
from slopewise.site.content.lessons.n06_autograd.symbolic import parse_of_x, value_of, written
from slopewise.site.content.lessons.n06_autograd.ways import Nest, nests
from slopewise.site.drawing import Plot, brief, linear, logarithmic
from slopewise.site.drawing.scale import covering
from slopewise.site.labs import Figure, Frame, Prediction, Table

_LEGIBLE = 34  # operations of a derivative that is shown on paper


def nest_frames(text: str, x: float, most: int) -> list[Frame]:
    """Put the function into itself, time after time, and show each."""
    growing = _Growing(text, x, most)
    return [growing.frame(place) for place in range(most)]


class _Growing:
    """All nestings, and the pictures of them."""

    def __init__(self, text: str, x: float, most: int) -> None:
        self.f, self.x = parse_of_x(text), x
        self.nests = nests(text, x, most)
        if self.nests[-1].taped > 400:
            raise ArgumentError("this tape is longer than the lab shows; choose fewer times or a shorter f")

    def frame(self, place: int) -> Frame:
        nest = self.nests[place]
        return Frame(
            title="f once" if place == 0 else f"f put into itself: {nest.times} deep",
            words=self._words(place),
            formula=rf"f'(x) = {written(nest.rewritten)}" if place == 0 and nest.written <= _LEGIBLE else "",
            figures=(
                Figure("The function, and the tape's tangent (rust)", self._curve(nest)),
                Figure("Operations of the derivative", self._sizes(place)),
            ),
            table=self._table(place),
            prediction=self._prediction(place),
        )

    # ---- words

    def _words(self, place: int) -> str:
        nest = self.nests[place]
        words = (
            f"At x = {brief(self.x)} the value is {brief(nest.value, 6)}. Rewriting the formula gives a "
            f"derivative of {_many(nest.written)} on paper, and the slope {brief(nest.by_rules, 6)}. The "
            f"tape holds {_many(nest.taped)}, takes {nest.back} steps back, and gives "
            f"{brief(nest.by_tape, 6)}."
        )
        if place == len(self.nests) - 1 and place:
            words += (
                " The grey line is the remedy: if the rewritten formula computes each part once, it needs "
                f"{_many(nest.shared)}. Keeping shared parts is what a tape does from the start."
            )
        return words

    def _prediction(self, place: int) -> Prediction | None:
        if place == 0 and len(self.nests) > 2:
            return self._growth_question()
        if place == 1 and len(self.nests) > 2:
            before, after = self.nests[1].taped, self.nests[2].taped
            return Prediction(
                f"The tape holds {before} operations now. How many will it hold with f put in once more?",
                (f"{before * before}", f"{2 * before}", f"{after}"),
                2,
                "Each time adds the operations of f once: the tape notes what was carried out, and each "
                "value is computed once.",
            )
        return None

    def _growth_question(self) -> Prediction:
        first, last = self.nests[0].written, self.nests[-1].written
        times = len(self.nests)
        sizes = {first * times, first * times**2, last, 30 * last}
        if len(sizes) < 4:
            sizes = {last, 2 * last + 5, 10 * last + 10}
        order = sorted(sizes)
        return Prediction(
            f"The derivative of f takes {_many(first)} on paper. How many will it take with f put into "
            f"itself {times} deep?",
            tuple(f"{size:,}" for size in order),
            order.index(last),
            f"It takes {last:,}. Each rule writes parts of the formula down again, and the chain rule does "
            "so at each depth.",
        )

    # ---- pictures

    def _curve(self, nest: Nest) -> str:
        across = np.linspace(self.x - 0.6, self.x + 0.6, 241)
        with np.errstate(all="ignore"):
            at = sw.tensor(across)
            for _ in range(nest.times):
                at = value_of(self.f, at)
            curve = at.numpy()
        low, high = np.nanquantile(np.where(np.isfinite(curve), curve, np.nan), [0.03, 0.97])
        plot = Plot(
            linear(float(across[0]), float(across[-1])),
            covering([float(low), float(high), nest.value], 0.15),
            x_title="x",
            y_title="value",
            title=f"f put into itself {nest.times} deep",
            description=f"The slope at {brief(self.x)} is {brief(nest.by_tape)}.",
            size=(480, 340),
        )
        plot.line([(float(a), float(b)) for a, b in zip(across, curve)], "ink")
        plot.line(
            [(float(a), nest.value + nest.by_tape * (float(a) - self.x)) for a in across[::240]], "backward"
        )
        plot.dots([(self.x, nest.value)], "ring", 5)
        return plot.svg()

    def _sizes(self, place: int) -> str:
        most = max(nest.written for nest in self.nests)
        count = len(self.nests)
        plot = Plot(
            linear(0.7, count + 1.6, min(count + 1, 9)),
            logarithmic(1.0, 10.0 ** math.ceil(math.log10(max(most, 20)) + 0.1)),
            x_title="depth",
            y_title="operations",
            title="Operations of the derivative by depth",
            description=", ".join(
                f"depth {nest.times}: {nest.written} on paper, {nest.taped + nest.back} by tape"
                for nest in self.nests[: place + 1]
            ),
            size=(480, 340),
        )
        shown = self.nests[: place + 1]
        for name, kind, sizes in (
            ("on paper", "backward", [nest.written for nest in shown]),
            ("shared", "", [nest.shared for nest in shown]),
            ("tape", "forward", [nest.taped + nest.back for nest in shown]),
        ):
            if kind == "" and place + 1 < count:
                continue
            points = [(float(depth), float(max(size, 1))) for depth, size in enumerate(sizes, start=1)]
            plot.line(points, kind)
            plot.dots(points, kind, 3.5)
            if place:
                below = kind == "forward"
                plot.label(*points[-1], name, kind, dx=9, dy=16 if below else -4)
        return plot.svg()

    def _table(self, place: int) -> Table:
        rows = [
            (
                str(nest.times),
                f"{nest.function:,}",
                f"{nest.written:,}",
                str(nest.shared),
                str(nest.taped),
                str(nest.back),
                brief(nest.by_rules, 6),
                brief(nest.by_tape, 6),
            )
            for nest in self.nests[: place + 1]
        ]
        columns = (
            "Depth",
            "Formula on paper",
            "Derivative on paper",
            "With shared parts",
            "On the tape",
            "Steps back",
            "Slope by rules",
            "Slope by tape",
        )
        return Table("Operations of f put into itself", columns, rows, current=place)


def _many(count: int) -> str:
    return "1 operation" if count == 1 else f"{count:,} operations"
