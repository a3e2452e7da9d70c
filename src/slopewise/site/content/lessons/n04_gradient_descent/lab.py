"""The lab of gradient descent: a walk on a surface, one update a step."""

from __future__ import annotations

import numpy as np

import slopewise as sw
from slopewise.site.content.lessons.n04_gradient_descent.surfaces import (
    SURFACES,
    Floats,
    Surface,
    descend,
    stability_limit,
    sweep,
)
from slopewise.site.drawing import Plot, brief, fixed, linear, logarithmic, vector
from slopewise.site.labs import Choice, Figure, Frame, Lab, Number, Prediction, Table, Values

UPDATES = 30
_WIDE, _HIGH = 2.5, 2.0  # the map shows -2.5 to 2.5 and -2 to 2
_RATES = np.geomspace(0.005, 1.2, 90)
_ARROW = 0.8  # the longest drawn gradient, in units of the map
_HEIGHTS = (0.02, 0.06, 0.13, 0.23, 0.36, 0.52, 0.68, 0.84, 1.0)  # of the contours, as quantiles


def run(values: Values) -> list[Frame]:
    """Walk, and show each update."""
    surface = SURFACES[str(values["surface"])]
    rate = float(values["lr"])
    start = (float(values["w1"]), float(values["w2"]))
    walk = _Walk(surface, rate, start)
    return [walk.frame(step) for step in range(len(walk.points))]


class _Walk:
    """A walk that was made, and the pictures of it."""

    def __init__(self, surface: Surface, rate: float, start: tuple[float, float]) -> None:
        self.surface, self.rate, self.start = surface, rate, start
        self.points, self.losses, self.gradients = descend(surface, start, rate, UPDATES)
        self.bottom = surface.loss(sw.tensor(np.array(surface.lowest))).item()
        self.swept = sweep(surface, start, _RATES, UPDATES) - self.bottom
        self.limit = stability_limit(surface)
        self.xs, self.ys = np.linspace(-_WIDE, _WIDE, 51), np.linspace(-_HIGH, _HIGH, 41)
        grid = np.stack(np.meshgrid(self.xs, self.ys), axis=-1)
        self.heights: Floats = surface.loss(sw.tensor(grid)).numpy()

    @property
    def last(self) -> int:
        return len(self.points) - 1

    @property
    def has_diverged(self) -> bool:
        return self.last < UPDATES

    def frame(self, step: int) -> Frame:
        return Frame(
            title="Start" if step == 0 else f"Update {step}",
            words=self._words(step),
            formula=self._formula(step),
            figures=(
                Figure("The surface from above; the bluer, the lower", self._map(step)),
                Figure("Height above the lowest point, by update", self._curve(step)),
                Figure(f"The same after {UPDATES} updates, by learning rate", self._sweep()),
            ),
            table=self._table(step),
            prediction=self._prediction(step),
        )

    # ---- words

    def _words(self, step: int) -> str:
        loss, gradient = self.losses[step], self.gradients[step]
        slope = float(np.linalg.norm(gradient))
        if step == self.last:
            return self._ending()
        here = (
            f"At {vector(self.points[step])} the loss is {brief(loss)}. The gradient {vector(gradient)} "
            f"points uphill (rust) and the slope is {brief(slope, 3)}. The step goes the other way (blue) "
            f"and is {brief(self.rate, 3)} times as long: {brief(self.rate * slope, 3)}."
        )
        if step == 0:
            return f"{self.surface.character} {here}"
        before = self.losses[step - 1]
        went = "did not change" if loss == before else "fell" if loss < before else "**rose**"
        return f"The loss {went}: {brief(before)} to {brief(loss)}. {here}"

    def _ending(self) -> str:
        first, final = self.losses[0] - self.bottom, self.losses[-1] - self.bottom
        if self.has_diverged:
            return (
                f"After {self.last} updates the parameters have left all bounds: the walk **diverged**. "
                "Each step overshoots further than the one before."
            )
        share = f"{brief(100 * final / first, 3)}%" if first > 0 else "all"
        return (
            f"After {UPDATES} updates the loss is {brief(self.losses[-1])}; of the height above the "
            f"lowest point, {share} is left. {self.surface.character}"
        )

    def _formula(self, step: int) -> str:
        if step == self.last:
            return self.surface.latex
        old, gradient, new = self.points[step], self.gradients[step], self.points[step + 1]
        if np.abs(new).max() >= 1e4:
            return ""
        return (
            rf"w - \eta \, \nabla L = {_column(old)} - {brief(self.rate, 3)} \cdot {_column(gradient)} "
            rf"= {_column(new)}"
        )

    def _prediction(self, step: int) -> Prediction | None:
        if step == 0:
            return self._fate()
        if step == 1 and self.last > 2:
            return self._next_length()
        return None

    def _fate(self) -> Prediction:
        heights = self.losses - self.bottom
        rises = np.diff(heights) > 1e-12 * heights[:-1]
        if self.has_diverged or heights[-1] > heights[0]:
            answer = 3
        elif rises.any():
            answer = 2
        else:
            answer = 0 if heights[-1] < 0.01 * heights[0] else 1
        if answer == 3:
            because = f"It went from {brief(self.losses[0])} to {brief(self.losses[-1])}."
        else:
            because = (
                f"It went from {brief(self.losses[0])} to {brief(self.losses[-1])}, and rose at "
                f"{int(rises.sum())} of {UPDATES} updates."
            )
        if self.limit is not None:
            because += (
                f" Near the lowest point, learning rates above {brief(self.limit, 3)} cannot settle; this "
                f"one is {brief(self.rate, 3)}."
            )
        return Prediction(
            f"What will the loss do in {UPDATES} updates with learning rate {brief(self.rate, 3)}?",
            (
                "It falls at each update, to less than 1% of its height",
                "It falls at each update, but more than 1% is left",
                "It rises at some updates, and ends lower all the same",
                "It ends higher than it started",
            ),
            answer,
            because,
        )

    def _next_length(self) -> Prediction:
        this, following = (self.rate * float(np.linalg.norm(self.gradients[k])) for k in (1, 2))
        ratio = following / this if this > 0 else 1.0
        alike = 0.01
        answer = 1 if abs(ratio - 1) < alike else 0 if ratio < 1 else 2
        return Prediction(
            f"This step is {brief(this, 3)} long. How long will the step after it be?",
            ("Shorter", f"The same, within {100 * alike:.0f}%", "Longer"),
            answer,
            f"It is {brief(following, 3)} long: the learning rate stays, so the step changes with the slope.",
        )

    # ---- pictures

    def _map(self, step: int) -> str:
        plot = Plot(
            linear(-_WIDE, _WIDE),
            linear(-_HIGH, _HIGH, 4),
            x_title="w₁",
            y_title="w₂",
            title=f"Contour map of {self.surface.name} with the walk so far",
            description=f"The walk is at {vector(self.points[step])} after {step} updates.",
            size=(560, 460),
        )
        levels = np.unique(np.quantile(self.heights, _HEIGHTS))
        plot.contours(self.xs, self.ys, self.heights, levels.tolist())
        trail = [(float(x), float(y)) for x, y in self.points[: step + 1]]
        plot.line(trail, "ink")
        plot.dots(trail[:-1], "ink", 2.6)
        here = trail[-1]
        gradient = self.gradients[step]
        slope = float(np.linalg.norm(gradient))
        if slope > 0 and plot.holds(*here):
            shown = gradient * min(1.0, _ARROW / slope)
            plot.arrow(here, (here[0] + float(shown[0]), here[1] + float(shown[1])), "backward")
        if step < self.last:
            following = self.points[step + 1]
            plot.arrow(here, (float(following[0]), float(following[1])), "forward")
        plot.dots([here], "ring", 5)
        return plot.svg()

    def _curve(self, step: int) -> str:
        heights = np.maximum(self.losses - self.bottom, 1e-12)
        low, high = float(heights.min()), float(heights.max())
        plot = Plot(
            linear(0, UPDATES),
            logarithmic(max(low / 2, 1e-9), max(high * 2, low * 10, 1e-6)),
            x_title="update",
            y_title="height",
            title="Height above the lowest point by update",
            description=f"From {brief(heights[0])} at the start to {brief(heights[step])} at update {step}.",
            size=(420, 230),
        )
        path = [(float(k), float(height)) for k, height in enumerate(heights[: step + 1])]
        plot.line(path, "forward")
        plot.dots(path, "forward", 2.4)
        plot.dots(path[-1:], "ring", 4.5)
        return plot.svg()

    def _sweep(self) -> str:
        shown = np.clip(self.swept, 1e-9, 1e3)
        plot = Plot(
            logarithmic(float(_RATES[0]), float(_RATES[-1])),
            logarithmic(max(float(shown.min()) / 2, 1e-9), max(float(shown.max()) * 20, 10.0)),
            x_title="learning rate",
            y_title="height left",
            title=f"Height left after {UPDATES} updates by learning rate",
            description=self._sweep_in_words(shown),
            size=(420, 230),
        )
        if self.limit is not None and self.limit < _RATES[-1]:
            plot.rule("backward", x=self.limit, label=f"limit {brief(self.limit, 3)}")
        plot.rule("forward", x=self.rate)
        plot.line([(float(x), float(y)) for x, y in zip(_RATES, shown)], "ink")
        return plot.svg()

    def _sweep_in_words(self, shown: Floats) -> str:
        best = int(shown.argmin())
        return (
            f"Of {len(_RATES)} learning rates from {brief(_RATES[0])} to {brief(_RATES[-1])}, "
            f"{brief(_RATES[best], 2)} comes lowest; the chosen one is {brief(self.rate, 3)}."
        )

    def _table(self, step: int) -> Table:
        rows = [
            (
                str(k),
                vector(self.points[k], 3),
                brief(self.losses[k]),
                vector(self.gradients[k], 3),
                brief(float(np.linalg.norm(self.gradients[k])), 3),
            )
            for k in range(step + 1)
        ]
        return Table(
            "The walk so far", ("Update", "Parameters", "Loss", "Gradient", "Slope"), rows, current=step
        )


def _column(values: Floats) -> str:
    numbers = r" \\ ".join(fixed(float(value), 3).replace("−", "-") for value in values)
    return rf"\begin{{bmatrix}} {numbers} \end{{bmatrix}}"


LAB = Lab(
    title="Walk downhill",
    task="Choose a surface and a learning rate, and say what will happen. Then step. "
    "Try 0.02, 0.3 and 0.6 on the bowl.",
    settings=(
        Choice(
            "surface",
            "Surface",
            "bowl",
            tuple((key, surface.name) for key, surface in SURFACES.items()),
        ),
        Number("lr", "Learning rate η", 0.1, 0.005, 1.2, 0.005),
        Number("w1", "Start: first parameter", 2.0, -_WIDE, _WIDE, 0.1),
        Number("w2", "Start: second parameter", 1.5, -_HIGH, _HIGH, 0.1),
    ),
    run=run,
    step_name="update",
)
